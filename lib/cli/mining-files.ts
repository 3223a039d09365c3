// Reads the files with the rules and words of a mining job.
import { CommanderError } from 'commander'
import { readInt32Npy } from '../data/npy'
import { readTexts, type IdRows, type Side } from '../data/ids-and-texts'
import type { RowLists } from '../data/row-lists'
import type { SelfRows } from '../mining/self-rows'
import { PairFiles } from './pair-files'
import type { Word, Words } from '../data/mined-layouts'
import { optionOf } from './failure'
import type { MineOptions } from './mining-options'

export interface MiningFiles {
  readonly positives: RowLists
  /** Options of lib that are read from files. */
  readonly rules: {
    readonly excludeSelf: SelfRows
    readonly exclude: RowLists | undefined
    readonly allow: Uint32Array | undefined
    readonly candidates: RowLists | undefined
    readonly queryGroups: Int32Array | undefined
    readonly corpusGroups: Int32Array | undefined
    readonly queryTexts: readonly string[] | undefined
    readonly corpusTexts: readonly string[] | undefined
  }
  readonly words: Required<Words>
  /** Pairs that are skipped because one side does not exist. */
  readonly unknownIds: number
}

interface Counts {
  readonly queries: number
  readonly corpus: number
}

const ifGiven = async <T>(path: string | undefined, read: (path: string) => Promise<T>) =>
  path === undefined ? undefined : await read(path)

type Ids = IdRows | undefined

/** The words for the rows of one side: texts, else ids, else row numbers. */
function speaker(texts: readonly string[] | undefined, ids: Ids): (row: number) => Word {
  if (texts) return (row) => texts[row]!
  if (!ids) return (row) => row
  const names: readonly Word[] = ids.areIntegers ? Array.from(ids.keys(), BigInt) : [...ids.keys()]
  return (row) => names[row]!
}

export async function readMiningFiles(
  given: MineOptions,
  positives: string,
  counts: Counts,
): Promise<MiningFiles> {
  const texts = (path: string | undefined, side: Side, count: number) =>
    ifGiven(path, (file) => readTexts(file, count, side))
  const files = await PairFiles.open(given, counts)
  const exclude = await files.excluded()
  const candidates = await ifGiven(given.candidates, (file) => files.read(file, 'score'))
  const rules = {
    excludeSelf: files.self(),
    exclude,
    allow: await files.allowed(),
    candidates,
    queryGroups: await ifGiven(given.queryGroups, readInt32Npy),
    corpusGroups: await ifGiven(given.corpusGroups, readInt32Npy),
    queryTexts: await texts(given.queryTexts, 'query', counts.queries),
    corpusTexts: await texts(given.corpusTexts, 'corpus', counts.corpus),
  }
  const words = {
    query: speaker(rules.queryTexts, files.queryIds),
    document: speaker(rules.corpusTexts, files.corpusIds),
    queryId: speaker(undefined, files.queryIds),
    documentId: speaker(undefined, files.corpusIds),
  }
  const pairs = await files.read(positives)
  const unknownIds = [pairs, exclude, candidates].reduce(
    (sum, each) => sum + (each?.unknownIds ?? 0),
    0,
  )
  return { positives: pairs, rules, words, unknownIds }
}

/** Throws if only some of several options are given that must be given together. */
function checkTogether(values: Readonly<Record<string, unknown>>) {
  const names = Object.keys(values)
  const given = names.find((name) => values[name] !== undefined)
  const missing = names.find((name) => values[name] === undefined)
  if (given === undefined || missing === undefined) return
  const needed = names.filter((name) => name !== given).map(optionOf)
  const sentence = `${optionOf(given)} needs ${needed.join(' and ')}, but ${optionOf(missing)} is not given`
  throw new CommanderError(2, 'gemmine.missingPartner', sentence)
}

export function checkPartners(given: MineOptions) {
  const { queryTexts, corpusTexts, groups, queryGroups, corpusGroups } = given
  checkTogether({ queryTexts, corpusTexts })
  checkTogether({ groups, queryGroups, corpusGroups })
}
