import { isSharedArrayBuffer } from 'node:util/types'
import { copyOf, ofThisCopy } from '../copies'
import { loanOf } from '../data/loan'
import type { DenseView, MatrixInput } from '../data/matrix'
import { arraysOf, firstColumns, toDenseSource } from '../data/source'
import type { NamedArrays } from '../data/typed-array'
import { invalid, invalidText } from '../errors'
import { planMemory } from '../memory'
import { native, runJob, type NativeCorpus, type NativePacked, type NativeSource } from '../native'
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
import { PreparedCorpus } from './prepared-corpus'
import { RowIds, type RowIdsInput } from './row-ids'

/** The only place where the defaults of {@link prepareCorpus} are written. */
export const prepareCorpusDefaults = frozen({
  /** The metric of later searches; `cosine` unless given. A prepared corpus has one metric. */
  metric: 'cosine' as Metric,
  /**
   * Whether every call reads borrowed rows again at its end, to check that they are the rows that were
   * prepared; false unless given. Rows that the corpus owns cannot change.
   */
  verify: false,
  /**
   * Columns that count: the first `dims`, as if the rows had no others (of embeddings trained so that their
   * prefixes are embeddings too); all unless given. Not for files.
   */
  dims: undefined as number | undefined,
  /**
   * A name for each row, [n]: numbers, bigints or strings, all of one kind, each once. The answers of `topK` and
   * of mining then have `ids`, and rows can be removed and updated by them; none unless given.
   */
  ids: undefined as RowIdsInput | undefined,
})

/** Bytes per number in the first scan of a search. */
const entryBytes = { float32: 4, bfloat16: 2 } as const

/** Bytes of the packed copy of a corpus, and of its norms. */
export const packedBytes = ({ rows, cols }: { readonly rows: number; readonly cols: number }) =>
  rows * (entryBytes[native().info().cpu.scan] * (cols + 1) + 24)

/** Whether a corpus copies the rows. It borrows shared memory and files. */
const isOwned = ({ data }: DenseView) => data !== undefined && !isSharedArrayBuffer(data.buffer)

export type PrepareCorpusOptions = Overrides<typeof prepareCorpusDefaults> & JobOptions

export { PreparedCorpus }

/**
 * Prepares a corpus once (norms and packed panels) for many `topK` and `mineHardNegatives` calls. Rows in
 * memory are copied, so later writes have no effect. Rows of a SharedArrayBuffer or a file are borrowed until
 * `dispose()` and must not change; `verify` checks this.
 *
 * @param corpus [n × d], one document per row: dense or a file. Lent while it is prepared, as to every job:
 *   see {@link DenseMatrix}.
 * @throws {TypeError | RangeError} if the corpus is no matrix of finite numbers.
 * @throws {GemmineError} `ERR_GEMMINE_OUT_OF_MEMORY`, `ERR_GEMMINE_FILE`. With `verify`, later calls throw
 *   `ERR_GEMMINE_CHANGED`, naming the first changed rows.
 *
 * @example
 * const corpus = await prepareCorpus(embeddings, { metric: 'cosine' })
 * const { indices } = await topK(queries, corpus, { k: 10 })
 * corpus.dispose()
 *
 * // Rows with names, which come and go.
 * const articles = await prepareCorpus(embeddings, { ids })
 * await articles.append(newEmbeddings, { ids: newIds })
 * await articles.remove({ ids: ['a-17'] })
 * const { ids: found } = await topK(queries, articles, { k: 10 })
 */
export function prepareCorpus(
  corpus: MatrixInput,
  given: PrepareCorpusOptions = {},
): Promise<PreparedCorpus> {
  return preparedFrom(corpus, given)
}

