// TypeScript types of the addon's functions, their arguments and their results. Names of models, metrics and
// the like are plain strings here: lib/ has checked them, and the addon refuses a name that it does not know.
import type { DenseView, Matrix } from './data/matrix'
import type { SparseView } from './data/sparse'
import type {
  NativeMineRules,
  NativePart,
  NativeCandidates,
  NativeFoundPart,
  NativeLists,
  NativeMineOptions,
  NativeMaxSimOptions,
  NativeMinedArrays,
  NativePositiveArrays,
  NativeMined,
  NativePacked,
  NativePacking,
  NativeRowChoice,
} from './native-mining'
import type {
  NativeAskedRank,
  NativeConvergence,
  NativeFitOptions,
  NativeSurvey,
} from './native-factorization'
import type {
  NativeClusteringSizes,
  NativeDevice,
  NativeInfo,
  NativePlanSizes,
} from './native-info'

export type * from './native-factorization'
export type * from './native-info'
export type * from './native-mining'

/** A matrix in the form for the addon, with its name in messages. */
export type NativeSource = (DenseView | SparseView) & { readonly name: string }

/** The addon's arguments for a running job besides its data. */
export interface JobControl {
  /** Largest number of compute threads; 0 for all. */
  readonly threads: number
  readonly priority: string
  /** One element in shared memory; not 0 means: stop at the next block. */
  readonly cancel: Int32Array
  /** Bytes for the buffers of a search or a mining job. */
  readonly memoryBudget?: number | undefined
  /**
   * `objective` is NaN if there is none. Called on the JavaScript thread, throttled. An exception in it stops
   * the job and rejects its promise.
   */
  readonly onProgress?:
    ((phase: string, done: number, total: number, objective: number) => void) | undefined
}

/** Rows in any order, with repeats; the job checks the elements. */
export interface NativeRowLists {
  readonly indptr: Int32Array
  readonly indices: Int32Array
}

/** An array of a sparse matrix as its bytes in a file. */
export interface NativeFileArray {
  /** Its name in messages. */
  readonly name: string
  readonly bytes: Uint8Array
  readonly type: string
  readonly bigEndian: boolean
}

/** The same fields as `SparseEntries` of native/core/compressed_rows.h. */
export interface NativeEntries {
  readonly layout: 'csr' | 'csc' | 'coordinate'
  readonly mirror: 'none' | 'symmetric' | 'skew'
  readonly rows: number
  readonly cols: number
  readonly entries: number
  readonly major: NativeFileArray
  readonly minor: NativeFileArray
  readonly values: NativeFileArray
}

/** A prepared corpus; V8 gets a report of its memory. */
export interface NativeCorpus {
  readonly bytes: number
  /** A bit for each row that was not removed, in words of 32; undefined if none was. */
  live(): Uint32Array | undefined
  /** A number with which another thread opens the corpus, once, while a handle is held. */
  share(): bigint
  /** How its rows are packed; undefined if that is of no use in a file. */
  packing(): NativePacking | undefined
  dispose(): void
}

export interface NativeTopKOptions extends NativeRowChoice {
  readonly device: string
  readonly metric: string
  readonly k: number
  readonly excludeSelf: boolean | Int32Array
}

interface NativeFilteredTopKOptions extends NativeTopKOptions {
  readonly minScore?: number | undefined
}

interface NativeRangeOptions extends NativeRowChoice {
  readonly device: string
  readonly metric: string
  readonly threshold: number
  readonly limit?: number | undefined
  readonly excludeSelf: boolean | Int32Array
}

export interface NativeFoundRows extends NativeProof {
  readonly indptr: Float64Array
  readonly indices: Int32Array
  readonly scores: Float32Array
}

/** The numbers that come back with sums over a bank; zero vectors are those under cosine. */
export type NativeSummed = Pick<NativeProof, 'zeroQueries' | 'zeroRows' | 'seconds'>

export interface NativeProof {
  readonly certified: number
  readonly fallback: number
  /** Queries and corpus rows that are zero vectors, under cosine. */
  readonly zeroQueries: number
  readonly zeroRows: number
  readonly seconds: number
}

