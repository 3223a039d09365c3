// Mining compared with the slow oracle: which rows pass which rules, and the counters.
import { describe, expect, it } from 'vitest'
import type { Matrix } from '../../lib/data/matrix'
import { ruleNames } from '../../lib/data/mined-lines'
import type { Metric } from '../../lib/mining/metric'
import { mineHardNegatives } from '../../lib/mining/mine-hard-negatives'
import type { MinedNegatives } from '../../lib/mining/mined-negatives'
import { type MineHardNegativesOptions } from '../../lib/mining/mining-options'
import { samplingDefaults } from '../../lib/mining/samplings'
import { scoresOf } from '../reference/scores'
import { preferred, shared, type Choice } from '../reference/selection'
import { survivors, type Answer, type Rules } from '../reference/survivors'

export interface Scene {
  readonly name: string
  readonly queries: Matrix
  readonly corpus: Matrix
  readonly positives: readonly (readonly number[])[]
  readonly excluded: readonly (readonly number[])[]
  readonly listed: readonly (readonly number[])[]
  readonly queryGroups: Int32Array
  readonly corpusGroups: Int32Array
  readonly queryTexts: readonly string[]
  readonly corpusTexts: readonly string[]
}

/** Rules of one trial, and which of the scene's lists take part. */
export interface Trial extends Rules, Partial<Omit<Choice, 'sampling'>> {
  readonly metric?: Metric
  readonly exclude?: boolean
  readonly candidates?: boolean
  readonly candidateMode?: 'only' | 'beside'
  readonly texts?: boolean
  readonly groups?: 'different' | 'same'
  readonly nearPositiveScore?: number
  readonly explain?: number
  readonly sampling?: MineHardNegativesOptions['sampling']
}

function forbids(scene: Scene, mode: Trial['groups'], query: number, row: number): boolean {
  const [own, other] = [scene.queryGroups[query]!, scene.corpusGroups[row]!]
  if (mode === undefined || own === -1 || other === -1) return false
  return mode === 'different' ? own === other : own !== other
}

/** Whether a row has the text of the query, of one of its positives, or of one of a query of its text. */
function copies(
  { positives, queryTexts, corpusTexts }: Scene,
  query: number,
  row: number,
): boolean {
  const [own, text] = [queryTexts[query]!, corpusTexts[row]!]
  const answers = positives.filter(
    (_, other) => other === query || (own && queryTexts[other] === own),
  )
  const known = [own, ...answers.flat().map((each) => corpusTexts[each])]
  return text !== '' && known.includes(text)
}

/** The rules of a trial alone. */
function rulesOf({
  metric: _metric,
  exclude: _exclude,
  candidates: _candidates,
  candidateMode: _candidateMode,
  texts: _texts,
  groups: _groups,
  nearPositiveScore: _nearPositiveScore,
  explain: _explain,
  ...others
}: Trial): Rules {
  const choice = new Set(['numNegatives', ...Object.keys(samplingDefaults)])
  return Object.fromEntries(Object.entries(others).filter(([name]) => !choice.has(name)))
}

const choiceOf = (trial: Trial, dimensions: number): Choice => {
  const { numNegatives = 4, sampling = 'top' } = trial
  const pool = trial.pool ?? defaultPoolOf(trial)
  return { ...samplingDefaults, ...trial, numNegatives, sampling, pool, dimensions }
}

const defaultPoolOf = ({ sampling, numNegatives = 4, stride = samplingDefaults.stride }: Trial) =>
  Math.max(10, 2 * numNegatives, sampling === 'stride' ? stride * numNegatives : 0)

/** The queries of the lists of negatives, each with the positive whose list it is. */
export const listsOf = ({ positives }: Scene, { reference }: Trial) =>
  positives.flatMap((rows, query): { query: number; positive?: number }[] =>
    reference === 'each' && rows.length > 0
      ? rows.map((positive) => ({ query, positive }))
      : [{ query }],
  )

function answersOf(scene: Scene, trial: Trial): Answer[] {
  const { metric = 'cosine', exclude, texts, groups, nearPositiveScore } = trial
  const isOnly = trial.candidates && trial.candidateMode !== 'beside'
  return listsOf(scene, trial).map(({ query, positive }) => {
    const positives = scene.positives[query]!
    const likeness = positives.map((row) => scoresOf(metric, scene.corpus, scene.corpus, row))
    return survivors(
      {
        scores: scoresOf(metric, scene.queries, scene.corpus, query),
        self: undefined,
        positives,
        positive,
        near: (row) => likeness.some((scores) => scores[row]! >= (nearPositiveScore ?? Infinity)),
        excluded: exclude ? scene.excluded[query]! : [],
        candidates: isOnly ? scene.listed[query] : undefined,
        forbidden: (row) => forbids(scene, groups, query, row),
        copied: (row) => texts === true && copies(scene, query, row),
        text: (row) => (texts ? scene.corpusTexts[row] : undefined),
      },
      rulesOf(trial),
    )
  })
}

