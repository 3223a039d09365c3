// The files that rules and words of a mining job come from.
import { readInt32Npy } from '../data/npy'
import { readIds, readPairs, readTexts } from '../data/pairs'
import type { Side } from '../data/pairs'
import type { RowLists } from '../data/row-lists'
import type { Words } from '../data/mined-lines'
import { invalid } from '../errors'
import type { MineOptions } from './mining-options'

export interface MiningFiles {
  readonly positives: RowLists
  /** Options of lib that come in files. */
  readonly rules: {
    readonly exclude: RowLists | undefined
    readonly queryGroups: Int32Array | undefined
    readonly corpusGroups: Int32Array | undefined
    readonly queryTexts: readonly string[] | undefined
    readonly corpusTexts: readonly string[] | undefined
  }
  readonly words: Words
}

interface Counts {
  readonly queries: number
  readonly corpus: number
}

const ifGiven = async <T>(path: string | undefined, read: (path: string) => Promise<T>) =>
  path === undefined ? undefined : await read(path)

type Ids = ReadonlyMap<string, number> | undefined

/** How one side is spoken of: by its texts, else its ids, else its rows. */
function speaker(texts: readonly string[] | undefined, ids: Ids): (row: number) => string | number {
  const names = texts ?? (ids && [...ids.keys()])
  return names ? (row) => names[row]! : (row) => row
}

export async function readMiningFiles(
  given: MineOptions,
  positives: string,
  counts: Counts,
): Promise<MiningFiles> {
  const ids = (path: string | undefined, side: Side, count: number) =>
    ifGiven(path, (file) => readIds(file, count, side))
  const texts = (path: string | undefined, side: Side, count: number) =>
    ifGiven(path, (file) => readTexts(file, count, side))
  const queryIds = await ids(given.queryIds, 'query', counts.queries)
  const corpusIds = await ids(given.corpusIds, 'corpus', counts.corpus)
  const pairs = { ...counts, queryIds, corpusIds }
  const rules = {
    exclude: await ifGiven(given.exclude, (path) => readPairs(path, pairs)),
    queryGroups: await ifGiven(given.queryGroups, readInt32Npy),
    corpusGroups: await ifGiven(given.corpusGroups, readInt32Npy),
    queryTexts: await texts(given.queryTexts, 'query', counts.queries),
    corpusTexts: await texts(given.corpusTexts, 'corpus', counts.corpus),
  }
  const words = {
    query: speaker(rules.queryTexts, queryIds),
    document: speaker(rules.corpusTexts, corpusIds),
  }
  return { positives: await readPairs(positives, pairs), rules, words }
}

/** Options that make sense together only. */
export function checkPartners(given: MineOptions) {
  const partners = [
    {
      given: '--query-texts',
      value: given.queryTexts,
      needs: '--corpus-texts',
      other: given.corpusTexts,
    },
    {
      given: '--corpus-texts',
      value: given.corpusTexts,
      needs: '--query-texts',
      other: given.queryTexts,
    },
    { given: '--query-groups', value: given.queryGroups, needs: '--groups', other: given.groups },
    { given: '--corpus-groups', value: given.corpusGroups, needs: '--groups', other: given.groups },
    { given: '--groups', value: given.groups, needs: '--query-groups', other: given.queryGroups },
    { given: '--groups', value: given.groups, needs: '--corpus-groups', other: given.corpusGroups },
  ]
  for (const { given: option, value, needs, other } of partners)
    if (value !== undefined && other === undefined)
      throw invalid(needs, `a value beside ${option}`, 'nothing')
}