export interface Addon {
  /** A hash of the entries of X, 16 hexadecimal digits. */
  fingerprint(X: NativeSource | NativeCorpus, control: JobControl): Promise<string>
  fit(
    X: NativeSource,
    options: NativeFitOptions,
    W: Matrix,
    H: Matrix,
    control: JobControl,
  ): Promise<NativeConvergence>
  survey(
    X: NativeSource,
    ranks: readonly NativeAskedRank[],
    survey: {
      device: string
      restarts: number
      perturbation: number
      copies: boolean
      atOnce: number
    },
    control: JobControl,
  ): Promise<NativeSurvey[]>
  transform(
    X: NativeSource,
    H: Matrix,
    options: { device: string; l1W: number; l2W: number; upperW: number | undefined } & Pick<
      NativeFitOptions,
      'model' | 'loss' | 'rowSums'
    >,
    W: Matrix,
    control: JobControl,
  ): Promise<{ relativeError: number; seconds: number }>
  inverseTransform(
    W: NativeSource,
    H: Matrix,
    options: { device: string },
    X: Matrix,
    control: JobControl,
  ): Promise<void>
  truncatedSvd(
    X: NativeSource,
    options: {
      device: string
      rank: number
      oversamples: number
      powerIterations: number
      seed: number
    },
    U: Matrix,
    s: Float64Array,
    V: Matrix,
    control: JobControl,
  ): Promise<{ relativeError: number; warnings: string[]; seconds: number }>
  kmeans(
    X: NativeSource,
    options: {
      device: string
      clusters: number
      maxIterations: number
      tolerance: number
      seed: number
    },
    labels: Int32Array,
    centers: Matrix,
    control: JobControl,
  ): Promise<{
    inertia: number
    iterations: number
    converged: boolean
    emptyClusters: number
    seconds: number
  }>
  prepareCorpus(
    corpus: NativeSource,
    options: {
      device: string
      metric: string
      own: boolean
      verify: boolean
      packed?: NativePacked | undefined
    },
    control: JobControl,
  ): Promise<NativeCorpus>
  /** Copies packed rows from page `first` on, and writes their checksums. */
  takePacked(
    corpus: NativeCorpus,
    first: number,
    pages: Float32Array,
    checksums: Uint32Array,
    control: JobControl,
  ): Promise<number>
  /** A handle in this thread; undefined if the number is of no use (any more). */
  openShared(token: bigint, memory: ArrayBufferView | undefined): NativeCorpus | undefined
  /** Appends rows if there are no numbers, removes rows if there are only numbers, else updates them. */
  changeCorpus(
    corpus: NativeCorpus,
    rows: NativeSource | undefined,
    numbers: Int32Array | undefined,
    control: JobControl,
  ): Promise<NativeCorpus>
  /** The same rows in less memory, if some were removed. */
  compactCorpus(corpus: NativeCorpus, control: JobControl): Promise<NativeCorpus>
  topK(
    queries: NativeSource,
    corpus: NativeSource | NativeCorpus,
    options: NativeFilteredTopKOptions,
    indices: Int32Array,
    scores: Float32Array,
    control: JobControl,
  ): Promise<NativeProof>
  /** The same on the calling thread. */
  topKSync(
    queries: NativeSource,
    corpus: NativeSource | NativeCorpus,
    options: NativeFilteredTopKOptions,
    indices: Int32Array,
    scores: Float32Array,
  ): NativeProof
  /** Writes the bitmap of some rows; returns their number. */
  setRows(
    rows: Int32Array,
    corpusRows: number,
    words: Uint32Array,
    control: JobControl,
  ): Promise<number>
  reverseTopK(
    queries: NativeSource,
    corpus: NativeSource | NativeCorpus,
    options: NativeTopKOptions,
    indices: Int32Array,
    scores: Float32Array,
    control: JobControl,
  ): Promise<NativeProof>
  mutualNeighbours(
    queries: NativeSource,
    corpus: NativeSource | NativeCorpus,
    options: NativeTopKOptions,
    control: JobControl,
  ): Promise<NativeFoundRows>
  rangeSearch(
    queries: NativeSource,
    corpus: NativeSource | NativeCorpus,
    options: NativeRangeOptions,
    control: JobControl,
  ): Promise<NativeFoundRows>
  /** The pairs of rows i < j, by i. */
  nearDuplicates(
    rows: NativeSource | NativeCorpus,
    options: { readonly device: string; readonly metric: string; readonly threshold: number },
    control: JobControl,
  ): Promise<NativeFoundRows>
  maxSim(
    queries: NativeSource,
    documents: NativeSource | NativeCorpus,
    options: NativeMaxSimOptions,
    indices: Int32Array,
    scores: Float32Array,
    control: JobControl,
  ): Promise<NativeProof>
  logSumExp(
    queries: NativeSource,
    bank: NativeSource | NativeCorpus,
    options: NativeRowChoice & { device: string; metric: string; temperature: number },
    values: Float64Array,
    errorBounds: Float64Array,
    control: JobControl,
  ): Promise<NativeSummed>
  mine(
    queries: NativeSource,
    corpus: NativeSource | NativeCorpus,
    options: NativeMineOptions,
    positives: NativePositiveArrays,
    sweep: readonly { readonly options: NativeMineRules; readonly out: NativeMinedArrays }[],
    control: JobControl,
  ): Promise<NativeMined[]>
  minePart(
    queries: NativeSource,
    corpus: NativeSource | NativeCorpus,
    options: NativeMineOptions,
    part: NativePart,
    control: JobControl,
  ): Promise<NativeFoundPart>
  /** Writes to `ranks`, [lists × count], the rows of the part that are better than each row; −1 for none. */
  rankPart(
    queries: NativeSource,
    corpus: NativeSource | NativeCorpus,
    options: NativeMineOptions,
    part: NativePart,
    asked: { readonly count: number; readonly rows: Int32Array; readonly scores: Float64Array },
    ranks: Int32Array,
    control: JobControl,
  ): Promise<number>
  /** `name` is that of the part in messages. */
  mergeParts(
    parts: readonly (NativeCandidates & { readonly name: string })[],
    options: NativeMineRules &
      NativeLists & {
        readonly queries: number
        readonly corpusRows: number
      },
    out: NativeMinedArrays,
    control: JobControl,
  ): Promise<NativeMined>
  /** Copies rows, as float32, to `to`, [rows × d]. */
  takeRows(
    corpus: NativeSource | NativeCorpus,
    options: { readonly device: string; readonly metric: string },
    rows: Int32Array,
    to: Float32Array,
    control: JobControl,
  ): Promise<number>
  /** Returns the number of entries after repeats are summed. */
  compressRows(
    entries: NativeEntries,
    indptr: Int32Array | Float64Array,
    indices: Int32Array,
    values: Float32Array,
    control: JobControl,
  ): Promise<number>
  transpose(
    from: Uint8Array,
    to: Uint8Array,
    sides: { rows: number; cols: number; size: number },
    control: JobControl,
  ): Promise<void>
  /** Sorts in place; returns the sum in the given order. */
  sortNumbers(values: Float64Array, control: JobControl): Promise<number>
  /** Rejects waiting calls with a raised flag. */
  dropCancelled(): void
  /** Starts the threads of Node.js for files, names and compression. Throws if the system refuses them. */
  startFileThreads(): void
  /** Bytes that the process may still allocate; undefined if the system does not report them. */
  availableMemory(): number | undefined
  planSizes(): NativePlanSizes
  /** `entries` are those of X, or its non-zeros. */
  clusteringSizes(shape: { rows: number; entries: number; clusters: number }): NativeClusteringSizes
  /** Rows of a dense X that a thread holds at a time, at most, in a pass for this many columns of a factor. */
  tileRows(shape: { cols: number; rank: number }): number
  info(): NativeInfo
  /** Those of `info()`. */
  devices(): NativeDevice[]
  /** `bytes` are those of prepared corpora. */
  stats(): {
    readonly waiting: number
    readonly running: number
    readonly jobThreads: number
    readonly threads: number
    readonly bytes: number
  }
}
