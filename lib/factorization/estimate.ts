import type { SourceInput } from '../data/source'
import { invalid, invalidText, isMistake, shown } from '../errors'
import {
  checkedObject,
  extended,
  madeUpNumbers,
  noSuchOption,
  quickest,
  shapeOf,
  trialEntries,
  type Estimate,
} from '../estimate'
import type { NativeSource } from '../native'
import { checkInteger, checkNumber } from '../options'
import { checkpointDefaults } from './checkpoint'
import { deepSemiNmf } from './deep-semi-nmf'
import { Factorization } from './fit'
import { hasOwnNormals } from './fit-options'
import { hierarchicalSemiNmf } from './hierarchical-semi-nmf'
import { kmeans } from './kmeans'
import { isBinary } from './losses'
import { fitBytes, ownBytes } from './memory'
import { rowOf } from './models'
import { separableNmf } from './separable-nmf'
import { truncatedSvd } from './truncated-svd'

/** The sides of a matrix to be factorized, and how many entries it stores if it is sparse. */
export interface FactorizationShape {
  readonly rows: number
  readonly cols: number
  readonly nonzeros?: number | undefined
}

/** Operations of an iteration of the larger trial: some hundredths of a second. */
const trialOperations = 5e8

/** Iterations that are timed. */
const trialIterations = 4

/** Components of a trial at most, and where each row has a normal matrix of its own. */
const trialRanks = { shared: 128, own: 32 }

/** The sides of a made-up X, and the entries that each row stores if it is sparse. */
interface Trial {
  readonly rows: number
  readonly cols: number
  readonly ofRow?: number | undefined
  readonly rank: number
}

/** A made-up X in the domain of a loss. */
function madeUp({ rows, cols, ofRow }: Trial, loss: unknown): SourceInput {
  const numbers = (count: number) =>
    isBinary(loss) ? madeUpNumbers(count).map(Math.round) : madeUpNumbers(count)
  if (ofRow === undefined) return { data: numbers(rows * cols), rows, cols }
  const indices = new Int32Array(rows * ofRow)
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < ofRow; j++)
      indices[i * ofRow + j] = Math.floor(((j + ((i * 0.618) % 1)) * cols) / ofRow)
  const indptr = Float64Array.from({ length: rows + 1 }, (_, i) => i * ofRow)
  return { indptr, indices, values: numbers(rows * ofRow), rows, cols }
}

/** Entries of a row of a sparse X that has fewer columns. */
const entriesOfRow = ({ rows, cols, nonzeros }: FactorizationShape, kept: number) =>
  nonzeros === undefined
    ? undefined
    : Math.max(1, Math.min(kept, Math.round((nonzeros / rows) * Math.min(1, (2 * kept) / cols))))

/** What a plan of memory reads of a matrix: its sides, and the number of its entries. */
function plannedSource({ rows, cols, nonzeros }: FactorizationShape): NativeSource {
  const data = new Float32Array(0)
  if (nonzeros === undefined) return { name: 'X', rows, cols, stride: cols, type: 'float32', data }
  const lengthOnly = { length: nonzeros } as Float32Array
  return { name: 'X', rows, cols, indptr: undefined, values: lengthOnly } as never
}

/** A side of a trial: at most `most`, and on the same side of the rank as the real one. */
const cutSide = (side: number, most: number, rank: number, cutRank: number) =>
  side < rank
    ? Math.min(side, Math.max(1, Math.min(most, cutRank - 1)))
    : Math.min(side, Math.max(most, cutRank))

/** The smallest X for which the function has the same defaults as for the real one. */
function settlingTrial(shape: FactorizationShape, rank: number): Trial {
  // One more than the rank up to which some solvers are the default.
  const cutRank = Math.min(rank, 65)
  const side = (of: number) => cutSide(of, cutRank, rank, cutRank)
  const cols = side(shape.cols)
  return { rows: side(shape.rows), cols, ofRow: entriesOfRow(shape, cols), rank: cutRank }
}

/**
 * Operations of a row: the products with the components, the slower steps of the codes, and its own normal
 * matrix.
 */
const operationsOfRow = (entries: number, rank: number, isOwn: boolean) =>
  4 * entries * rank + 24 * rank * rank + (isOwn ? entries * rank * rank : 0)

