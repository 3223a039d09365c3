// The consensus of the components of many factorizations.
import { resultMatrix, type Matrix } from '../data/matrix'
import { inTurns } from '../data/slices'
import { extentOf, type SourceInput } from '../data/source'
import { resultArray } from '../data/typed-array'
import { invalid, invalidText } from '../errors'
import type { Factorization } from '../factorization/fit'
import { kmeans } from '../factorization/kmeans'
import { restartsOfRank } from '../factorization/rank-survey'
import {
  checkSelectRank,
  selectRankDefaults,
  type SelectRankOptions,
} from '../factorization/select-rank'
import { fitFrom, type volumeDefaults } from '../factorization/surveyed-models'
import { topK } from '../mining/top-k'
import {
  checkInteger,
  checkNumber,
  frozen,
  jobDefaults,
  memoryDefaults,
  required,
  withDefaults,
  type JobOptions,
  type MemoryOptions,
  type Overrides,
} from '../options'

/** What does not concern the restarts of one rank, and what other models have. */
const { model: _, criterion, threshold, holdOut, ...ofModels } = selectRankDefaults
const { volume, volumeOffset, rowSums, ...ofRestarts } = ofModels

const ownDefaults = frozen({
  /**
   * Components whose mean distance to their nearest neighbours is larger are left out; components have length 1,
   * so that distances are at most √2. 0.5 unless given; Infinity keeps all.
   */
  densityThreshold: 0.5,
  /** Nearest neighbours of a component, as a share of `restarts`; 0.3 unless given, at least 1 neighbour. */
  neighbourhood: 0.3,
})

/** The only place where the defaults of {@link consensusNmf} are written; `selectRank` has those of the restarts. */
export const consensusNmfDefaults: Omit<
  typeof selectRankDefaults,
  'model' | 'criterion' | 'threshold' | 'holdOut' | keyof typeof volumeDefaults
> &
  typeof ownDefaults = frozen({ ...ofRestarts, ...ownDefaults })

export type ConsensusNmfOptions = {
  /** Components of each factorization and of the consensus, to be given; in 1..min(n, d). */
  rank: number
} & Overrides<typeof consensusNmfDefaults> &
  JobOptions &
  MemoryOptions

/** The consensus, and how each component of the restarts stands to it. */
export interface ConsensusNmf {
  /** X with the medians as H, all times one power of two: `W` are the codes, and new rows can be coded. */
  readonly model: Factorization
  /**
   * The mean distance of each component to its nearest neighbours, [restarts · rank], those of one restart after
   * the other; Infinity for components of zeros.
   */
  readonly densities: Float64Array
  /** The component of the consensus that each one belongs to, [restarts · rank]; −1 if it was left out. */
  readonly labels: Int32Array
  /** Number of components that were kept. */
  readonly kept: number
  /**
   * [rank] The mean silhouette of the members of each cluster, by the cosine distance; −1 to 1. 0 for a cluster
   * of one member.
   */
  readonly silhouettes: Float64Array
  /** Complete sentences about the clusters and about the model. */
  readonly warnings: readonly string[]
  /** Time inside the solver, in seconds. */
  readonly seconds: number
}

/** The rows with length 1; rows of zeros stay. */
async function unitRows({ data, rows, cols }: Matrix): Promise<Matrix & { zero: Uint8Array }> {
  const unit = resultMatrix(rows, cols)
  const zero = new Uint8Array(rows)
  await inTurns(function* (slice) {
    for (let i = 0; i < rows; i++) {
      const row = data.subarray(i * cols, (i + 1) * cols)
      // Entries near 1e±38 have squares beyond float64's range only after a sum: the largest is taken out first.
      const largest = row.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
      if (largest === 0) zero[i] = 1
      const length = Math.sqrt(row.reduce((sum, value) => sum + (value / largest) ** 2, 0))
      for (let t = 0; largest > 0 && t < cols; t++)
        unit.data[i * cols + t] = row[t]! / largest / length
      if (slice.spend(3 * cols)) yield
    }
  })
  return { ...unit, zero }
}

