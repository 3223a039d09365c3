import { expect, it } from 'vitest'
import { ceilingRules } from '../../lib/mining/ceiling-rules'
import { survivors } from '../reference/survivors'
import { plantedScene } from './mining-scenes'
import { miningSuite, type Trial } from './mining-suite'

const trials: Record<string, Trial> = {
  'no rule but the positives': { numNegatives: 10 },
  'a relative margin': { relativeMargin: 0.05 },
  'an absolute margin and the mean positive': { absoluteMargin: 0.1, reference: 'mean' },
  'a highest score also mines queries without positives': { maxScore: 0.4 },
  'a floor above the ceiling leaves nothing': { maxScore: 0.1, minScore: 0.2 },
  'skipped and limited ranks': { skipRanks: 5, maxRank: 30, maxScore: 0.5, numNegatives: 12 },
  'positives that must rank well': { maxPositiveRank: 3 },
  'groups, exclusions and texts': {
    groups: 'different',
    exclude: true,
    texts: true,
    maxScore: 0.6,
    explain: 9,
  },
  'equal texts alone': { texts: true, numNegatives: 30 },
  'equal texts under ranks': {
    texts: true,
    maxScore: 0.3,
    skipRanks: 9,
    maxRank: 150,
    skipSurvivors: 2,
    explain: 60,
  },
  'equal texts between floor and ceiling': { texts: true, maxScore: 0.4, minScore: 0, explain: 3 },
  'equal texts in the same group': { texts: true, groups: 'same', exclude: true, explain: 400 },
  'the same group under ranks': { groups: 'same', skipRanks: 2, skipSurvivors: 1, explain: 40 },
  'everything at once': {
    exclude: true,
    texts: true,
    groups: 'different',
    maxScore: 0.6,
    absoluteMargin: 0.05,
    minScore: -0.1,
    skipRanks: 3,
    maxRank: 200,
    maxPositiveRank: 100,
    skipSurvivors: 2,
    reference: 'max',
    numNegatives: 8,
    explain: 400,
  },
  'listed candidates': { candidates: true, maxScore: 0.4, skipRanks: 1, numNegatives: 8 },
  'listed candidates under every rule': {
    candidates: true,
    exclude: true,
    texts: true,
    groups: 'different',
    maxScore: 0.6,
    absoluteMargin: 0.05,
    minScore: -0.1,
    skipRanks: 2,
    maxRank: 30,
    maxPositiveRank: 25,
    skipSurvivors: 1,
    numNegatives: 8,
    explain: 20,
  },
  'a band': { sampling: 'band', minScore: -0.1, maxScore: 0.2, numNegatives: 6, seed: 5 },
  'a band of equal texts, groups and ranks': {
    sampling: 'band',
    seed: 2 ** 40 + 1,
    exclude: true,
    texts: true,
    groups: 'different',
    minScore: -0.3,
    maxScore: 0.5,
    skipRanks: 20,
    skipSurvivors: 3,
    numNegatives: 9,
    explain: 40,
  },
  'a band without floor and ceiling': { sampling: 'band', texts: true, numNegatives: 40 },
  'a band under a highest rank': {
    sampling: 'band',
    texts: true,
    maxScore: 0.4,
    maxRank: 90,
    explain: 100,
  },
  'a band of listed candidates': {
    sampling: 'band',
    candidates: true,
    texts: true,
    maxScore: 0.5,
    skipSurvivors: 1,
    numNegatives: 7,
  },
  'a random draw': { sampling: 'random', pool: 30, seed: 3, maxScore: 0.5 },
  'the best and a random draw': { sampling: 'top1-random', texts: true, seed: 4 },
  'weights of scores': { sampling: 'weighted', temperature: 0.2, pool: 60, seed: 5 },
  'weights of scores near the positive': {
    sampling: 'simans',
    simansA: 20,
    simansB: -0.1,
    pool: 60,
    maxScore: 0.6,
    reference: 'mean',
  },
  'a stride': { sampling: 'stride', stride: 3, numNegatives: 5, skipRanks: 4 },
  'a stride that passes the end of the pool': { sampling: 'stride', pool: 12, numNegatives: 5 },
  quantiles: { sampling: 'quantiles', pool: 33, numNegatives: 7, texts: true },
  'bins of scores': { sampling: 'bins', pool: 50, bins: 4, numNegatives: 9, seed: 2 ** 33 },
  'marginal relevance': { sampling: 'mmr', mmrLambda: 0.3, pool: 40, numNegatives: 6 },
  'no near-duplicates': { nearDuplicateScore: 0.3, numNegatives: 6, maxScore: 0.6, explain: 12 },
  'no near-duplicates in a band': {
    sampling: 'band',
    nearDuplicateScore: 0.2,
    minScore: -0.2,
    maxScore: 0.4,
    numNegatives: 5,
  },
  'marginal relevance without near-duplicates': {
    sampling: 'mmr',
    nearDuplicateScore: 0.3,
    pool: 30,
    numNegatives: 8,
    explain: 50,
  },
  'a hub cap': { hubCap: 1, numNegatives: 8, maxScore: 0.5, explain: 30 },
  'a hub cap on draws': { hubCap: 2, sampling: 'random', pool: 15, numNegatives: 8, explain: 30 },
  'a hub cap on listed candidates without near-duplicates': {
    hubCap: 1,
    candidates: true,
    nearDuplicateScore: 0.25,
    texts: true,
    numNegatives: 7,
    explain: 20,
  },
  'a hub cap on a band': { hubCap: 1, sampling: 'band', maxScore: 0.3, numNegatives: 8, seed: 8 },
  'dot products': { metric: 'dot', relativeMargin: 0.1, explain: 5 },
  'squared distances': { metric: 'l2', relativeMargin: 0.1, numNegatives: 6, explain: 5 },
}

it.each(Object.keys(ceilingRules))('a trial asks for %s', (name) => {
  expect(Object.values(trials).filter((trial) => name in trial)).not.toEqual([])
})

it('the oracle refuses a rule that it does not know', () => {
  const question = {
    scores: new Float64Array(1),
    self: undefined,
    positives: [],
    excluded: [],
    candidates: undefined,
    forbidden: () => false,
    copied: () => false,
    text: () => undefined,
  }
  expect(() => survivors(question, { newMargin: 0.1 } as never)).toThrow('no rule newMargin')
})

miningSuite(plantedScene('a planted scene', 20, 400, 24, 1), trials)
miningSuite(plantedScene('one dimension, many ties', 10, 200, 1, 9), trials)