/** The larger trial, and how many times its work the real columns and components have. */
function largeTrial(shape: FactorizationShape, rank: number, isOwn: boolean) {
  const cutRank = Math.min(rank, isOwn ? trialRanks.own : trialRanks.shared)
  const least = 4 * cutRank
  const density = (shape.nonzeros ?? shape.rows * shape.cols) / (shape.rows * shape.cols)
  const ofCodes = operationsOfRow(0, cutRank, isOwn)
  const ofEntry = operationsOfRow(1, cutRank, isOwn) - ofCodes
  const affordable = (trialOperations / least - ofCodes) / ofEntry
  const entries = Math.min(trialEntries / least, affordable) / (density || 1)
  const widest = Math.floor(Math.min(Math.max(entries, 1), trialEntries / (4 * cutRank + 32)))
  const cols = cutSide(shape.cols, shape.cols <= widest ? shape.cols : widest, rank, cutRank)
  const ofRow = entriesOfRow(shape, cols)
  const kept = ofRow ?? cols
  const operations = operationsOfRow(kept, cutRank, isOwn)
  const most = Math.ceil(
    Math.min(trialEntries / (kept + 2 * cutRank), trialOperations / operations),
  )
  const rows = cutSide(shape.rows, Math.max(least, most), rank, cutRank)
  const ofColumns = (shape.cols * rank ** 2) / (cols * cutRank ** 2)
  const ofRows = operationsOfRow(shape.cols * density, rank, isOwn) / operations
  const isCut = cols < shape.cols || cutRank < rank
  const times = isCut ? { each: ofRows, fixed: ofColumns } : { each: 1, fixed: 1 }
  return { trial: { rows, cols, ofRow, rank: cutRank }, times }
}

/** Options of files, arrays and listeners, that an estimate has no use for. */
const refused = [...Object.keys(checkpointDefaults), 'out', 'memoryBudget', 'onProgress']

/** Refuses what trials cannot have; what else is wrong the function itself refuses. */
function checkOptions(options: object) {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || name === 'signal') continue
    const isName = typeof value !== 'object' && typeof value !== 'function'
    if (name === 'init' && !isName)
      throw invalid(name, 'the name of a start (estimates take no factors)', value)
    if (!isName || refused.includes(name)) throw noSuchOption(name, value)
  }
  const { rank, iterations, tolerance } = options as Record<string, unknown>
  checkInteger('rank', rank, 1)
  if (iterations !== undefined) checkInteger('iterations', iterations, 0)
  if (tolerance !== undefined) checkNumber('tolerance', tolerance, 0)
}

function checkedShape(shape: FactorizationShape): FactorizationShape {
  const { rows, cols, nonzeros } = shapeOf(shape, ['rows', 'cols', 'nonzeros'])
  checkInteger('shape.rows', rows, 1)
  checkInteger('shape.cols', cols, 1)
  if (nonzeros !== undefined) checkInteger('shape.nonzeros', nonzeros, 0, rows * cols)
  return { rows, cols, nonzeros }
}

const notByIterations = (factorize: unknown) =>
  invalidText(
    'factorize',
    'a function that factorizes by iterations (nmf, semiNmf, snmf, ...)',
    typeof factorize === 'function' ? factorize.name || 'another function' : shown(factorize),
  )

/** Names the real X where a trial was refused. */
function inRealWords(error: unknown, { rows, cols }: FactorizationShape, options: object): unknown {
  if (!isMistake(error)) return error
  const { rank, loss } = options as Record<string, unknown>
  if (error.row !== undefined)
    return invalidText('loss', 'a loss that takes the zeros of a sparse X', String(loss))
  if (error.argument !== 'rank') return error
  const bounds = /\d+\.\.\d+/
  const most =
    /row/.test(error.expected) && !/col/.test(error.expected) ? rows : Math.min(rows, cols)
  return invalid('rank', error.expected.replace(bounds, `1..${most}`), rank)
}

type Trying = (X: SourceInput, options: never) => Promise<unknown>

