import type { SourceInput } from '../data/source'
import { extended, madeUpNumbers, quickest, type Estimate } from '../estimate'
import type { NativeSource } from '../native'
import { checkInteger } from '../options'
import type { Factorization } from './fit'
import { fitBytes, ownBytes } from './memory'
import { models } from './models'

/** The sides of a matrix to be factorized, and how many entries it stores if it is sparse. */
export interface FactorizationShape {
  readonly rows: number
  readonly cols: number
  readonly nonzeros?: number | undefined
}

/** Entries of the larger trial, 16 MiB as float32: more than the caches near a core. */
const trialEntries = 1 << 22

/** Operations of an iteration of the larger trial: some hundredths of a second. */
const trialOperations = 5e8

/** Iterations that are timed. */
const trialIterations = 4

/** Rows of X that are made up, dense or with as many entries in each row as X has on average. */
function madeUp(rows: number, { rows: all, cols, nonzeros }: FactorizationShape): SourceInput {
  if (nonzeros === undefined) return { data: madeUpNumbers(rows * cols), rows, cols }
  const ofRow = Math.max(1, Math.min(cols, Math.round(nonzeros / all)))
  const indices = new Int32Array(rows * ofRow)
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < ofRow; j++)
      indices[i * ofRow + j] = Math.floor(((j + ((i * 0.618) % 1)) * cols) / ofRow)
  const indptr = Float64Array.from({ length: rows + 1 }, (_, i) => i * ofRow)
  return { indptr, indices, values: madeUpNumbers(rows * ofRow), rows, cols }
}

/** What a plan of memory reads of a matrix: its sides, and the number of its entries. */
function plannedSource({ rows, cols, nonzeros }: FactorizationShape): NativeSource {
  const data = new Float32Array(0)
  if (nonzeros === undefined) return { name: 'X', rows, cols, stride: cols, type: 'float32', data }
  const lengthOnly = { length: nonzeros } as Float32Array
  return { name: 'X', rows, cols, indptr: undefined, values: lengthOnly } as never
}

/** Rows of the two trials: the smaller shows what of an iteration does not depend on the rows. */
function trialRows({ rows, cols, nonzeros }: FactorizationShape, rank: number): [number, number] {
  const ofRow = nonzeros === undefined ? cols : Math.max(1, nonzeros / rows)
  // The products of the rows with the components, and the slower steps of the codes.
  const operations = 4 * ofRow * rank + 24 * rank * rank
  const most = Math.ceil(Math.min(trialEntries / ofRow, trialOperations / operations))
  const large = Math.min(rows, Math.max(4 * rank, most))
  return [Math.min(large, Math.max(rank, Math.ceil(large / 4))), large]
}

/**
 * Estimates a factorization before it starts. Its function is tried on some thousand made-up rows, at most 16
 * MiB, with the same options: the time of an iteration on the real rows follows from two numbers of rows. This
 * takes a second or two of compute time; `seconds` of an idle machine does not hold for a busy one.
 *
 * @param factorize A function that factorizes by iterations: `nmf`, `semiNmf`, `snmf`, ...
 * @param shape Of X, [rows × cols]; `nonzeros` if it is sparse.
 * @param options Of `factorize`, without arrays that belong to the rows of X (a mask, weights, factors, a graph)
 *   and without files.
 * @returns `bytes` of the whole run; `operations` (4 · entries · rank) and `seconds` of an iteration.
 * @throws {TypeError | RangeError} if the shape or an option is wrong.
 *
 * @example
 * const { bytes, seconds } = await estimateFactorization(nmf, { rows: 200_000, cols: 768 }, { rank: 16 })
 */
export async function estimateFactorization<Options extends { readonly rank: number }>(
  factorize: (X: SourceInput, options: Options) => Promise<Factorization>,
  shape: FactorizationShape,
  options: Options,
): Promise<Estimate> {
  const { rows, cols, nonzeros } = shape
  checkInteger('shape.rows', rows, 1)
  checkInteger('shape.cols', cols, 1)
  if (nonzeros !== undefined) checkInteger('shape.nonzeros', nonzeros, 0, rows * cols)
  checkInteger('rank', options.rank, 1)
  const { rank } = options
  const sizes = trialRows(shape, rank)
  const short = { ...options, iterations: 1, tolerance: 0 }
  const settled = await factorize(madeUp(sizes[0], shape), short)
  const { inits } = models[settled.model] as { readonly inits: readonly string[] }
  const cheap = inits.includes('random') ? { init: 'random' } : {}
  const secondsOf = async (count: number) => {
    const X = madeUp(count, shape)
    const run = (iterations: number) => async () =>
      (await factorize(X, { ...short, ...cheap, iterations })).seconds
    const [few, more] = [await quickest(run(1)), await quickest(run(1 + trialIterations))]
    return Math.max(0, more - few) / trialIterations
  }
  const times = [await secondsOf(sizes[0]), await secondsOf(sizes[1])] as const
  const source = plannedSource(shape)
  const { init, solver, acceleration } = settled.options as Record<string, string>
  const planned = { rank, init: init!, solver: solver!, acceleration: acceleration! }
  return {
    bytes: fitBytes(source, planned) + ownBytes(settled.model, shape, rank),
    operations: 4 * (nonzeros ?? rows * cols) * rank,
    seconds: extended(rows, sizes, times),
  }
}
