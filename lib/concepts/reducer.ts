import { resultMatrix, type Matrix, type MatrixInput } from '../data/matrix'
import { inSlices } from '../data/slices'
import { isSparse } from '../data/sparse'
import { sidesOf, type SourceInput } from '../data/source'
import { invalidText } from '../errors'
import {
  archetypalAnalysis,
  type ArchetypalAnalysisOptions,
} from '../factorization/archetypal-analysis'
import { convexNmf, type ConvexNmfOptions } from '../factorization/convex-nmf'
import type { Factorization } from '../factorization/fit'
import {
  dictionaryLearning,
  type DictionaryLearningOptions,
} from '../factorization/dictionary-learning'
import { kmeans, type Clustering, type KmeansOptions } from '../factorization/kmeans'
import { minVolumeNmf, type MinVolumeNmfOptions } from '../factorization/min-volume-nmf'
import { nmf, type NmfOptions } from '../factorization/nmf'
import { orthogonalNmf, type OrthogonalNmfOptions } from '../factorization/orthogonal-nmf'
import { productOf } from '../factorization/product'
import { semiNmf, type SemiNmfOptions } from '../factorization/semi-nmf'
import {
  semiOrthogonalNmf,
  type SemiOrthogonalNmfOptions,
} from '../factorization/semi-orthogonal-nmf'
import { separableNmf, type SeparableNmfOptions } from '../factorization/separable-nmf'
import { snmf, type SnmfOptions } from '../factorization/snmf'
import {
  truncatedSvd,
  type TruncatedSvd,
  type TruncatedSvdOptions,
} from '../factorization/truncated-svd'
import { planMemory } from '../memory'
import { scorePositives } from '../mining/score-positives'
import { topK } from '../mining/top-k'
import {
  checkInteger,
  checkOneOf,
  frozen,
  jobDefaults,
  required,
  withDefaults,
  type JobOptions,
} from '../options'
import { transposedMatrix } from './dense'
import {
  flattened,
  flattenedCodes,
  restored,
  type Activations,
  type CodesInput,
  type FloatTensor,
} from './tensor'

/** The options of a function that fits, without those that a reducer has itself. */
type OwnOf<Options> = Omit<Options, 'rank' | 'clusters' | 'out' | keyof JobOptions>

interface FitOptionsOf {
  'semi-nmf': OwnOf<SemiNmfOptions>
  nmf: OwnOf<NmfOptions>
  'semi-orthogonal-nmf': OwnOf<SemiOrthogonalNmfOptions>
  snmf: OwnOf<SnmfOptions>
  'dictionary-learning': OwnOf<DictionaryLearningOptions>
  'orthogonal-nmf': OwnOf<OrthogonalNmfOptions>
  'separable-nmf': OwnOf<SeparableNmfOptions>
  'convex-nmf': OwnOf<ConvexNmfOptions>
  'archetypal-analysis': OwnOf<ArchetypalAnalysisOptions>
  'min-volume-nmf': OwnOf<MinVolumeNmfOptions>
  kmeans: OwnOf<KmeansOptions>
  svd: OwnOf<TruncatedSvdOptions>
}

/** A model that reduces activations to codes. */
export type ReducerName = keyof FitOptionsOf

/** The only place where the defaults of {@link fitReducer} are written. */
export const reducerDefaults = frozen({
  /** The model; `semi-nmf` unless given. */
  model: 'semi-nmf' as ReducerName,
})

export type ReducerOptions<Name extends ReducerName = ReducerName> = {
  /** Number of components, to be given. */
  rank: number
  /**
   * The model; `semi-nmf` unless given. `nmf` needs X ≥ 0; `snmf` gives sparse components; `dictionary-learning`
   * gives sparse codes; `orthogonal-nmf`, which needs X ≥ 0, and `kmeans` give one component to each row; components
   * are rows of X for `separable-nmf`, and means of rows for `convex-nmf` and `archetypal-analysis`; `min-volume-nmf`,
   * which needs X ≥ 0, takes rows as mixtures of parts; `svd` gives codes and components of any sign.
   */
  model?: Name | undefined
  /**
   * Options of the function of the model, such as `sparsity` for `snmf`; its defaults unless given. The penalties
   * `l1W` and `l2H` make codes sparse, without which the components of `semi-nmf` are not determined.
   */
  fit?: FitOptionsOf[Name] | undefined
} & JobOptions