/** The defaults that the function has for the real X, from a run on a tiny one. */
async function settledFor(factorize: Trying, shape: FactorizationShape, options: { rank: number }) {
  const trial = settlingTrial(shape, options.rank)
  const short = { ...options, rank: trial.rank, iterations: 1, tolerance: 0 }
  const loss = (options as { readonly loss?: unknown }).loss
  try {
    const settled = await factorize(madeUp(trial, loss), short as never)
    if (settled instanceof Factorization && rowOf(settled.model).solvers[0] !== 'spa')
      return settled
  } catch (error) {
    throw inRealWords(error, shape, options)
  }
  throw notByIterations(factorize)
}

/** Seconds of an iteration of a trial: the difference of runs that have more and fewer. */
async function secondsOf(factorize: Trying, trial: Trial, options: object): Promise<number> {
  const X = madeUp(trial, (options as { readonly loss?: unknown }).loss)
  const run = (iterations: number) => async () => {
    const given = { ...options, rank: trial.rank, iterations, tolerance: 0 }
    return ((await factorize(X, given as never)) as Factorization).seconds
  }
  const [few, more] = [await quickest(run(1)), await quickest(run(1 + trialIterations))]
  return Math.max(0, more - few) / trialIterations
}

const otherFunctions = new Set<unknown>([
  kmeans,
  separableNmf,
  truncatedSvd,
  deepSemiNmf,
  hierarchicalSemiNmf,
])

/** Rows of the smaller trial, which shows what of an iteration does not depend on the rows. */
const smallerRows = (large: number, least: number) =>
  Math.min(large, Math.max(least, Math.ceil(large / 4)))

/**
 * Estimates a factorization before it starts. Its function is tried on some thousand made-up rows, at most 16
 * MiB, with the same options: the time of an iteration on the real rows follows from two numbers of rows. A wide X
 * or a large rank is cut too, and the time grows with the operations. This takes a second or two of compute time;
 * `seconds` of an idle machine does not hold for a busy one.
 *
 * @param factorize A function that factorizes by iterations: `nmf`, `semiNmf`, `snmf`, ...
 * @param shape Of X, [rows × cols]; `nonzeros` if it is sparse.
 * @param options Of `factorize`, except arrays (a mask, weights, factors, a graph, `out`), files, `memoryBudget` and
 *   `onProgress`.
 * @returns `bytes` of the whole run; `operations` (4 · entries · rank) and `seconds` of an iteration.
 * @throws {TypeError | RangeError} if the function, the shape or an option is wrong.
 *
 * @example
 * const { bytes, seconds } = await estimateFactorization(nmf, { rows: 200_000, cols: 768 }, { rank: 16 })
 */
export async function estimateFactorization<Options extends { readonly rank: number }>(
  factorize: (X: SourceInput, options: Options) => Promise<Factorization>,
  shape: FactorizationShape,
  options: Options,
): Promise<Estimate> {
  if (typeof factorize !== 'function' || otherFunctions.has(factorize))
    throw notByIterations(factorize)
  const { rows, cols, nonzeros } = checkedShape(shape)
  checkedObject('options', options, 'rank and other options')
  checkOptions(options)
  const { rank } = options
  const settled = await settledFor(factorize, { rows, cols, nonzeros }, options)
  const { solver, init, acceleration, ...others } = settled.options as Record<string, string>
  const { inits, solvers } = rowOf(settled.model)
  const isOwn = hasOwnNormals({ ...others, solver } as never)
  const { trial, times } = largeTrial({ rows, cols, nonzeros }, rank, isOwn)
  const tried = {
    ...options,
    ...(inits.includes('random') && { init: 'random' }),
    ...(solvers.length > 1 && { solver }),
  }
  const small = { ...trial, rows: smallerRows(trial.rows, rows < rank ? 1 : trial.rank) }
  const seconds = [
    await secondsOf(factorize, small, tried),
    await secondsOf(factorize, trial, tried),
  ] as const
  const source = plannedSource({ rows, cols, nonzeros })
  const names = { init: init!, solver: solver!, acceleration: acceleration! }
  const planned = { rank, ...names, hasOwnNormals: isOwn }
  return {
    bytes: Math.ceil(fitBytes(source, planned) + ownBytes(settled.model, { rows, cols }, rank)),
    operations: 4 * (nonzeros ?? rows * cols) * rank,
    seconds: extended(rows, [small.rows, trial.rows], seconds, times),
  }
}
