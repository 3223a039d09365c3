// Warnings about inputs that are valid but cannot give the intended answer.

/** The name of an argument or option in a warning. */
export type Naming = (argument: string) => string

/** Sizes of a search, and its counts of zero vectors. */
export interface Searched {
  readonly queries: number
  readonly corpus: number
  /** Queries and corpus rows that are zero vectors, under cosine. */
  readonly zeroQueries: number
  readonly zeroRows: number
}

const counted = (count: number, all: number, one: string, many: string) =>
  `${count} of ${all} ${all === 1 ? one : many} ${count === 1 ? 'is a zero vector' : 'are zero vectors'}`

/** How a sentence about zero vectors goes on, and what it calls a row of the corpus. */
interface Consequences {
  /** The result for such a query. */
  readonly ofQuery?: string
  /** The result for such a row. */
  readonly ofRow?: string
  readonly row?: string
}

/** A zero vector has the cosine 0 with every vector. */
export function ofZeroVectors(
  { queries, corpus, zeroQueries, zeroRows }: Searched,
  { ofQuery = '', ofRow = '', row = 'corpus row' }: Consequences,
): string[] {
  const warnings: string[] = []
  if (zeroQueries > 0)
    warnings.push(
      `${counted(zeroQueries, queries, 'query', 'queries')}: the cosine with every row is 0${ofQuery}`,
    )
  if (zeroRows > 0)
    warnings.push(
      `${counted(zeroRows, corpus, row, `${row}s`)}: the cosine with every query is 0${ofRow}`,
    )
  return warnings
}

/** The same for the tokens of one side of a late interaction. */
export const ofZeroTokens = (side: string, zeros: number, tokens: number): string[] =>
  zeros === 0
    ? []
    : [
        `${counted(zeros, tokens, `${side} token`, `${side} tokens`)}: the cosine with every token is 0`,
      ]

/** The option `argument` requests `wanted` places. */
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

const ofFew = (k: number, count: number, one: string, many: string): string[] =>
  k <= count
    ? []
    : [
        `k ${k} is above the ${count} ${count === 1 ? one : many}: ` +
          'the places beyond hold -1 and NaN',
      ]

/** The same for a search of queries. */
export const ofFewQueries = (k: number, queries: number): string[] =>
  ofFew(k, queries, 'query', 'queries')

/** The same for a search of documents. */
export const ofFewDocuments = (k: number, documents: number): string[] =>
  ofFew(k, documents, 'document', 'documents')
