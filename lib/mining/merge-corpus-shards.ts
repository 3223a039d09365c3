// Puts the shards of a corpus together: judges the candidates of all shards and selects.
import { isInt32Array } from 'node:util/types'
import { loanOf } from '../data/loan'
import { ruleNames } from '../data/mined-lines'
import { checkKind, resultArray, type NamedArrays } from '../data/typed-array'
import { invalid, invalidText } from '../errors'
import { planMemory } from '../memory'
import { runJob, type NativeCandidates } from '../native'
import { checkJob, frozen, jobDefaults, withDefaults } from '../options'
import type { JobOptions, Overrides } from '../options'
import { checkAlike, checkParts, inOrder } from './corpus-shard'
import { addRanks, noRanks, type DrawnRanks, type DrawnRows } from './drawn-rows'
import { identityOf, type MinedCorpusShard } from './mine-corpus-shard'
import { minedArrays } from './mined-arrays'
import { answerOf } from './mined-answer'
import type { MinedNegatives } from './mined-negatives'
import { nativeRules, type SettledMining } from './mining-options'
import { listStartsOf, referencesOf } from './query-lists'
import { checkPositiveScores } from './score-positives'

/** The only place where the defaults of {@link mergeCorpusShards} are written. */
export const mergeCorpusShardsDefaults = frozen({
  /**
   * What {@link rankDrawnRows} gave for every shard, in any order. Needed with the sampling `band` without
   * `maxRank` and `candidates`; none unless given.
   */
  ranks: undefined as readonly DrawnRanks[] | undefined,
})

export type MergeCorpusShardsOptions = Overrides<typeof mergeCorpusShardsDefaults> & JobOptions

/** The shards of one job, in the order of their rows. */
type Parts = readonly [MinedCorpusShard, ...MinedCorpusShard[]]

const kinds = {
  indptr: 'Float64Array',
  rows: 'Int32Array',
  scores: 'Float64Array',
  rules: 'Uint8Array',
  populations: 'Int32Array',
} as const

/** The job checks the elements. */
function checkLists(name: string, each: NativeCandidates | undefined, lists: number) {
  const field = (of: keyof typeof kinds) => `${name}.${of}`
  for (const [of, kind] of Object.entries(kinds) as [keyof typeof kinds, string][])
    checkKind(field(of), each?.[of], [kind], `the ${kind} that mineCorpusShard() gave`)
  const { indptr, rows, scores, rules, populations } = each!
  const perList = ruleNames.length + 4
  for (const [of, array, length] of [
    ['indptr', indptr, lists + 1],
    ['scores', scores, rows.length],
    ['rules', rules, rows.length],
    ['populations', populations, lists * perList],
  ] as const)
    if (array.length !== length)
      throw invalid(field(of), `${length} elements for ${lists} lists of negatives`, array.length)
}

function checkCandidates(parts: readonly MinedCorpusShard[], lists: number) {
  for (const [i, { candidates }] of parts.entries()) {
    if (!Array.isArray(candidates)) throw invalid(`parts[${i}].candidates`, 'an array', candidates)
    for (const [j, each] of candidates.entries())
      checkLists(`parts[${i}].candidates[${j}]`, each as NativeCandidates, lists)
  }
}

async function checkedParts(parts: readonly MinedCorpusShard[]) {
  checkParts(parts, 'candidates', 'mineCorpusShard')
  checkAlike(parts, identityOf)
  const ordered = inOrder(parts)
  const { positiveScores, options } = parts[0]!
  await checkPositiveScores(positiveScores)
  const listStarts =
    options['reference'] === 'each' ? await listStartsOf(positiveScores.positives) : undefined
  const lists = listStarts?.at(-1) ?? positiveScores.queries
  checkCandidates(parts, lists)
  return { ordered: ordered as unknown as Parts, listStarts, lists }
}

/** The candidates of all shards in the form for the addon, named after the caller's parts. */
function namedCandidates(given: readonly MinedCorpusShard[]) {
  return given.flatMap(({ candidates }, i) =>
    candidates.map((each, j) => ({ ...each, name: `parts[${i}].candidates[${j}]` })),
  )
}

async function lentCandidates(given: readonly MinedCorpusShard[]) {
  const arrays: NamedArrays[] = []
  const lent = []
  for (const { name, ...each } of namedCandidates(given)) {
    const loan = await loanOf({ [name]: each })
    arrays.push(loan.arrays)
    lent.push({ ...(loan.inputs[name] as NativeCandidates), name })
  }
  return { lent, arrays: Object.assign({}, ...arrays) as NamedArrays }
}

/** Judges all candidates. Ranks of rows drawn from a band are not known yet. */
async function judged(
  given: readonly MinedCorpusShard[],
  [{ positiveScores, options: plain, ceilings }]: Parts,
  lists: number,
  options: JobOptions,
) {
  const { device, ...job } = checkJob(options)
  const { queries, corpusRows, dimensions } = positiveScores
  const settled = plain as unknown as SettledMining
  const rules = nativeRules(settled, ceilings, { lists, rows: corpusRows, dimensions })
  const { numNegatives, explain } = rules
  planMemory(
    `${numNegatives} negatives for each of ${lists} lists`,
    lists * (20 * numNegatives + 50 * explain),
  )
  const references = await referencesOf(positiveScores, settled.reference)
  const out = {
    ...minedArrays(lists, numNegatives),
    exactScores: resultArray(Float64Array, lists * numNegatives),
  }
  const { lent, arrays } = await lentCandidates(given)
  const found = await runJob(job, arrays, (addon, control) =>
    addon.mergeParts(lent, { ...rules, ...references, queries, corpusRows }, out, control),
  )
  return { settled, out, found }
}