/** The same with packed rows of a file. */
export async function preparedFrom(
  corpus: MatrixInput,
  given: PrepareCorpusOptions,
  packed?: NativePacked,
): Promise<PreparedCorpus> {
  const {
    metric,
    verify,
    dims,
    ids: named,
    ...rest
  } = withDefaults({ ...prepareCorpusDefaults, ...jobDefaults }, given)
  const { device, ...job } = checkJob(rest)
  checkOneOf('metric', metric, metrics)
  if (typeof verify !== 'boolean') throw invalid('verify', 'true or false', verify)
  const source = firstColumns(toDenseSource('corpus', corpus), dims)
  const { rows, cols } = source
  const own = isOwned(source)
  const owned = own ? rows * cols * source.data!.BYTES_PER_ELEMENT : 0
  planMemory(`A prepared corpus of ${rows} × ${cols}`, owned + packedBytes(source))
  const names = named === undefined ? Promise.resolve(undefined) : RowIds.of(named, rows)
  names.catch(() => {}) // an error is thrown below, if the job gives none
  const loan = loanOf({ corpus: source })
  const { inputs, arrays } = loan instanceof Promise ? await loan : loan
  const handle = await runJob(job, arrays, (addon, control) =>
    addon.prepareCorpus(inputs.corpus, { device, metric, own, verify, packed }, control),
  )
  const memory = own ? {} : arraysOf(source)
  const ids = await names.catch((error: unknown) => {
    handle.dispose()
    throw error
  })
  return new PreparedCorpus(
    { rows, liveRows: rows, native: handle },
    { cols, metric, device, ids, memory },
  )
}

/** The corpus of a search: a prepared corpus, or a matrix that the search prepares in steps. */
export type CorpusInput = PreparedCorpus | MatrixInput

export interface Scanned {
  /** Rows that have a number, also those removed. */
  readonly rows: number
  readonly liveRows: number
  readonly ids: RowIds | undefined
  readonly metric: Metric
  /** Exactly one of these is defined. */
  readonly matrix: NativeSource | undefined
  readonly handle: NativeCorpus | undefined
  /** The caller's arrays that searches read. */
  readonly memory: NamedArrays
}

/** The device that holds a corpus, if it is prepared. */
export const holderOf = (corpus: unknown): string | undefined =>
  corpus instanceof PreparedCorpus ? corpus.device : undefined

/**
 * Runs a call, an async function that begins with {@link scanned}. A prepared corpus that is changed or
 * disposed of in the meantime stays for the call as it was at the start.
 */
export function keeping<Result>(corpus: unknown, call: () => Promise<Result>): Promise<Result> {
  if (!(corpus instanceof PreparedCorpus)) return call()
  const letGo = corpus.keep()
  const answer = call()
  void answer.then(letGo, letGo)
  return answer
}

/**
 * The corpus in the form for the addon, with its metric, after a check that it has as many columns as the
 * queries.
 *
 * @param name Name of the corpus in messages.
 * @param dims The number of columns that count; undefined for all.
 */
export function scanned(
  corpus: CorpusInput,
  metric: Metric | undefined,
  queries: NativeSource,
  name = 'corpus',
  dims?: number,
): Scanned {
  const prepared = corpus instanceof PreparedCorpus ? corpus : undefined
  const other = !prepared && typeof corpus === 'object' && corpus !== null && copyOf(corpus)
  if (other) throw invalidText(name, `a corpus ${ofThisCopy}`, `one that the copy ${other} made`)
  const fallback = prepared?.metric ?? prepareCorpusDefaults.metric
  const wanted = metric ?? fallback
  const called = name === 'corpus' ? 'the corpus' : name
  checkOneOf('metric', wanted, metrics)
  if (prepared && wanted !== prepared.metric)
    throw invalid('metric', `${prepared.metric}, for which ${called} was prepared`, wanted)
  if (prepared && dims !== undefined && dims !== prepared.cols)
    throw invalid('dims', `${prepared.cols}, for which ${called} was prepared`, dims)
  const matrix = prepared
    ? undefined
    : firstColumns(toDenseSource(name, corpus as MatrixInput), dims)
  const { rows, cols } = prepared ?? matrix!
  const liveRows = prepared?.liveRows ?? rows
  if (cols !== queries.cols)
    throw invalid(`${queries.name}.cols`, `${cols} columns, as in ${called}`, queries.cols)
  const memory = prepared ? prepared.memory : arraysOf(matrix!)
  const ids = prepared?.ids
  return { rows, liveRows, ids, metric: wanted, matrix, handle: prepared?.handle(), memory }
}
