// The queries of an audit: by their ids, by the positives, and by their texts.
import { readNamedPairs } from '../data/named-pairs'
import { readIds, readTexts } from '../data/ids-and-texts'
import { readPairs, type Pairs, type UnknownIds } from '../data/pairs'
import { GemmineError } from '../errors'

/** The queries of an audit, with the positives of each. */
export interface AuditedQueries {
  readonly queryIds: ReadonlyMap<string, number>
  readonly positives: Pairs
  readonly queryTexts: readonly string[] | undefined
  readonly warnings: readonly string[]
}

interface QueryFiles {
  readonly queryIds?: string
  readonly queryTexts?: string
  readonly unknownIds?: UnknownIds
}

interface CorpusIds {
  readonly corpus: number
  readonly corpusIds: ReadonlyMap<string, number>
}

/** @param path The file of the positives. */
export async function readQueries(
  path: string,
  { queryIds: idsPath, queryTexts: textsPath, unknownIds }: QueryFiles,
  corpus: CorpusIds,
): Promise<AuditedQueries> {
  const ids = idsPath === undefined ? undefined : await readIds(idsPath, 'any', 'query')
  const texts =
    textsPath === undefined ? undefined : await readTexts(textsPath, ids?.size ?? 'any', 'query')
  if (ids) {
    const options = { ...corpus, unknownIds, queries: ids.size, queryIds: ids }
    const positives = await readPairs(path, options)
    return { queryIds: ids, positives, queryTexts: texts, warnings: [] }
  }
  const { queryIds, ...positives } = await readNamedPairs(path, { ...corpus, unknownIds })
  if (texts === undefined) return { queryIds, positives, queryTexts: texts, warnings: [] }
  const rows = await rowsOf([...queryIds.keys()], textsPath!, texts.length)
  const warnings = rows ? [] : [ofUnmatched(path, textsPath!)]
  return { ...withTexts(positives, queryIds, texts, rows ?? new Map()), warnings }
}

const ofUnmatched = (positives: string, texts: string) =>
  `The queries of ${positives} are ids, which --query-ids matches with the lines of ${texts}; ` +
  'without it a query that lines give as a text has only the positives of its line'

/** The rows of the ids among the texts, if each has one: by the `_id` of .jsonl, or as a row number. */
async function rowsOf(ids: readonly string[], path: string, count: number) {
  const numbers = new Map(Array.from({ length: count }, (_, row) => [`${row}`, row]))
  const lists = [await idsBeside(path), numbers]
  return lists.find((rows) => rows && ids.every((id) => rows.has(id)))
}

/** The ids in a file of texts, if it is .jsonl and has them. */
async function idsBeside(path: string) {
  if (!/\.jsonl(\.gz)?$/.test(path)) return undefined
  try {
    return await readIds(path, 'any', 'query')
  } catch (error) {
    if (error instanceof GemmineError && error.code === 'ERR_GEMMINE_FILE') return undefined
    throw error
  }
}

/** Gives the queries their texts. After them stand the queries of the other texts, without positives. */
function withTexts(
  positives: Pairs,
  queryIds: ReadonlyMap<string, number>,
  texts: readonly string[],
  rows: ReadonlyMap<string, number>,
) {
  const all = new Map(queryIds)
  const taken = new Set(Array.from(queryIds.keys(), (id) => rows.get(id)))
  const queryTexts = Array.from(queryIds.keys(), (id) => texts[rows.get(id) ?? -1] ?? '')
  const idOf = new Map(Array.from(rows, ([id, row]) => [row, id]))
  texts.forEach((text, row) => {
    if (taken.has(row)) return
    const id = idOf.get(row)
    if (id !== undefined) all.set(id, queryTexts.length)
    queryTexts.push(text)
  })
  const { indptr, indices } = positives
  const starts = new Int32Array(queryTexts.length + 1).fill(indices.length)
  starts.set(indptr)
  return { queryIds: all, positives: { ...positives, indptr: starts }, queryTexts }
}