/** Whether the raw ranks of the negatives need a count in every shard. */
export const needsRanks = ({ sampling, maxRank, candidates }: MinedCorpusShard['options']) =>
  sampling === 'band' && maxRank === undefined && candidates === false

function checkRanks(
  ranks: readonly DrawnRanks[] | undefined,
  first: MinedCorpusShard,
  size: number,
) {
  if (!needsRanks(first.options)) {
    if (ranks !== undefined)
      throw invalidText('ranks', 'none, as the shards know all raw ranks', 'ranks of drawn rows')
    return
  }
  if (ranks === undefined)
    throw invalid(
      'ranks',
      'what rankDrawnRows() gave for every shard, as rows of a band are anywhere',
      ranks,
    )
  checkParts(ranks, 'ranks', 'rankDrawnRows', 'ranks')
  checkAlike([first, ...ranks], identityOf, (i) => (i === 0 ? 'parts[0]' : `ranks[${i - 1}]`))
  inOrder(ranks, 'ranks')
  for (const [i, each] of ranks.entries())
    if (!isInt32Array(each.ranks) || each.ranks.length !== size)
      throw invalid(`ranks[${i}].ranks`, `an Int32Array of ${size} counts`, each.ranks)
}

/** Sums of all shards; −1 for no row. */
async function summed(ranks: readonly DrawnRanks[], indices: Int32Array): Promise<Int32Array> {
  const sums = await noRanks(indices)
  for (const each of ranks) await addRanks(sums, each.ranks)
  return sums
}

const sum = (parts: Parts, value: (part: MinedCorpusShard) => number) =>
  parts.reduce((total, part) => total + value(part), 0)

/**
 * Puts together what {@link mineCorpusShard} gave for all shards of a corpus: the answer of
 * {@link mineHardNegatives} over the whole corpus, bit for bit. `seconds` is the sum; `fallback` counts the
 * queries that any shard scanned again.
 *
 * @param parts Each shard once, in any order.
 * @param given `ranks` for rows drawn from a band, and the options of the job.
 * @throws {TypeError | RangeError} naming the part that belongs to another job, rows that no part or several
 *   parts have, or a score that is no number.
 */
export async function mergeCorpusShards(
  parts: readonly MinedCorpusShard[],
  given: MergeCorpusShardsOptions = {},
): Promise<MinedNegatives> {
  const { ranks, ...job } = withDefaults({ ...mergeCorpusShardsDefaults, ...jobDefaults }, given)
  const { ordered, listStarts, lists } = await checkedParts(parts)
  const [first] = ordered
  const { queries, corpusRows, dimensions, metric, positives, scores } = first.positiveScores
  checkRanks(ranks, first, lists * Number(first.options['numNegatives']))
  const { settled, out, found } = await judged(parts, ordered, lists, job)
  const { exactScores, ...arrays } = out
  const shared = {
    ...{ queries, firstQuery: 0, shard: undefined, corpus: corpusRows, metric },
    ...{ liveRows: sum(ordered, ({ liveRows }) => liveRows), dimensions },
    ...{ numNegatives: settled.numNegatives, ceilings: first.ceilings },
    ...{ positives, listStarts, positiveScores: scores, ...arrays },
    ranks: ranks ? await summed(ranks, out.indices) : out.ranks,
  }
  const counts = {
    ...found,
    // A shard without rows has not looked at the queries.
    zeroQueries: Math.max(...ordered.map(({ zeroQueries }) => zeroQueries)),
    zeroRows: sum(ordered, ({ zeroRows }) => zeroRows),
    seconds: sum(ordered, ({ seconds }) => seconds),
  }
  return await answerOf(shared, counts, settled)
}

/**
 * The rows that a merge of these shards draws from a band, for {@link rankDrawnRows} in every shard.
 *
 * @param parts What {@link mineCorpusShard} gave for all shards, with the sampling `band` and neither
 *   `maxRank` nor `candidates`; each once, in any order.
 * @throws {TypeError | RangeError} as {@link mergeCorpusShards}.
 */
export async function drawnRows(
  parts: readonly MinedCorpusShard[],
  given: JobOptions = {},
): Promise<DrawnRows> {
  const { ordered, lists } = await checkedParts(parts)
  const [{ options, fingerprint }] = ordered
  if (!needsRanks(options))
    throw invalidText(
      'parts',
      'shards that draw from a band',
      'shards whose raw ranks are all known',
    )
  const { out } = await judged(parts, ordered, lists, withDefaults(jobDefaults, given))
  const { indices, exactScores: scores } = out
  return { options, fingerprint, indices, scores }
}
