/// <reference lib="esnext.disposable" preserve="true" />
import type { MatrixInput } from '../data/matrix'
import { toDenseSource } from '../data/source'
import { GemmineError, invalid } from '../errors'
import { planMemory } from '../memory'
import { native, runJob, type NativeCorpus, type NativeSource } from '../native'
import {
  checkJob,
  checkOneOf,
  frozen,
  jobDefaults,
  withDefaults,
  type JobOptions,
  type Overrides,
} from '../options'
import { metrics, type Metric } from './metric'

/** The only place where the defaults of {@link prepareCorpus} are written. */
export const prepareCorpusDefaults = frozen({
  /** What later questions will ask for; `cosine` unless given. A prepared corpus answers one metric. */
  metric: 'cosine' as Metric,
})

/** Of the numbers that a search begins with. */
const entryBytes = { float32: 4, bfloat16: 2 } as const

export type PrepareCorpusOptions = Overrides<typeof prepareCorpusDefaults> & JobOptions

/** A corpus with everything a scan derives from it, for many questions. Dispose of it when done. */
export class PreparedCorpus implements Disposable {
  #native: NativeCorpus | undefined
  readonly #device: string

  /** Made by {@link prepareCorpus}. */
  constructor(
    readonly rows: number,
    readonly cols: number,
    readonly metric: Metric,
    device: string,
    native: NativeCorpus,
  ) {
    this.#device = device
    this.#native = native
  }

  /** Memory held besides the caller's matrix, in bytes; 0 after `dispose()`. */
  get bytes(): number {
    return this.#native?.bytes ?? 0
  }

  /** The device that holds the corpus. */
  get device(): string {
    return this.#device
  }

  /** Frees the memory; jobs that are running keep it until they end. Doing it twice is no error. */
  dispose(): void {
    this.#native?.dispose()
    this.#native = undefined
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  /** @internal The addon's handle. */
  handle(): NativeCorpus {
    if (this.#native) return this.#native
    throw new GemmineError(
      'ERR_GEMMINE_DISPOSED',
      'This corpus was disposed of; prepare it again to ask it',
    )
  }
}

/**
 * Prepares a corpus once (norms and packed panels) for many `topK` and `mineHardNegatives` calls.
 *
 * @param corpus [n × d], one document per row: dense or a file. Borrowed until `dispose()`.
 * @throws {TypeError | RangeError} if the corpus is no matrix of finite numbers.
 *
 * @example
 * const corpus = await prepareCorpus(embeddings, { metric: 'cosine' })
 * const { indices } = await topK(queries, corpus, { k: 10 })
 * corpus.dispose()
 */
export async function prepareCorpus(
  corpus: MatrixInput,
  given: PrepareCorpusOptions = {},
): Promise<PreparedCorpus> {
  const { metric, ...rest } = withDefaults({ ...prepareCorpusDefaults, ...jobDefaults }, given)
  const { device, ...job } = checkJob(rest)
  checkOneOf('metric', metric, metrics)
  const source = toDenseSource('corpus', corpus)
  const entry = entryBytes[native().info().cpu.scan]
  planMemory(
    `A prepared corpus of ${source.rows} × ${source.cols}`,
    source.rows * (entry * (source.cols + 1) + 24),
  )
  const handle = await runJob(job, (addon, control) =>
    addon.prepareCorpus(source, { device, metric }, control),
  )
  return new PreparedCorpus(source.rows, source.cols, metric, device, handle)
}

/** What a scan is asked about: a corpus prepared before, or a matrix that is prepared as it goes. */
export type CorpusInput = PreparedCorpus | MatrixInput

export interface Scanned {
  readonly rows: number
  readonly metric: Metric
  readonly native: NativeSource | NativeCorpus
}

/** The corpus as the addon takes it, its metric settled, as wide as the queries. */
export function scanned(
  corpus: CorpusInput,
  metric: Metric | undefined,
  queries: NativeSource,
): Scanned {
  const prepared = corpus instanceof PreparedCorpus
  const fallback = prepared ? corpus.metric : prepareCorpusDefaults.metric
  const wanted = metric ?? fallback
  checkOneOf('metric', wanted, metrics)
  if (prepared && wanted !== corpus.metric)
    throw invalid('metric', `${corpus.metric}, for which the corpus was prepared`, wanted)
  const matrix = prepared ? corpus : toDenseSource('corpus', corpus)
  if (matrix.cols !== queries.cols)
    throw invalid('queries.cols', `${matrix.cols} columns, as in the corpus`, queries.cols)
  return {
    rows: matrix.rows,
    metric: wanted,
    native: prepared ? corpus.handle() : (matrix as NativeSource),
  }
}
