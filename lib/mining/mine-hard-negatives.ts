import { loanOf } from '../data/loan'
import type { MatrixInput } from '../data/matrix'
import { ruleNames } from '../data/mined-lines'
import type { RowListsInput } from '../data/row-lists'
import { toQueries } from '../data/source'
import { resultArray } from '../data/typed-array'
import { handOut } from '../lending'
import { planMemory } from '../memory'
import { nothingAsked, runJob, type Addon, type JobControl, type NativeMined } from '../native'
import { checkJob } from '../options'
import { ceilingsOf } from './ceiling-rules'
import { MinedNegatives } from './mined-negatives'
import { nativeOptions, settleMining, type MineHardNegativesOptions } from './mining-options'
import { miningWarnings } from './mining-warnings'
import { scanned, type CorpusInput } from './prepare-corpus'
import { fingerprintOf, plainOptions, type MinedShard, type shardRange } from './query-shard'

/** Arrays of the sizes that the addon fills. */
const minedArrays = (queries: number, numNegatives: number, pairs: number, all: number) => ({
  indices: resultArray(Int32Array, queries * numNegatives),
  scores: resultArray(Float32Array, queries * numNegatives),
  counts: resultArray(Int32Array, queries),
  ranks: resultArray(Int32Array, queries * numNegatives),
  positiveStarts: resultArray(Int32Array, all + 1),
  positiveRows: resultArray(Int32Array, pairs),
  positiveScores: resultArray(Float64Array, pairs),
})

type MinedArrays = ReturnType<typeof minedArrays>

/** The positives of the mined queries as they were used, and their scores. */
function positivesOf(
  { positiveStarts, positiveRows, positiveScores }: MinedArrays,
  { firstQuery, queryCount }: ReturnType<typeof shardRange>,
) {
  const starts = positiveStarts.subarray(firstQuery, firstQuery + queryCount + 1)
  const [begin, end] = [starts[0]!, starts.at(-1)!]
  if (starts.length === positiveStarts.length)
    return {
      positives: { indptr: positiveStarts, indices: positiveRows.subarray(0, end) },
      positiveScores: positiveScores.subarray(0, end),
    }
  return {
    positives: {
      indptr: handOut(starts.map((start) => start - begin)),
      indices: handOut(positiveRows.slice(begin, end)),
    },
    positiveScores: handOut(positiveScores.slice(begin, end)),
  }
}

const nothingMined: NativeMined = {
  ...nothingAsked,
  dropped: new Float64Array(ruleNames.length),
  queriesWithoutPositives: 0,
  inconsistent: 0,
  candidatePairs: 0,
  rejected: {
    queries: new Int32Array(0),
    indptr: new Int32Array(1),
    rows: new Int32Array(0),
    scores: new Float64Array(0),
    rules: new Uint8Array(0),
  },
}

/**
 * Mines, for each query, the hardest corpus rows that are not likely to be unlabelled positives.
 *
 * A candidate is dropped when, in this order: it is the query itself, a positive, excluded, barred by its
 * group, equal in text to the query, a positive (of any query with its text) or a better candidate, above
 * the ceiling, below the floor, or outside the ranks asked for. The ceiling is the lowest of `maxScore`, p − absoluteMargin and
 * p − relativeMargin · |p|, with p the reference score of the positives, and is applied inside the exact
 * scan: the best admissible rows come back however deep they lie. A query without positives is mined
 * only under `maxScore`.
 *
 * @param queries [nq × d], dense or a file; no rows give an answer without rows. Lent until the promise
 *   settles: see {@link DenseMatrix}.
 * @param corpus [nc × d], dense, a file, or prepared by {@link prepareCorpus}.
 * @param positives Corpus rows that belong to each query: a list of lists, an Int32Array of one row a
 *   query (−1 for none), or {@link RowLists}.
 * @returns Arrays padded with −1 and NaN, exact counters for each rule, and lazy lists.
 * @throws {TypeError | RangeError} naming the argument, row and value that is wrong.
 * @see "NV-Retriever: Improving text embedding models with effective hard-negative mining" (2024), section 3
 *
 * @example
 * const mined = await mineHardNegatives(queries, corpus, [[3], [0, 7]], { numNegatives: 8 })
 * for (const { query, positive, negative } of mined.triplets()) console.log(query, positive, negative)
 */
export async function mineHardNegatives(
  queries: MatrixInput,
  corpus: CorpusInput,
  positives: RowListsInput,
  given: MineHardNegativesOptions = {},
): Promise<MinedNegatives> {
  const settled = settleMining(given)
  const { device, ...job } = checkJob(settled)
  const source = toQueries(queries)
  const target = scanned(corpus, settled.metric, source)
  const ceilings = ceilingsOf(settled, target.metric)
  const options = await nativeOptions(settled, positives, source.rows, target, ceilings, device)
  const { firstQuery, queryCount, numNegatives } = options
  const pairs = options.positives.indices.length
  planMemory(
    `${numNegatives} negatives for each of ${queryCount} queries`,
    queryCount * (12 * numNegatives + 50 * options.explain) + 12 * pairs,
  )
  const out = minedArrays(queryCount, numNegatives, pairs, source.rows)
  const { excludeSelf, positives: listed, exclude, candidates } = options
  const { queryGroups, corpusGroups } = options
  const lists = { excludeSelf, positives: listed, exclude, candidates, queryGroups, corpusGroups }
  const { inputs, arrays } = await loanOf({ queries: source, corpus: target.matrix, ...lists })
  const { queries: asked, corpus: matrix, ...lent } = inputs
  const run = <Result>(start: (addon: Addon, control: JobControl) => Promise<Result>) =>
    runJob(job, arrays, start)
  const shard = settled.shard && {
    ...settled.shard,
    queries: source.rows,
    options: plainOptions(settled, ceilings),
    fingerprint: await fingerprintOf({
      matrices: [asked, matrix],
      options: { ...options, ...lent },
      run,
    }),
  }
  const { dropped, ...mined } =
    queryCount === 0
      ? nothingMined
      : await run((addon, control) =>
          addon.mine(asked, target.handle ?? matrix!, { ...options, ...lent }, out, control),
        )
  for (const array of Object.values(mined.rejected)) handOut(array as ArrayBufferView)
  const found = {
    queries: queryCount,
    firstQuery,
    shard: shard as MinedShard | undefined,
    corpus: target.rows,
    dimensions: source.cols,
    numNegatives,
    metric: target.metric,
    ...positivesOf(out, options),
    ceilings,
    dropped: Object.fromEntries(
      ruleNames.map((name, i) => [name, dropped[i]!]),
    ) as MinedNegatives['dropped'],
    indices: out.indices,
    scores: out.scores,
    counts: out.counts,
    ranks: out.ranks,
    ...mined,
  }
  return new MinedNegatives({ ...found, warnings: miningWarnings(found, settled, String) })
}
