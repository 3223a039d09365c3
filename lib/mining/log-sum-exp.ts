import { loanOf } from '../data/loan'
import { resultArray } from '../data/typed-array'
import type { MatrixInput } from '../data/matrix'
import { toQueries } from '../data/source'
import { runJob } from '../native'
import {
  checkJob,
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
import type { Metric } from './metric'
import { holderOf, keeping, scanned, type CorpusInput } from './prepare-corpus'
import { chosenRows, lentChoices, toRowChoices, type RowChoiceInput } from './row-choice'
import { ofZeroVectors } from './search-warnings'

/** The only place where the defaults of {@link logSumExp} are written. */
export const logSumExpDefaults = frozen({
  /** The metric; `cosine`, or the metric of a prepared bank, unless given. */
  metric: undefined as Metric | undefined,
  /** Bank rows that are not summed: a set for all queries, or a set or list for each; none unless given. */
  exclude: undefined as RowChoiceInput | undefined,
  /** The only bank rows that are summed, in the same forms; all rows unless given. */
  allow: undefined as RowChoiceInput | undefined,
})

export type LogSumExpOptions = {
  /** Divisor of the scores, to be given; in 1e-100..1e100. */
  temperature: number
} & Overrides<typeof logSumExpDefaults> &
  JobOptions &
  MemoryOptions

export interface LogSums {
  /** Number of queries. */
  readonly queries: number
  /** Metric of the scores. */
  readonly metric: Metric
  /**
   * log Σ exp(score / temperature) over the bank's rows that count, for each query, [queries]; −∞ if none does.
   */
  readonly values: Float64Array
  /** Bound of each value's distance from the value for canonical scores in exact arithmetic, [queries]. */
  readonly errorBounds: Float64Array
  /** Queries that are zero vectors and have the cosine 0 with every row; 0 for the other metrics. */
  readonly zeroQueries: number
  /** The same for the bank's rows. */
  readonly zeroRows: number
  /** Time inside the scan, in seconds. */
  readonly seconds: number
  /** Complete sentences about zero vectors. */
  readonly warnings: readonly string[]
}

/** For temperatures in this range score / temperature stays in the range of float64. */
const [lowest, highest] = [1e-100, 1e100]

/**
 * The logarithm of Σ exp(score / temperature) over all rows of a bank, for each query: the denominator of a
 * softmax or an InfoNCE loss over more negatives than fit in a score matrix; none is made. Scores are float32
 * products and the sums are float64 in a fixed order: the same bits for any number of threads, and a proven
 * error bound. Nothing overflows, however small the temperature.
 *
 * @param queries [nq × d], dense or a file; no rows give no values. Borrowed until the promise settles.
 * @param bank [nc × d], dense, a file, or prepared by `prepareCorpus`.
 * @throws {TypeError | RangeError} if shapes disagree, `temperature` is not in 1e-100..1e100, or an entry
 *   is not finite.
 * @throws {GemmineError} `ERR_GEMMINE_DISPOSED` for a bank that was disposed of, or a file that was closed.
 * @see van den Oord, Li & Vinyals (2018), "Representation Learning with Contrastive Predictive Coding",
 *   arXiv 1807.03748
 *
 * @example
 * const { values } = await logSumExp(queries, bank, { temperature: 0.05 })
 * const lossOfQuery7 = values[7] - positiveScore / 0.05 // with the positive's row in the bank
 */
export function logSumExp(
  queries: MatrixInput,
  bank: CorpusInput,
  given: LogSumExpOptions,
): Promise<LogSums> {
  return keeping(bank, () => logSums(queries, bank, given))
}

async function logSums(
  queries: MatrixInput,
  bank: CorpusInput,
  given: LogSumExpOptions,
): Promise<LogSums> {
  const {
    temperature,
    metric: asked,
    exclude,
    allow,
    ...rest
  } = withDefaults(
    { temperature: required, ...logSumExpDefaults, ...jobDefaults, ...memoryDefaults },
    given,
  )
  const { device, ...job } = checkJob(rest, holderOf(bank))
  const source = toQueries(queries)
  const { rows, liveRows, metric, matrix, handle } = scanned(bank, asked, source, 'bank')
  checkNumber('temperature', temperature, lowest, highest)
  const values = resultArray(Float64Array, source.rows)
  const errorBounds = resultArray(Float64Array, source.rows)
  const both = toRowChoices({ exclude, allow }, source.rows, rows)
  const choices = both instanceof Promise ? await both : both
  const loan = loanOf({ queries: source, bank: matrix, ...lentChoices(choices) })
  const { inputs: lent, arrays } = loan instanceof Promise ? await loan : loan
  const options = { device, metric, temperature, ...chosenRows(choices, lent) }
  const summed =
    source.rows === 0
      ? { zeroQueries: 0, zeroRows: 0, seconds: 0 }
      : await runJob(job, arrays, (addon, control) =>
          addon.logSumExp(
            lent.queries,
            handle ?? lent.bank!,
            options,
            values,
            errorBounds,
            control,
          ),
        )
  const warnings = ofZeroVectors(
    { queries: source.rows, corpus: liveRows, ...summed },
    {
      ofQuery: ', so its value is the logarithm of the number of rows',
      ofRow: ', so each adds exp(0) = 1 to every sum',
      row: 'bank row',
    },
  )
  return { queries: source.rows, metric, values, errorBounds, ...summed, warnings }
}