/** Activations as codes of components: the same contract for every model. */
export interface Reducer {
  /** The model that was fitted. */
  readonly model: ReducerName
  /** Number of components. */
  readonly rank: number
  /** Components as rows, [rank × d]. */
  readonly components: Matrix
  /**
   * Codes of the activations of the fit, with their leading dimensions: [n × h × w × rank]. At least 0 for all
   * models but `svd`; for `kmeans` 1 for the component of a row, else 0.
   */
  readonly codes: FloatTensor
  /**
   * How strongly each row shows each component, [… × rank], by which rows are ranked: the codes; for `kmeans`
   * 1 / (1 + distance / root mean square distance) at the component of a row, so that the nearest rows come first
   * (the codes for a sparse X).
   */
  readonly activations: FloatTensor
  /** ‖X − codes · components‖ / ‖X‖; 0 if X is zero. */
  readonly relativeError: number
  /** Sentences on what may surprise, from the fit. */
  readonly warnings: readonly string[]
  /** Time inside the solver, in seconds. */
  readonly seconds: number
  /** The result of the function of the model, with its own fields. */
  readonly fitted: Factorization | Clustering | TruncatedSvd
  /**
   * Codes of other activations with fixed components, [… × rank], with their leading dimensions.
   *
   * @param X [… × d]; see {@link fitReducer}. A sparse one is refused for `kmeans`.
   * @throws {TypeError | RangeError} if X has other features, or is no array of finite numbers.
   */
  transform(X: Activations, options?: JobOptions): Promise<FloatTensor>
  /**
   * Activations from codes: codes · components, [… × d], with their leading dimensions.
   *
   * @param codes [… × rank], of float32.
   * @throws {TypeError | RangeError} if codes have another last dimension, or are no such array.
   */
  inverseTransform(codes: CodesInput, options?: JobOptions): Promise<FloatTensor>
}

/** What a model gives to a reducer. */
interface Fitted {
  readonly components: Matrix
  readonly codes: Matrix
  /** The codes if omitted. */
  readonly activations?: Matrix
  readonly relativeError: number
  readonly warnings: readonly string[]
  readonly seconds: number
  readonly fitted: Factorization | Clustering | TruncatedSvd
  encode(X: SourceInput, options: JobOptions): Promise<Matrix>
}

type Fit = (X: SourceInput, rank: number, own: object, options: JobOptions) => Promise<Fitted>

const ofFactorization =
  (fit: (X: SourceInput, options: never) => Promise<Factorization>): Fit =>
  async (X, rank, own, options) => {
    const fitted = await fit(X, { ...own, ...options, rank } as never)
    const { W, H, relativeError, warnings, seconds } = fitted
    const encode = async (Y: SourceInput, given: JobOptions) => (await fitted.transform(Y, given)).W
    return { components: H, codes: W, relativeError, warnings, seconds, fitted, encode }
  }

/** Labels as rows with a single entry that is not 0: 1, or a value of the row. */
async function oneHot(
  labels: Int32Array,
  clusters: number,
  valueOf = (_row: number) => 1,
): Promise<Matrix> {
  planMemory(`Codes of ${labels.length} rows`, 4 * labels.length * clusters)
  const codes = resultMatrix(labels.length, clusters)
  await inSlices(labels.length, (begin, end) => {
    for (let i = begin; i < end; i++) codes.data[i * clusters + labels[i]!] = valueOf(i)
  })
  return codes
}

async function fitKmeans(
  X: SourceInput,
  rank: number,
  given: object,
  options: JobOptions,
): Promise<Fitted> {
  checkInteger('rank', rank, 1, sidesOf('X', X).rows)
  const fitted = await kmeans(X, { ...given, ...options, clusters: rank })
  const { centers, labels, warnings, seconds } = fitted
  const codes = await oneHot(labels, rank)
  // No iteration: the error of these factors, for which X is read once more.
  const measured = { rank, init: { W: codes, H: centers }, iterations: 0 }
  const { relativeError } = await semiNmf(X, { ...measured, ...options })
  const encode = async (Y: SourceInput, job: JobOptions) => {
    if (isSparse(Y)) throw invalidText('X', 'a dense matrix for the model kmeans', 'a sparse one')
    return oneHot((await topK(Y, centers, { ...job, k: 1, metric: 'l2' })).indices, rank)
  }
  const own = { components: centers, codes, relativeError, warnings, seconds, fitted, encode }
  return isSparse(X) ? own : { ...own, activations: await closeness(X, fitted, options) }
}

/** 1 / (1 + distance / root mean square distance) of each row at its centre, of any scale of X. */
async function closeness(
  X: MatrixInput,
  { labels, centers, inertia }: Clustering,
  job: JobOptions,
): Promise<Matrix> {
  const { rows } = centers
  const pairs = { firstRow: 0, corpusRows: rows, metric: 'l2' } as const
  const { scores } = await scorePositives(X, centers, labels, { ...pairs, ...job })
  const typical = Math.sqrt(inertia / labels.length)
  const valueOf = (row: number) =>
    typical === 0 ? 1 : 1 / (1 + Math.sqrt(-scores[row]!) / typical)
  return oneHot(labels, rows, valueOf)
}

