import type { Matrix, MatrixInput } from '../data/matrix'
import { inTurns, type Slice } from '../data/slices'
import { sidesOf, type SourceInput } from '../data/source'
import { resultArray } from '../data/typed-array'
import { invalid, invalidText } from '../errors'
import { productOf } from '../factorization/product'
import { planMemory } from '../memory'
import {
  checkInteger,
  checkOneOf,
  frozen,
  jobDefaults,
  withDefaults,
  type JobOptions,
  type Overrides,
} from '../options'
import { checkedModel, type CodedActivations } from './coded-activations'
import { checkAttached, denseMatrix, transposedMatrix } from './dense'
import { fidelityOf, type Fidelity } from './fidelity'
import { flattened, type Activations } from './tensor'

/** A linear head on activations: logits = X · weightsᵀ + bias. */
export interface LinearHead {
  /** [classes × d], in memory, as the weight of a `Linear` of PyTorch. */
  readonly weights: MatrixInput
  /** [classes]; zeros if omitted. */
  readonly bias?: ArrayLike<number> | undefined
}

/** How positions become samples before the head. */
export const poolings = ['none', 'mean'] as const
export type Pooling = (typeof poolings)[number]

/** The only place where the defaults of {@link linearImportance} are written. */
export const linearImportanceDefaults = frozen({
  /**
   * What a sample of the head is: `none`, every row; `mean`, the mean over all dimensions between the first and
   * the last, as global average pooling of [n × h × w × c]; `none` unless given.
   */
  pooling: 'none' as Pooling,
})

export type LinearImportanceOptions = Overrides<typeof linearImportanceDefaults> & JobOptions

/** What components contribute to the logits of a linear head. */
export interface LinearImportance {
  /** Number of samples, s: rows, or images if they are pooled. */
  readonly samples: number
  /** Number of classes, c. */
  readonly classes: number
  /** Number of components, K. */
  readonly components: number
  /** What a code of 1 adds to a logit, [K × c]: the product of the component and the weights of the class. */
  readonly effects: Float64Array
  /** Codes of the samples, [s × K], pooled if asked. */
  readonly codes: Float64Array
  /** The bias of each class, [c]. */
  readonly bias: Float64Array
  /** Logits of the activations, [s × c]. */
  readonly logits: Float64Array
  /** Logits of the approximation codes · components: the bias and all contributions, [s × c]. */
  readonly approximate: Float64Array
  /** What the components leave, [s × c]: `logits − approximate`. */
  readonly residual: Float64Array
  /** Mean contribution of each component to each class over the samples, [K × c]. */
  readonly importance: Float64Array
  /** How well the approximation predicts what the activations predict. */
  readonly fidelity: Fidelity
  /**
   * The contribution of each component to one logit, [K]: code · effect. Bias, contributions and residual sum
   * to the logit.
   *
   * @throws {RangeError} if the sample or the class does not exist.
   */
  contributionsOf(sample: number, ofClass: number): Float64Array
}

/** Means of runs of consecutive rows, in float64; a run of one row is a copy. */
async function pooled(name: string, { data, rows, cols }: Matrix, run: number) {
  const samples = rows / run
  const means = resultArray(Float64Array, samples * cols)
  const { length } = data
  await inTurns(function* (slice) {
    for (let i = 0; i < rows; i++) {
      const to = Math.floor(i / run) * cols
      for (let j = 0; j < cols; j++) means[to + j]! += data[i * cols + j]! / run
      checkAttached(name, data, length)
      if (slice.spend(cols)) yield
    }
  })
  return means
}

/** H weightsᵀ, in float64, [K × classes]. */
function* effectsOf(H: Matrix, weights: Matrix, slice: Slice): Generator<void, Float64Array> {
  const effects = resultArray(Float64Array, H.rows * weights.rows)
  for (let k = 0, at = 0; k < H.rows; k++)
    for (let c = 0; c < weights.rows; c++, at++) {
      let sum = 0
      for (let j = 0; j < H.cols; j++)
        sum += H.data[k * H.cols + j]! * weights.data[c * H.cols + j]!
      effects[at] = sum
      if (slice.spend(H.cols)) yield
    }
  return effects
}

type Parts = Pick<LinearImportance, 'samples' | 'classes' | 'components' | 'effects' | 'codes'> & {
  readonly bias: Float64Array
  readonly logits: Float64Array
}

/** The sums of contributions, and their means. */
function* summed(parts: Parts, slice: Slice) {
  const { samples, classes, components, effects, codes, bias, logits } = parts
  const approximate = resultArray(Float64Array, samples * classes)
  const residual = resultArray(Float64Array, samples * classes)
  const importance = resultArray(Float64Array, components * classes)
  for (let i = 0; i < samples; i++) {
    const to = approximate.subarray(i * classes, (i + 1) * classes)
    to.set(bias)
    for (let k = 0, at = 0; k < components; k++) {
      const code = codes[i * components + k]!
      for (let c = 0; c < classes; c++, at++) {
        const contribution = code * effects[at]!
        to[c]! += contribution
        importance[at]! += contribution / samples
      }
    }
    for (let c = 0, at = i * classes; c < classes; c++, at++) residual[at] = logits[at]! - to[c]!
    if (slice.spend(2 * components * classes)) yield
  }
  return { approximate, residual, importance }
}

