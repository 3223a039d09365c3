// Scenes, rules and cuts with which the ways to mine a corpus in shards are compared with one call.
import type { Matrix } from '../../lib/data/matrix'
import {
  mineHardNegatives,
  type MinedNegatives,
  type MineHardNegativesOptions,
} from '../../lib/index'
import { plantedScene } from '../conformance/mining-scenes'
import { optionsOf, type Scene, type Trial } from '../conformance/mining-suite'
import { gaussian, uniform } from '../matrices'

/** Small integers on a few columns, so that most scores are shared by rows all over the corpus. */
export function tiedScene(seed: number, nq: number, nc: number): Scene {
  const rounded = ({ data, ...sides }: Matrix) => ({
    ...sides,
    data: data.map((value) => Math.round(value)),
  })
  const d = 3
  const queries = rounded(gaussian(nq, d, seed))
  return {
    ...plantedScene('ties', nq, nc, d, seed),
    queries,
    corpus: rounded(gaussian(nc, d, seed + 1)),
  }
}

/** Texts of which some are empty and many are equal, on both sides. */
export function someTexts(queries: number, corpus: number, next: () => number, kinds: number) {
  const text = () => {
    const kind = Math.floor(next() * kinds)
    return kind === 0 ? '' : `text ${kind}`
  }
  return {
    queryTexts: Array.from({ length: queries }, text),
    corpusTexts: Array.from({ length: corpus }, text),
  }
}

/** Ascending bounds of `count` ranges of the rows, some of which are empty. */
export function cuts(rows: number, count: number, seed: number): number[] {
  const next = uniform(seed)
  const inner = Array.from({ length: count - 1 }, () => Math.floor(next() * (rows + 1)))
  if (count > 3) inner[1] = inner[0]!
  return [0, ...inner.sort((a, b) => a - b), rows]
}

export const rowsOf = ({ data, cols }: Matrix, begin: number, end: number) => ({
  data: data.slice(begin * cols, end * cols),
  rows: end - begin,
  cols,
})

/** Everything that must not depend on the cut. */
export const answerOf = ({ seconds, certified, fallback, ...answer }: MinedNegatives) => ({
  ...answer,
  settled: certified + fallback,
})

export const whole = ({ queries, corpus, positives }: Scene, options: MineHardNegativesOptions) =>
  mineHardNegatives(queries, corpus, positives, options)

type More = Pick<MineHardNegativesOptions, 'skipSurvivors' | 'sampling' | 'pool' | 'seed'>

export const trials: Record<string, Trial & More> = {
  'no ceiling': {},
  'ceilings of every kind': {
    maxScore: 0.7,
    absoluteMargin: 0.05,
    relativeMargin: 0.1,
    reference: 'mean',
    explain: 6,
  },
  'a list for each positive': { reference: 'each', relativeMargin: 0.1, explain: 4 },
  'a list for each positive, of equal texts': {
    reference: 'each',
    texts: true,
    groups: 'different',
    absoluteMargin: 0.1,
    sampling: 'random',
    pool: 20,
    maxPositiveRank: 60,
    explain: 7,
  },
  'a list for each positive of a band': { reference: 'each', sampling: 'band', maxScore: 0.4 },
  'the lowest positive': { relativeMargin: 0.05, numNegatives: 9 },
  'the highest positive, and a floor': { absoluteMargin: 0.1, reference: 'max', minScore: 0.1 },
  'a floor above the ceiling': { minScore: 0.9, maxScore: 0.1, explain: 3 },
  'skipped ranks and survivors': { maxScore: 0.6, skipRanks: 9, skipSurvivors: 3, explain: 12 },
  'a window of ranks': { maxScore: 0.8, skipRanks: 3, maxRank: 25, numNegatives: 40 },
  'a window that is explained': { maxScore: 0.8, skipRanks: 3, maxRank: 12, explain: 20 },
  'positives that must rank well': { maxPositiveRank: 4, relativeMargin: 0.05, explain: 2 },
  'groups and exclusions': { groups: 'different', exclude: true, maxScore: 0.6, explain: 9 },
  'the same group': { groups: 'same', exclude: true, maxPositiveRank: 9, relativeMargin: 0 },
  'lists of candidates': { candidates: true, exclude: true, maxScore: 0.6, explain: 4 },
  'equal texts': { texts: true, maxScore: 0.7, explain: 5 },
  'equal texts in a window of ranks': { texts: true, maxScore: 0.5, maxRank: 9, groups: 'same' },
  'random draws': { sampling: 'random', pool: 30, seed: 4, texts: true, skipSurvivors: 2 },
  'the best and random draws': { sampling: 'top1-random', pool: 12, seed: 9, maxScore: 0.5 },
  'a band': { sampling: 'band', seed: 7, texts: true, minScore: -0.2, maxScore: 0.4, explain: 4 },
  'a band after skipped ranks': { sampling: 'band', seed: 8, maxScore: 0.9, skipRanks: 5 },
  'a band of lists': { sampling: 'band', candidates: true, texts: true, maxScore: 0.9 },
  'more negatives than rows': { numNegatives: 500, maxScore: 0.5 },
}

/** Random rules over a scene of 6 queries and 60 rows. */
export function randomRules(
  scene: Scene,
  seed: number,
  next: () => number,
): MineHardNegativesOptions {
  const one = <T>(...choices: T[]) => choices[Math.floor(next() * choices.length)]!
  return {
    ...optionsOf(scene, {
      exclude: one(true, false),
      candidates: one(true, false, false),
      groups: one(undefined, 'different', 'same'),
      relativeMargin: one(undefined, 0, 0.3),
    }),
    metric: one('cosine', 'dot', 'l2'),
    numNegatives: one(1, 3, 20),
    maxScore: one(undefined, 0, 0.5, 2),
    absoluteMargin: one(undefined, 0, 1),
    minScore: one(undefined, undefined, 0, -2),
    reference: one('min', 'max', 'mean', 'each'),
    skipRanks: one(0, 0, 2, 30),
    maxRank: one(undefined, 1, 8, 90),
    maxPositiveRank: one(undefined, 1, 5),
    skipSurvivors: one(0, 0, 1, 10),
    explain: one(0, 1, 7, 80),
    excludeSelf: one<boolean | Int32Array>(false, Int32Array.of(5, 59, -1, 0, 31, 5)),
    sampling: one('top', 'top', 'random', 'top1-random', 'band', 'band'),
    seed,
    ...one<Partial<ReturnType<typeof someTexts>>>(
      {},
      someTexts(6, 60, next, 4),
      someTexts(6, 60, next, 30),
    ),
  }
}
