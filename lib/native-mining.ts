// Arguments and results of the addon's mining.
import type { NativeProof, NativeRowLists } from './native-types'

/**
 * The fields of `MineOptions` of native/mining/mine.h that a sweep may change. The active ceilings are passed
 * beside them, by the names in mining/ceiling-rules.ts.
 */
export interface NativeMineRules {
  readonly numNegatives: number
  readonly minScore?: number | undefined
  readonly reference: string
  readonly skipRanks: number
  readonly maxRank?: number | undefined
  readonly maxPositiveRank?: number | undefined
  readonly skipSurvivors: number
  readonly sampling: string
  readonly pool: number
  readonly seed: number
  readonly temperature: number
  readonly simansA: number
  readonly simansB: number
  readonly distanceCutoff: number
  readonly distanceLimit: number
  /** Columns of both sides. */
  readonly dimensions: number
  readonly stride: number
  readonly bins: number
  readonly mmrLambda: number
  readonly nearDuplicateScore?: number | undefined
  readonly hubCap?: number | undefined
  readonly explain: number
}

/** The lists of negatives of a job on a part of a corpus, or of a merge. */
export interface NativeLists {
  /** Reference score of each list, NaN for none. */
  readonly references: Float64Array
  /** The query of each list, ascending; undefined: list i is that of query i. */
  readonly listQueries?: Int32Array | undefined
  /** The positive of each list, a row of the whole corpus, −1 for none; undefined: none. */
  readonly listPositives?: Int32Array | undefined
}

/** What a part of a corpus has to know of the whole: `CorpusPart` of native/mining/mine.h. */
export interface NativePart extends NativeMineRules, NativeLists {
  /** Numbers of the part's rows in the whole corpus, ascending, [rows]. */
  readonly rowNumbers: Int32Array
  /** Rows of the part that belong to another part, ascending. */
  readonly absent: Int32Array
}

/** Candidates of a part of a corpus, by list; rows are numbered as in the whole corpus. */
export interface NativeCandidates {
  /** [lists + 1]. */
  readonly indptr: Float64Array
  readonly rows: Int32Array
  /** Canonical scores in float64. */
  readonly scores: Float64Array
  /** Places in `ruleNames`; its length for an admissible row. */
  readonly rules: Uint8Array
  /**
   * [lists × (rules + 4)]: dropped by each rule, admissible, above the ceiling, above the reference score
   * (if `maxPositiveRank` is given), and 1 for a query that was scanned again.
   */
  readonly populations: Int32Array
}

export interface NativeFoundPart {
  readonly candidates: NativeCandidates
  readonly zeroQueries: number
  readonly zeroRows: number
  readonly seconds: number
}

/** The other fields of `MineOptions`. */
export interface NativeMineOptions {
  readonly device: string
  readonly metric: string
  /** The range of given queries to mine. */
  readonly firstQuery: number
  readonly queryCount: number
  readonly excludeSelf: boolean | Int32Array
  readonly positives: NativeRowLists
  /** Parallel to `positives.indices`; undefined: they are computed. */
  readonly positiveScores?: Float64Array | undefined
  readonly nearPositiveScore?: number | undefined
  readonly exclude?: NativeRowLists | undefined
  /** One bitmap for all queries, or none. */
  readonly excludeSets?: readonly Uint32Array[] | undefined
  readonly allowSets?: readonly Uint32Array[] | undefined
  readonly candidates?: NativeRowLists | undefined
  /** The candidates join the pools of a scan of all rows. */
  readonly beside: boolean
  readonly groups: string
  readonly queryGroups?: Int32Array | undefined
  readonly corpusGroups?: Int32Array | undefined
  /** Equal texts have equal classes. */
  readonly queryTexts?: Int32Array | undefined
  readonly corpusTexts?: Int32Array | undefined
}

export interface NativeMinedArrays {
  readonly indices: Int32Array
  readonly scores: Float32Array
  readonly counts: Int32Array
  readonly ranks: Int32Array
  /** [lists × numNegatives], bits: 1 for the scan, 2 for `candidates`. */
  readonly sources?: Uint8Array | undefined
  /** [lists × numNegatives]. */
  readonly exactScores?: Float64Array | undefined
}

/** Output arrays of the positives that are used: ascending, each once. */
export interface NativePositiveArrays {
  readonly positiveStarts: Int32Array
  readonly positiveRows: Int32Array
  readonly positiveScores: Float64Array
}

export interface NativeRejected {
  /** Of the mined lists. */
  readonly queries: Int32Array
  /** Whose lists they are with the reference `each`; −1 for the others. */
  readonly positives: Int32Array
  readonly indptr: Int32Array
  readonly rows: Int32Array
  readonly scores: Float64Array
  readonly rules: Uint8Array
}

export interface NativeMined extends NativeProof {
  /** In the order of `ruleNames`. */
  readonly dropped: Float64Array
  readonly queriesWithoutPositives: number
  readonly inconsistent: number
  readonly candidatePairs: number
  readonly rejected: NativeRejected
}

/** What packed rows of a corpus are: those of another device or CPU differ. */
export interface NativePacking {
  readonly format: string
  readonly centre: Float32Array
  readonly exponent: number
  /** Bytes of 32 rows. */
  readonly pageBytes: number
}

/** Packed rows from a file. */
export interface NativePacked extends NativePacking {
  /** [⌈rows / 32⌉ × pageBytes / 4] */
  readonly pages: Float32Array
  /** Of each 32 pages: two words. */
  readonly checksums: Uint32Array
}

/** Which rows queries may get: bitmaps, with the number of that of each query, and lists. */
export interface NativeRowChoice {
  readonly exclude?: NativeRowLists | undefined
  readonly allow?: NativeRowLists | undefined
  readonly allowSets?: readonly Uint32Array[] | undefined
  readonly allowOf?: Int32Array | undefined
  readonly excludeSets?: readonly Uint32Array[] | undefined
  readonly excludeOf?: Int32Array | undefined
}

export interface NativeMaxSimOptions extends NativeRowChoice {
  readonly device: string
  readonly metric: string
  readonly k: number
  /**
   * Start of the token vectors of each query or document, then the number of all: [queries + 1], [documents +
   * 1].
   */
  readonly queryStarts: Int32Array
  readonly documentStarts: Int32Array
}
