import { nmf, type Factorization, type Matrix, type SparseMatrix } from '../lib/index'
import { handOver, handOverSparse } from './data'
import { experiment, type Experiment } from './experiment'
import { cpuSeconds, geometricMean, median } from './interleave'
import { nonnegativeCases } from './matrices'
import { Rival } from './rival'
import { isTrial } from './shapes'

const question =
  "Does `nmf` at default options end within 1 % of the lowest loss of scikit-learn's solvers and starts, in no more CPU time of one thread than its defaults, over matrices of many kinds?"

/** Solvers and starts of scikit-learn, beside its defaults (`cd` from `nndsvda`). */
const others = [
  ['cd', 'nndsvd'],
  ['cd', 'random'],
  ['mu', 'nndsvda'],
  ['mu', 'nndsvdar'],
  ['mu', 'random'],
] as const

/** A loss relative to the lowest of the rival counts as equal below this. */
const tolerated = 1.01
/** Relative losses below it are rounding errors of float32. */
const rounding = 1e-9
/** Rounds in which both sides take turns. */
const turns = isTrial ? 1 : 3
/** Rows of the table that may miss a goal. */
const exceptions = 2

interface Row {
  readonly name: string
  /** Own loss relative to the rival's lowest and to that of its defaults. */
  readonly toBest: number
  readonly toDefault: number
  /** Own CPU time relative to that of the rival's defaults. */
  readonly time: number
  /** The same of as many own iterations as reach the loss of the rival's defaults. */
  readonly timeToDefault: number
}

async function load(rival: Rival, X: Matrix | SparseMatrix, rank: number) {
  if ('indptr' in X) await rival.call('load_sparse', { ...(await handOverSparse(X)), rank })
  else await rival.call('load', { X: await handOver('X', X), rank })
}

/** The loss in float64, by the function that measures the rival's. */
async function lossOf(rival: Rival, { W, H }: Factorization): Promise<number> {
  const paths = { W: await handOver('W', W), H: await handOver('H', H) }
  return (await rival.call('loss_of', paths))['loss'] as number
}

async function lowestOf(rival: Rival, defaults: number): Promise<number> {
  let lowest = defaults
  for (const [solver, init] of others)
    lowest = Math.min(lowest, (await rival.call('run_with', { solver, init }))['loss'] as number)
  return lowest
}

const relative = (own: number, other: number) => Math.max(own, rounding) / Math.max(other, rounding)

/**
 * CPU times of jobs relative to that of the rival's defaults. Turns without pauses: one thread each, in CPU
 * time, leaves nothing behind.
 */
async function timeRatios(jobs: readonly (() => Promise<unknown>)[], rival: Rival) {
  const ratios = jobs.map((): number[] => [])
  for (let round = 0; round < turns; round++) {
    const theirs = await rival.seconds('run_defaults')
    for (const [i, job] of jobs.entries()) ratios[i]!.push((await cpuSeconds(job)) / theirs)
  }
  return ratios.map(median)
}

/** The first iteration whose loss, relative to ‖X‖², is at most `loss`; all of them if none is. */
function iterationsTo(loss: number, { objective }: Factorization, last: number): number {
  const norm = objective.at(-1)! / last
  const first = objective.findIndex((value) => value <= loss * norm)
  return first < 0 ? objective.length - 1 : first
}

async function compare(rival: Rival, name: string, X: Matrix | SparseMatrix, rank: number) {
  await load(rival, X, rank)
  const fit = () => nmf(X, { rank, threads: 1 })
  const fitted = await fit()
  const own = await lossOf(rival, fitted)
  const defaults = (await rival.call('run_defaults'))['loss'] as number
  const iterations = iterationsTo(defaults, fitted, own)
  const shorter = () => nmf(X, { rank, threads: 1, iterations, tolerance: 0 })
  const [time, timeToDefault] = await timeRatios([fit, shorter], rival)
  const lowest = await lowestOf(rival, defaults)
  return {
    name: `${name}, ${X.rows} × ${X.cols}, k = ${rank}`,
    toBest: relative(own, lowest),
    toDefault: relative(own, defaults),
    time: time!,
    timeToDefault: timeToDefault!,
  } satisfies Row
}

const rowText = ({ name, toBest, toDefault, time, timeToDefault }: Row) =>
  `${name}: loss ${toBest.toFixed(4)} of the lowest, ${toDefault.toFixed(4)} of the defaults'; ` +
  `time ${time.toFixed(2)}, to the loss of the defaults ${timeToDefault.toFixed(2)}`

function goal(report: Experiment, job: string, rows: readonly Row[], missed: readonly Row[]) {
  report.note(`${job}: ${rows.length - missed.length} of ${rows.length}`)
  if (missed.length > exceptions)
    report.missed(job, `not in ${missed.map(({ name }) => name).join('; ')}`)
}

experiment(__filename, question, async (report) => {
  const rival = await Rival.start(report, 'sklearn_nmf', {
    OPENBLAS_NUM_THREADS: '1',
    OMP_NUM_THREADS: '1',
  })
  if (rival === undefined) return
  const rows: Row[] = []
  for (const { name, ranks, load: matrix } of isTrial
    ? nonnegativeCases.slice(0, 3)
    : nonnegativeCases) {
    const X = await matrix()
    if (X === undefined) report.notRun(name, 'the data set is absent')
    else
      for (const rank of ranks) {
        rows.push(await compare(rival, name, X, rank))
        report.note(rowText(rows.at(-1)!))
      }
  }
  const mean = (times: readonly number[]) => geometricMean(times).toFixed(2)
  report.note(
    `time relative to the defaults of scikit-learn, geometric means: ${mean(rows.map(({ time }) => time))} of the whole run, ` +
      `${mean(rows.map(({ timeToDefault }) => timeToDefault))} to their loss`,
  )
  const dear = rows.filter(({ toBest }) => toBest > tolerated)
  goal(report, 'loss within 1 % of the lowest', rows, dear)
  goal(
    report,
    'no more time than the defaults',
    rows,
    rows.filter(({ time }) => time > 1),
  )
  goal(
    report,
    'no more time to the loss of the defaults',
    rows,
    rows.filter(({ timeToDefault }) => timeToDefault > 1),
  )
})