const selected = ({ data, cols }: Matrix, rows: readonly number[]): Matrix => {
  const to = resultMatrix(rows.length, cols)
  rows.forEach((row, i) => to.data.set(data.subarray(row * cols, (row + 1) * cols), i * cols))
  return to
}

/** The mean distance to the nearest neighbours of each row of length 1. */
async function densitiesOf(
  unit: Matrix & { zero: Uint8Array },
  neighbours: number,
  job: JobOptions & MemoryOptions,
) {
  const densities = resultArray(Float64Array, unit.rows).fill(Infinity)
  const rows = Array.from(unit.zero.keys()).filter((row) => unit.zero[row] === 0)
  if (rows.length === 0) return { densities, seconds: 0 }
  const own = selected(unit, rows)
  const k = Math.min(neighbours, Math.max(1, rows.length - 1))
  const found = await topK(own, own, { ...job, k, metric: 'l2', excludeSelf: true })
  rows.forEach((row, i) => {
    const scores = found.scores.subarray(i * k, (i + 1) * k).filter((score) => !Number.isNaN(score))
    const sum = scores.reduce((total, score) => total + Math.sqrt(-score), 0)
    densities[row] = scores.length === 0 ? 0 : sum / scores.length
  })
  return { densities, seconds: found.seconds }
}

const medianOf = (values: Float32Array) => {
  const sorted = values.sort()
  const [below, above] = [sorted[(sorted.length - 1) >> 1]!, sorted[sorted.length >> 1]!]
  return (below + above) / 2
}

/** The median of each entry over the members of each cluster, and the silhouettes of the clusters. */
async function clustered(members: Matrix, labels: Int32Array, rank: number) {
  const { data, cols } = members
  const H = resultMatrix(rank, cols)
  const sums = new Float64Array(rank * cols)
  const ofCluster = Array.from({ length: rank }, (): number[] => [])
  labels.forEach((label, row) => ofCluster[label]!.push(row))
  await inTurns(function* (slice) {
    for (const [c, rows] of ofCluster.entries())
      for (let t = 0; t < cols; t++) {
        const values = Float32Array.from(rows, (row) => data[row * cols + t]!)
        sums[c * cols + t] = values.reduce((sum, value) => sum + value, 0)
        H.data[c * cols + t] = rows.length === 0 ? 0 : medianOf(values)
        if (slice.spend(16 * rows.length)) yield
      }
  })
  const silhouettes = resultArray(Float64Array, rank)
  await inTurns(function* (slice) {
    for (const [c, rows] of ofCluster.entries()) {
      for (const row of rows.length > 1 ? rows : []) {
        const cosine = (e: number) => {
          let product = 0
          for (let t = 0; t < cols; t++) product += data[row * cols + t]! * sums[e * cols + t]!
          return product
        }
        const inside = Math.max(0, 1 - (cosine(c) - 1) / (rows.length - 1))
        let outside = rank === 1 ? 1 : 2
        for (const [e, others] of ofCluster.entries())
          if (e !== c && others.length > 0)
            outside = Math.min(outside, 1 - cosine(e) / others.length)
        const larger = Math.max(inside, outside)
        // Distances below this are the rounding of float32.
        if (larger > 1e-13) silhouettes[c]! += (outside - inside) / larger / rows.length
        if (slice.spend(2 * rank * cols)) yield
      }
    }
  })
  return { H, silhouettes, sizes: ofCluster.map(({ length }) => length) }
}

/** The rows that are dense enough for a consensus. */
function denseRows(densities: Float64Array, threshold: number, rank: number): number[] {
  const kept = Array.from(densities.keys()).filter(
    (row) => densities[row]! <= threshold && densities[row]! < Infinity,
  )
  if (kept.length >= rank) return kept
  const needed = densities.slice().sort()[rank - 1]!
  if (needed === Infinity)
    throw invalidText('X', `a matrix in which restarts find ${rank} components`, 'one of fewer')
  throw invalid(
    'densityThreshold',
    `at least ${needed.toPrecision(3)}, which leaves ${rank} of the components,`,
    threshold,
  )
}

