// What a search cannot answer as it was meant, though it is no mistake.

/** What an argument or option is called where the warning is read. */
export type Naming = (argument: string) => string

/** Sizes of a search, and what it found of them. */
export interface Searched {
  readonly queries: number
  readonly corpus: number
  /** Queries and corpus rows that are zero vectors, under cosine. */
  readonly zeroQueries: number
  readonly zeroRows: number
}

const counted = (count: number, all: number, one: string, many: string) =>
  `${count} of ${all} ${all === 1 ? one : many} ${count === 1 ? 'is a zero vector' : 'are zero vectors'}`

/** A zero vector has the cosine 0 with everything; the answers tell what such a query or row gets. */
export function ofZeroVectors(
  { queries, corpus, zeroQueries, zeroRows }: Searched,
  answer = ', and the first rows are the answer',
  answerOfRow = '',
): string[] {
  const warnings: string[] = []
  if (zeroQueries > 0)
    warnings.push(
      `${counted(zeroQueries, queries, 'query', 'queries')}: the cosine with every row is 0${answer}`,
    )
  if (zeroRows > 0)
    warnings.push(
      `${counted(zeroRows, corpus, 'corpus row', 'corpus rows')}: the cosine with every query is 0${answerOfRow}`,
    )
  return warnings
}

/** `wanted` places are asked for by `argument`. */
export const ofSmallCorpus = (
  argument: string,
  wanted: number,
  { queries, corpus }: Searched,
  name: Naming,
): string[] =>
  wanted <= corpus || queries === 0
    ? []
    : [
        `${name(argument)} ${wanted} is above the ${corpus} ${corpus === 1 ? 'row' : 'rows'} of the corpus: ` +
          'the places beyond hold -1 and NaN',
      ]

/** The same of a search for queries. */
export const ofFewQueries = (k: number, queries: number): string[] =>
  k <= queries
    ? []
    : [
        `k ${k} is above the ${queries} ${queries === 1 ? 'query' : 'queries'}: ` +
          'the places beyond hold -1 and NaN',
      ]