function checkedBias(bias: ArrayLike<number> | undefined, classes: number): Float64Array {
  if (bias === undefined) return resultArray(Float64Array, classes)
  if (bias?.length !== classes)
    throw invalidText('head.bias', `${classes} numbers, one for each class`, `${bias?.length}`)
  const checked = Float64Array.from(bias)
  const wrong = checked.findIndex((value) => !Number.isFinite(value))
  if (wrong >= 0) throw invalid(`head.bias[${wrong}]`, 'a finite number', bias[wrong])
  return checked
}

/** The number of rows that make a sample. */
function runOf(leading: readonly number[], pooling: Pooling): number {
  if (pooling === 'none') return 1
  return leading.slice(1).reduce((all, side) => all * side, 1)
}

/**
 * What each component contributes to the logits of a linear head: for a sample x ≈ Σ sₖ hₖ and a class of
 * weights w, the logit is bias + Σ sₖ (hₖ · w) + (x − Σ sₖ hₖ) · w, to the rounding of float64. The terms are
 * local explanations; their means over samples are the global one.
 *
 * @param model Codes and components of the activations, such as a fitted `Reducer`; with other activations
 *   `{ codes: await reducer.transform(X), components: reducer.components }`.
 * @param X The activations, [… × d], with the leading dimensions of the codes. Lent, not copied.
 * @throws {TypeError | RangeError} if shapes differ, an entry is not finite, or an option is wrong or unknown.
 * @see Zhang, Madumal, Miller, Ehinger & Rubinstein (2021), "Invertible Concept-based Explanations for CNN
 *   Models with Non-negative Concept Activation Vectors", AAAI
 *
 * @example
 * const { importance, fidelity } = await linearImportance(reducer, X, { weights, bias }, { pooling: 'mean' })
 */
export async function linearImportance(
  model: CodedActivations,
  X: Activations,
  head: LinearHead,
  given?: LinearImportanceOptions,
): Promise<LinearImportance> {
  const { pooling, ...job } = withDefaults({ ...linearImportanceDefaults, ...jobDefaults }, given)
  checkOneOf('pooling', pooling, poolings)
  const { codes: coded, leading: codedLeading, H } = await checkedModel(model)
  const { matrix, leading } = flattened('X', X)
  checkSameLeading(leading, codedLeading)
  const weights = await denseMatrix('head.weights', head?.weights)
  checkFeatures({ components: H, 'head.weights': weights }, sidesOf('X', matrix).cols)
  const run = runOf(leading, pooling)
  const [samples, classes, components] = [coded.rows / run, weights.rows, H.rows]
  planMemory(`Logits of ${samples} samples`, 8 * samples * (components + 3 * classes))
  const bias = checkedBias(head.bias, classes)
  const logits = await logitsOf(matrix, weights, { run, bias, job })
  const codes = await pooled('codes', coded, run)
  const effects = await inTurns((slice) => effectsOf(H, weights, slice))
  const parts = { samples, classes, components, effects, codes, bias, logits }
  const sums = await inTurns((slice) => summed(parts, slice))
  const fidelity = await fidelityOf(logits, sums.approximate, classes)
  return {
    ...parts,
    ...sums,
    fidelity,
    contributionsOf(sample, ofClass) {
      checkInteger('sample', sample, 0, samples - 1)
      checkInteger('ofClass', ofClass, 0, classes - 1)
      const own = codes.subarray(sample * components, (sample + 1) * components)
      return own.map((code, k) => code * effects[k * classes + ofClass]!)
    },
  }
}

function checkSameLeading(X: readonly number[], codes: readonly number[]) {
  if (X.join() === codes.join()) return
  const shown = (sides: readonly number[]) => `[${sides.join(' × ')}]`
  throw invalidText(
    'codes',
    `the leading dimensions ${shown(X)}, those of X`,
    shown(codes),
    RangeError,
  )
}

function checkFeatures(matrices: Readonly<Record<string, Matrix>>, features: number) {
  for (const [name, { cols }] of Object.entries(matrices))
    if (cols !== features) throw invalid(`${name}.cols`, `${features} columns, as in X`, cols)
}

/** The logits of samples: since the head is linear, those of rows are computed first and then pooled. */
async function logitsOf(
  X: SourceInput,
  weights: Matrix,
  { run, bias, job }: { run: number; bias: Float64Array; job: JobOptions },
): Promise<Float64Array> {
  const columns = { name: 'head.weightsᵀ', matrix: await transposedMatrix(weights) }
  const wanted = `${weights.cols} columns, as in the weights`
  const products = await productOf({ name: 'X', matrix: X }, columns, { ...job, wanted })
  const logits = await pooled('logits', products, run)
  await inTurns(function* (slice) {
    for (let at = 0; at < logits.length; at++) {
      logits[at]! += bias[at % bias.length]!
      if (slice.spend(1)) yield
    }
  })
  return logits
}