/** The answers with negatives in the place of survivors, and what the choice skipped among the rejected. */
function chosenOf(scene: Scene, trial: Trial): Answer[] {
  const choice = choiceOf(trial, scene.corpus.cols)
  const metric = trial.metric ?? 'cosine'
  const answers = answersOf(scene, trial)
  const lists = listsOf(scene, trial)
  const scores = lists.map(({ query }) => scoresOf(metric, scene.queries, scene.corpus, query))
  const likeness = new Map<number, Float64Array>()
  const similarity = (a: number, b: number) => {
    if (!likeness.has(a)) likeness.set(a, scoresOf(metric, scene.corpus, scene.corpus, a))
    return likeness.get(a)![b]!
  }
  const preferences = answers.map(({ rows, ranks, reference }, list) =>
    preferred(
      choice,
      lists[list]!.query,
      reference,
      rows.map((row, i) => ({ row, rank: ranks[i]!, score: scores[list]![row]! })),
      similarity,
      trial.candidateMode === 'beside' ? scene.listed[lists[list]!.query] : [],
    ),
  )
  const holds = shared(preferences, choice.numNegatives, choice.hubCap)
  return answers.map((answer, list) => {
    const asked = preferences[list]!.rows.slice(0, holds[list]!.length)
    const taken = asked.filter((_, i) => holds[list]![i]).sort((a, b) => a.rank - b.rank)
    const isFull = taken.length === choice.numNegatives
    const near = preferences[list]!.near.filter(({ after }) => !isFull || after < asked.length)
    const hubs = asked.filter((_, i) => !holds[list]![i])
    const of = scores[list]!
    const rejected = [
      ...answer.rejected,
      ...near.map(({ row }) => ({ row, rule: 'nearDuplicate' as const })),
      ...hubs.map(({ row }) => ({ row, rule: 'hub' as const })),
    ].sort((a, b) => of[b.row]! - of[a.row]! || a.row - b.row)
    return {
      ...answer,
      rows: taken.map(({ row }) => row),
      ranks: taken.map(({ rank }) => rank),
      rejected,
    }
  })
}

/** The options of a trial, with the lists of a scene. */
export const optionsOf = (
  scene: Scene,
  { exclude, candidates, texts, groups, relativeMargin, ...rules }: Trial,
): MineHardNegativesOptions => ({
  ...rules,
  relativeMargin: relativeMargin ?? null,
  ...(exclude && { exclude: scene.excluded }),
  ...(candidates && { candidates: scene.listed }),
  ...(texts && { queryTexts: scene.queryTexts, corpusTexts: scene.corpusTexts }),
  ...(groups && { groups, queryGroups: scene.queryGroups, corpusGroups: scene.corpusGroups }),
})

const counted = (answers: readonly Answer[]) =>
  Object.fromEntries(
    ruleNames.map((name) => [
      name,
      answers.flatMap(({ rejected }) => rejected).filter(({ rule }) => rule === name).length,
    ]),
  )

export function miningSuite(scene: Scene, trials: Record<string, Trial>) {
  describe(`mining, ${scene.name}`, () => {
    for (const [name, trial] of Object.entries(trials))
      it(name, async () => {
        const k = trial.numNegatives ?? 4
        const answers = chosenOf(scene, trial)
        const mined = await mineHardNegatives(
          scene.queries,
          scene.corpus,
          scene.positives,
          optionsOf(scene, trial),
        )
        const lists = listsOf(scene, trial)
        expect(mined.lists).toBe(lists.length)
        answers.forEach(({ rows, ranks }, list) => {
          const { query, positive } = lists[list]!
          const name = `query ${query}, positive ${positive}`
          expect([...mined.negativesOf(query, positive)], `rows of ${name}`).toEqual(rows)
          const place = list * k
          expect(
            [...mined.ranks.subarray(place, place + mined.counts[list]!)],
            `ranks of ${name}`,
          ).toEqual(ranks)
        })
        expect(mined.dropped).toEqual(counted(answers))
        expect(mined.inconsistent).toBe(answers.filter(({ inconsistent }) => inconsistent).length)
        expect(mined.certified + mined.fallback).toBe(lists.length)
        if (trial.explain) expectExplained(mined.rejected, answers, lists, trial.explain)
      })
  })
}

function expectExplained(
  rejected: MinedNegatives['rejected'],
  answers: readonly Answer[],
  lists: ReturnType<typeof listsOf>,
  explain: number,
) {
  const mined = answers.flatMap((answer, list) =>
    answer.mined ? [{ ...lists[list]!, ...answer }] : [],
  )
  expect([...rejected.queries]).toEqual(mined.map(({ query }) => query))
  expect([...rejected.positives]).toEqual(mined.map(({ positive = -1 }) => positive))
  mined.forEach((answer, place) => {
    const part = [rejected.indptr[place]!, rejected.indptr[place + 1]!] as const
    const got = Array.from(rejected.rows.subarray(...part), (row, i) => ({
      row,
      rule: ruleNames[rejected.rules[part[0] + i]!],
    }))
    expect(got, `rejected rows of query ${answer.query}`).toEqual(answer.rejected.slice(0, explain))
  })
}