function warningsOf(sizes: readonly number[]) {
  const empty = sizes.filter((size) => size === 0).length
  if (empty === 0) return []
  return [
    `${empty} of ${sizes.length} clusters have no members: fewer components differ, so a smaller rank would do.`,
  ]
}

/**
 * Factorizes X into the consensus of the components of many factorizations: those that come back in others are
 * kept, clustered by k-means, and the medians of the clusters become H.
 *
 * @param X [n × d], one sample per row, at least 0: dense, a file, or sparse. Lent, not copied, and not
 *   transferable afterwards: see {@link DenseMatrix}. Do not write to it before the promise settles.
 * @param options Those of {@link selectRank} for its restarts, of the model `nmf`. With `resume`, the restarts of
 *   a stored survey are taken, which had the same X and options; only a `rank` that it lacks is computed.
 * @returns A model with the medians as H, which all have the same length, and the codes of X for them as W; the density and
 *   the cluster of each component of the restarts.
 * @throws {TypeError | RangeError} if X is no matrix of finite numbers at least 0, `rank` is not in 1..min(n, d),
 *   the density threshold leaves fewer components than `rank`, or an option is wrong or unknown.
 * @throws {GemmineError} `ERR_GEMMINE_DEVICE_UNAVAILABLE`, `ERR_GEMMINE_OUT_OF_MEMORY`, `ERR_GEMMINE_FILE`,
 *   `ERR_GEMMINE_DISPOSED` for a file that was closed.
 * @see Kotliar, Veres, Nagy, Tabrizi, Hodis, Melton & Sabeti (2019), "Identifying gene expression programs of
 *   cell-type identity and cellular activity with single-cell RNA-Seq", eLife 8
 *
 * @example
 * const { model, densities } = await consensusNmf(X, { rank: 8, restarts: 30, perturbation: 0 })
 */
export async function consensusNmf(
  X: SourceInput,
  options: ConsensusNmfOptions,
): Promise<ConsensusNmf> {
  const { rank, densityThreshold, neighbourhood, ...asked } = withDefaults(
    { rank: required, ...consensusNmfDefaults, ...jobDefaults, ...memoryDefaults },
    options,
  )
  if (densityThreshold !== Infinity) checkNumber('densityThreshold', densityThreshold, 0)
  checkNumber('neighbourhood', neighbourhood, 0, 1)
  checkInteger('rank', rank, 1)
  const { solver } = options
  const ofSurvey = { ...asked, solver, model: 'nmf', ranks: [rank] } as SelectRankOptions
  const settled = checkSelectRank(extentOf('X', X), ofSurvey)
  const { components, ...found } = await restartsOfRank(X, settled)
  if (!components)
    throw invalid('resume', 'a survey of this version, which keeps all components', asked.resume)
  const { threads, device, priority, signal, memoryBudget } = settled.job
  const job = { threads, device, priority, signal, memoryBudget }
  const unit = await unitRows(components)
  const neighbours = Math.max(1, Math.floor(neighbourhood * settled.restarts))
  const { densities, seconds: ofScan } = await densitiesOf(unit, neighbours, job)
  const rows = denseRows(densities, densityThreshold, rank)
  const members = selected(unit, rows)
  const { seed } = settled.fitting
  const clusters = await kmeans(members, { ...job, clusters: rank, restarts: 10, seed })
  const { H, silhouettes, sizes } = await clustered(members, clusters.labels, rank)
  const labels = resultArray(Int32Array, components.rows).fill(-1)
  rows.forEach((row, i) => (labels[row] = clusters.labels[i]!))
  const fit = await fitFrom(X, await unitRows(H), settled, 0)
  return {
    model: fit,
    densities,
    labels,
    kept: rows.length,
    silhouettes,
    warnings: [...warningsOf(sizes), ...fit.warnings],
    seconds: found.seconds + ofScan + clusters.seconds + fit.seconds,
  }
}