async function fitSvd(
  X: SourceInput,
  rank: number,
  own: object,
  options: JobOptions,
): Promise<Fitted> {
  const fitted = await truncatedSvd(X, { ...own, ...options, rank })
  const { U, s, V, relativeError, warnings, seconds } = fitted
  planMemory(`Codes of ${U.rows} rows`, 4 * U.rows * rank)
  const codes = resultMatrix(U.rows, rank)
  await inSlices(U.rows * rank, (begin, end) => {
    for (let at = begin; at < end; at++) codes.data[at] = U.data[at]! * s[at % rank]!
  })
  const Vt = { name: 'Vᵀ', matrix: await transposedMatrix(V) }
  const wanted = `${V.cols} columns, as in the components`
  const encode = (Y: SourceInput, given: JobOptions) =>
    productOf({ name: 'X', matrix: Y }, Vt, { ...given, wanted })
  return { components: V, codes, relativeError, warnings, seconds, fitted, encode }
}

const fits: Readonly<Record<ReducerName, Fit>> = {
  'semi-nmf': ofFactorization(semiNmf),
  nmf: ofFactorization(nmf),
  'semi-orthogonal-nmf': ofFactorization(semiOrthogonalNmf),
  snmf: ofFactorization(snmf),
  'dictionary-learning': ofFactorization(dictionaryLearning),
  'orthogonal-nmf': ofFactorization(orthogonalNmf),
  'separable-nmf': ofFactorization(separableNmf),
  'convex-nmf': ofFactorization(convexNmf),
  'archetypal-analysis': ofFactorization(archetypalAnalysis),
  'min-volume-nmf': ofFactorization(minVolumeNmf),
  kmeans: fitKmeans,
  svd: fitSvd,
}

/** All models that {@link fitReducer} fits. */
export const reducerNames = Object.keys(fits) as readonly ReducerName[]

/**
 * Fits components to activations of any number of dimensions, by any model: codes have the leading dimensions
 * of the activations, so those of feature maps [n × h × w × c] are heat maps [n × h × w × rank].
 *
 * @param X [n × d], dense, a file, or sparse; or `{ data, shape }` with the features last, such as
 *   [n × h × w × c] or [n × t × d]: every position is then a row. Lent, not copied, and not transferable
 *   afterwards: see {@link DenseMatrix}. Do not write to it before the promise settles.
 * @throws {TypeError | RangeError} if X is no array of finite numbers, negative for `nmf`, or an option is wrong
 *   or unknown.
 * @throws {GemmineError} `ERR_GEMMINE_DEVICE_UNAVAILABLE`, `ERR_GEMMINE_OUT_OF_MEMORY`, `ERR_GEMMINE_FILE`.
 * @see Zhang, Madumal, Miller, Ehinger & Rubinstein (2021), "Invertible Concept-based Explanations for CNN
 *   Models with Non-negative Concept Activation Vectors", AAAI, whose reducers have this contract
 *
 * @example
 * const reducer = await fitReducer({ data, shape: [32, 14, 14, 512] }, { model: 'nmf', rank: 8 })
 * reducer.codes.shape // [32, 14, 14, 8]
 * const approximation = await reducer.inverseTransform(reducer.codes)
 */
export async function fitReducer<Name extends ReducerName = 'semi-nmf'>(
  X: Activations,
  given: ReducerOptions<Name>,
): Promise<Reducer> {
  const { rank, model, fit, ...options } = withDefaults(
    { rank: required, fit: {}, ...reducerDefaults, ...jobDefaults },
    given,
  )
  checkOneOf('model', model, reducerNames)
  checkInteger('rank', rank, 1)
  const { matrix, leading } = flattened('X', X)
  const {
    codes,
    activations = codes,
    components,
    encode,
    ...rest
  } = await fits[model](matrix, rank, fit, options)
  const { cols } = components
  return {
    model,
    rank,
    components,
    codes: restored(codes, leading),
    activations: restored(activations, leading),
    ...rest,
    async transform(Y, job) {
      const asked = withDefaults(jobDefaults, job)
      const rows = flattened('X', Y)
      checkColumns('X', sidesOf('X', rows.matrix).cols, cols, 'features')
      return restored(await encode(rows.matrix, asked), rows.leading)
    },
    async inverseTransform(Y, job) {
      const asked = withDefaults(jobDefaults, job)
      const rows = await flattenedCodes('codes', Y)
      const wanted = `${rank} columns, one for each component`
      const names = [
        { name: 'codes', matrix: rows.matrix },
        { name: 'components', matrix: components },
      ] as const
      return restored(await productOf(...names, { ...asked, wanted }), rows.leading)
    },
  }
}

function checkColumns(name: string, received: number, wanted: number, what: string) {
  if (received === wanted) return
  throw invalidText(name, `${wanted} ${what} in its last dimension`, String(received), RangeError)
}
