// The choices of negatives among the survivors of the rules, with their options. TypeScript declares each
// sampling only here. The orders are in native/mining/preference.cc, the formulae in docs/math/mining.md.
import { invalid } from '../errors'
import { checkInteger, checkNumber, checkOneOf } from '../options'
import type { Metric } from './metric'

interface Sampling {
  /** Which survivors of the rules are taken, in the words of the help. */
  readonly taken: string
  /** `best`: a pool of the best, of which negatives are taken; `all`: every survivor; else none is needed. */
  readonly from?: 'best' | 'all'
  /** The numbers among the options that this sampling uses. */
  readonly uses: readonly SamplingNumber[]
  /** The negatives of a query that is a zero vector, in the words of a warning. */
  readonly ofZeroQuery: string
  /** The only metric of which its formula holds; every metric if left out. */
  readonly metric?: Metric
}

/** The options of single samplings, which have no effect on the others. */
export const samplingNumbers = [
  'temperature',
  'simansA',
  'simansB',
  'distanceCutoff',
  'distanceLimit',
  'stride',
  'bins',
  'mmrLambda',
] as const
type SamplingNumber = (typeof samplingNumbers)[number]

const drawnOfFirst = 'the negatives are drawn from the first rows that the rules admit'

/** All choices of negatives. */
export const samplings = {
  top: {
    taken: 'the best',
    uses: [],
    ofZeroQuery: 'the first rows that the rules admit are the negatives',
  },
  random: {
    taken: 'some drawn from a pool of the best',
    from: 'best',
    uses: [],
    ofZeroQuery: drawnOfFirst,
  },
  'top1-random': {
    taken: 'the best and some drawn',
    from: 'best',
    uses: [],
    ofZeroQuery:
      'the first row that the rules admit is a negative, and others are drawn from the next ones',
  },
  band: {
    taken: 'some drawn from all between floor and ceiling',
    from: 'all',
    uses: [],
    ofZeroQuery: 'the negatives are drawn from all rows that the rules admit',
  },
  weighted: {
    taken: 'drawn from the pool with weights exp(score / T)',
    from: 'best',
    uses: ['temperature'],
    ofZeroQuery: drawnOfFirst,
  },
  simans: {
    taken: 'drawn from the pool with weights exp(-A (score - p - B)^2)',
    from: 'best',
    uses: ['simansA', 'simansB'],
    ofZeroQuery: drawnOfFirst,
  },
  'distance-weighted': {
    taken:
      'drawn from the pool with weights 1 / q(D), q the density of the distance D of unit rows',
    from: 'best',
    uses: ['distanceCutoff', 'distanceLimit'],
    ofZeroQuery: drawnOfFirst,
    metric: 'cosine',
  },
  stride: {
    taken: 'every N-th of the pool',
    from: 'best',
    uses: ['stride'],
    ofZeroQuery: 'the negatives are every n-th of the first rows that the rules admit',
  },
  quantiles: {
    taken: 'one drawn from each K-th part of the pool',
    from: 'best',
    uses: [],
    ofZeroQuery: drawnOfFirst,
  },
  bins: {
    taken:
      'drawn from bins of equal width of the scores of the pool, each bin with the same chance',
    from: 'best',
    uses: ['bins'],
    ofZeroQuery: drawnOfFirst,
  },
  mmr: {
    taken: 'of the pool by maximal marginal relevance, hard and unlike each other',
    from: 'best',
    uses: ['mmrLambda'],
    ofZeroQuery: 'the negatives are rows among the first ones that are unlike each other',
  },
} as const satisfies Readonly<Record<string, Sampling>>
export type SamplingName = keyof typeof samplings
export const samplingNames = Object.keys(samplings) as readonly SamplingName[]

/** The declaration of one sampling, without the literal types of the list. */
export const samplingOf = (name: SamplingName): Sampling => samplings[name]

/** Defaults of the options for the choice of negatives. */
export const samplingDefaults = {
  /**
   * The choice of survivors; `top` unless given: the best. From the `pool` of the best survivors take
   * `random`: any; `top1-random`: the best one and any others; `weighted`: hard ones more often; `simans`:
   * ones that score near the positive more often; `distance-weighted`: ones at all distances from the query
   * alike, for cosines; `stride`: every n-th; `quantiles`: one from each of numNegatives equal parts; `bins`:
   * from bins of the scores; `mmr`: hard ones that are unlike each other.
   * `band` takes any of all survivors, so only floor and ceiling decide how hard they are; a second scan
   * counts the raw ranks of the drawn rows, unless `maxRank` is given.
   */
  sampling: 'top' as SamplingName,
  /**
   * Number of best survivors to take negatives from; max(10, 2 · numNegatives) unless given, see
   * {@link defaultPool}, and for `stride` at least stride · numNegatives. An error with `band`, because it
   * takes from all survivors.
   */
  pool: undefined as number | undefined,
  /** Seed of the draws, which depend only on the seed, the query and the row; 0 unless given. */
  seed: 0,
  /** For `weighted`: weights are exp(score / temperature), so it has the unit of scores; 0.05 unless given. */
  temperature: 0.05,
  /**
   * For `simans`: weights are exp(−simansA · (score − p − simansB)²) with p the reference score of the
   * positives, so larger values keep negatives nearer to p + simansB; 1 unless given.
   */
  simansA: 1,
  /** For `simans`: where weights are highest, above the reference score; 0 unless given. */
  simansB: 0,
  /**
   * For `distance-weighted`: smaller distances √(2 − 2 · cosine) from the query count as this, so that the
   * nearest rows do not take all draws; above 0, 0.5 unless given.
   */
  distanceCutoff: 0.5,
  /**
   * For `distance-weighted`: rows at this distance or farther are never drawn; above distanceCutoff, at most
   * 2, and 1.4 unless given.
   */
  distanceLimit: 1.4,
  /**
   * For `stride`: every how many survivors one is taken; 5 unless given. If the end of the pool is reached,
   * those after the ones that were taken follow.
   */
  stride: 5,
  /** For `bins`: number of bins between the lowest and the highest score of the pool; 10 unless given. */
  bins: 10,
  /**
   * For `mmr`: the next negative has the highest mmrLambda · score − (1 − mmrLambda) · its highest score with
   * a negative taken before; in 0..1, 0.5 unless given.
   */
  mmrLambda: 0.5,
  /**
   * A survivor that scores at least this with a negative taken before it, under the metric of the job, is
   * skipped as its near-duplicate; no limit unless given.
   */
  nearDuplicateScore: undefined as number | undefined,
  /**
   * Largest number of lists of negatives that may have the same row: one list for each query, or with the
   * reference `each` one for each positive. The lists with the highest scores keep it, others take their next
   * choice. Not for parts of a job; no limit unless given.
   */
  hubCap: undefined as number | undefined,
} as const

