// Arguments and answers of the changes of a prepared corpus.
import type { NamedArrays } from '../data/typed-array'
import { frozen, type JobOptions, type Overrides } from '../options'
import type { Metric } from './metric'
import type { RowIdsInput, StoredIds } from './row-ids'

/** The only place where the defaults of `append` of a prepared corpus are written. */
export const appendDefaults = frozen({
  /** A name for each new row, if the corpus has ids; to be given then. */
  ids: undefined as RowIdsInput | undefined,
})

export type AppendOptions = Overrides<typeof appendDefaults> & JobOptions

/** Whether the bit of a row is set, [⌈rows / 32⌉]. */
export const isMarked = (words: Uint32Array, row: number) =>
  ((words[row >>> 5]! >>> (row & 31)) & 1) === 1

/** Rows of a corpus by their numbers, or by their ids. */
export type RowsInput = readonly number[] | Int32Array | { readonly ids: RowIdsInput }

/** Rows that were appended. */
export interface AppendedRows {
  /** The number of the first of them. */
  readonly firstRow: number
  /** How many they are. */
  readonly rows: number
}

/**
 * A corpus on its way to another thread of the process, which opens it with `openCorpus`, once. It can be
 * sent with `postMessage()`, or as `workerData`.
 */
export interface CorpusHandle {
  /** Its number, in shared memory: neither JSON nor a file has that. */
  readonly token: SharedArrayBuffer
  /** Rows with a number, and rows without those removed. */
  readonly rows: number
  readonly liveRows: number
  readonly cols: number
  readonly metric: Metric
  readonly device: string
  readonly ids: StoredIds | undefined
  /** Shared memory that the corpus borrows. */
  readonly memory: NamedArrays
}