/** The settled options for the choice of negatives. */
export interface SamplingChoice {
  readonly numNegatives: number
  readonly sampling: SamplingName
  readonly pool: number | undefined
  readonly seed: number
  readonly temperature: number
  readonly simansA: number
  readonly simansB: number
  readonly distanceCutoff: number
  readonly distanceLimit: number
  readonly stride: number
  readonly bins: number
  readonly mmrLambda: number
  readonly nearDuplicateScore: number | undefined
  readonly hubCap: number | undefined
}

/**
 * Number of best survivors to take negatives from unless `pool` is given: twice the number of negatives, and
 * at least `least`.
 */
export const defaultPool = Object.assign(
  (numNegatives: number) => Math.max(defaultPool.least, defaultPool.times * numNegatives),
  { least: 10, times: 2 },
)

/** The pool in force. It matters only to samplings from the best. */
export function poolOf({ pool, sampling, stride, numNegatives }: SamplingChoice): number {
  if (pool !== undefined) return pool
  const standard = defaultPool(numNegatives)
  return sampling === 'stride' ? Math.max(standard, stride * numNegatives) : standard
}

const largest = 2 ** 31 - 1

/** Names the one that is not the default. */
function checkDistances({ distanceCutoff, distanceLimit }: SamplingChoice, at: string) {
  if (distanceLimit > distanceCutoff) return
  if (distanceLimit === samplingDefaults.distanceLimit)
    throw invalid(
      `${at}distanceCutoff`,
      `a number below distanceLimit ${distanceLimit}`,
      distanceCutoff,
    )
  throw invalid(
    `${at}distanceLimit`,
    `a number above distanceCutoff ${distanceCutoff}`,
    distanceLimit,
  )
}

/** @param at Prefix of names in messages: `sweep[1].`, or nothing. */
export function checkSampling(options: SamplingChoice, at = '') {
  checkOneOf(`${at}sampling`, options.sampling, samplingNames)
  if (options.pool !== undefined) checkInteger(`${at}pool`, options.pool, options.numNegatives)
  if (options.pool !== undefined && samplingOf(options.sampling).from === 'all')
    throw invalid(
      `${at}pool`,
      `no pool beside the sampling ${options.sampling}, which is all survivors`,
      options.pool,
    )
  checkInteger(`${at}seed`, options.seed, 0, Number.MAX_SAFE_INTEGER)
  checkNumber(`${at}temperature`, options.temperature)
  if (options.temperature <= 0)
    throw invalid(`${at}temperature`, 'a number above 0', options.temperature)
  checkNumber(`${at}simansA`, options.simansA, 0)
  checkNumber(`${at}simansB`, options.simansB)
  checkNumber(`${at}distanceLimit`, options.distanceLimit, 0, 2)
  checkNumber(`${at}distanceCutoff`, options.distanceCutoff)
  if (options.distanceCutoff <= 0)
    throw invalid(`${at}distanceCutoff`, 'a number above 0', options.distanceCutoff)
  checkDistances(options, at)
  checkInteger(`${at}stride`, options.stride, 1, largest)
  checkInteger(`${at}bins`, options.bins, 1, largest)
  checkNumber(`${at}mmrLambda`, options.mmrLambda, 0, 1)
  if (options.nearDuplicateScore !== undefined)
    checkNumber(`${at}nearDuplicateScore`, options.nearDuplicateScore)
  if (options.hubCap !== undefined) checkInteger(`${at}hubCap`, options.hubCap, 1, largest)
}

/** @throws {TypeError | RangeError} if the formula of the sampling does not hold for the metric. */
export function checkSampledMetric({ sampling }: SamplingChoice, metric: Metric) {
  const { metric: needed } = samplingOf(sampling)
  if (needed !== undefined && metric !== needed)
    throw invalid('metric', `${needed} beside the sampling ${sampling}`, metric)
}

/** The numbers and names in the form for the addon. */
export const nativeSampling = (options: SamplingChoice) => ({
  sampling: options.sampling,
  pool: poolOf(options),
  seed: options.seed,
  temperature: options.temperature,
  simansA: options.simansA,
  simansB: options.simansB,
  distanceCutoff: options.distanceCutoff,
  distanceLimit: options.distanceLimit,
  stride: options.stride,
  bins: options.bins,
  mmrLambda: options.mmrLambda,
  nearDuplicateScore: options.nearDuplicateScore,
  hubCap: options.hubCap,
})
