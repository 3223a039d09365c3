// All problem sizes of the benches, and their numbers of rounds.

/** Factor for the numbers of rows. Below 1 the run is a trial of the scripts, and no result is kept. */
export const scale = Number(process.env['GEMMINE_BENCH_SCALE'] ?? 1)
if (!(scale > 0 && scale <= 1))
  throw new RangeError(
    `Expected a number in (0, 1] for GEMMINE_BENCH_SCALE, received ${process.env['GEMMINE_BENCH_SCALE']}`,
  )

export const isTrial = scale < 1

/** The rows of a trial, never fewer than 256. */
export const scaled = (rows: number) => Math.min(rows, Math.max(256, Math.round(rows * scale)))

/** Interleaved rounds, after one that is not counted. */
export const rounds = isTrial ? 2 : 5

export const rooflineShape = { size: 2048, repeats: 5 }

/**
 * Embedding-sized; the difference of `fewer` and `more` iterations excludes the start and the last residual.
 */
export const semiNmfIteration = { rows: scaled(50_000), cols: 1536, rank: 64, fewer: 2, more: 12 }

/** Iterations of scikit-learn, whose loss is to be reached. */
export const nmfRaces = [
  { set: 'cbcl_faces', rank: 49, rivalIterations: 200 },
  { set: 'mnist', rank: 32, rivalIterations: 50 },
] as const

/** Sets of sparse counts. */
export const klRaces = [
  { set: '20newsgroups', rank: 20 },
  { set: 'octis_dblp', rank: 10 },
  { set: 'planted', rank: 20 },
] as const

export const semiNmfRace = {
  set: 'minilm_activations',
  rank: 100,
  rivalIterations: isTrial ? 20 : 300,
} as const

/** Rows of 4 KiB. */
export const fromFileShape = { rows: scaled(100_000), cols: 1024, ranks: [16, 32, 64] } as const

/** More clusters than columns, and fewer; `fewer` and `more` iterations as in {@link semiNmfIteration}. */
export const kmeansShapes = [
  { rows: scaled(100_000), cols: 32, clusters: 100 },
  { rows: scaled(100_000), cols: 32, clusters: 1000 },
  { rows: scaled(50_000), cols: 384, clusters: 256 },
] as const
export const kmeansIterations = { fewer: 1, more: 25 }

/** Columns, or rows where there are fewer, decay like 1/j^.6, so that the spectrum decays slowly. */
export const svdShapes = [
  { kind: 'dense, tall', rows: scaled(20_000), cols: 1024, rank: 64 },
  { kind: 'dense, wide', rows: 1500, cols: 12 * scaled(1000), rank: 64 },
  { kind: 'sparse', rows: scaled(12_000), cols: 30_000, rank: 64, ofRow: 60 },
] as const

export const topKShape = { queries: scaled(2_000), corpus: scaled(100_000), cols: 384, k: 100 }

/** A corpus among its own rows. */
export const selfJoinShape = { rows: scaled(20_000), cols: 384, k: 10 }

/** Searches both ways, {@link topKShape} for the others. */
export const bothWaysShape = {
  queries: scaled(20_000),
  corpus: scaled(20_000),
  cols: 384,
  k: 10,
} as const

/** Random directions score .051 · N(0, 1): some 100 rows of 100 000 are found for each query. */
export const rangeThreshold = 0.158
export const temperature = 0.05

/** Queries at fixed times beside a job. */
export const besideShape = {
  corpus: scaled(100_000),
  cols: 384,
  k: 10,
  rows: scaled(20_000),
  rank: 64,
  queries: scaled(100_000),
  perSecond: 10,
  asked: isTrial ? 10 : 2000,
} as const

/** Clients that ask one query after the other. */
export const concurrentShape = {
  corpus: scaled(100_000),
  cols: 384,
  k: 10,
  clients: [1, 8, 50],
  seconds: isTrial ? 1 : 10,
} as const

/** What is estimated before it runs: {@link semiNmfIteration}, {@link topKShape}, {@link sweepShape} and others. */
export const estimateShapes = {
  factorizations: [
    { rows: semiNmfIteration.rows, cols: semiNmfIteration.cols, ranks: [semiNmfIteration.rank] },
    { rows: scaled(20_000), cols: 768, ranks: [8, 32, 128] },
    { rows: scaled(100_000), cols: 32, ranks: [16] },
  ],
  iterations: 8,
} as const

/** Next to nothing to compute. */
export const overheadShape = {
  rows: 64,
  cols: 32,
  k: 5,
  rank: 4,
  calls: isTrial ? 200 : 10_000,
  iterations: 200,
  processes: isTrial ? 1 : 21,
} as const

export const maxSimShape = {
  queries: isTrial ? 8 : 100,
  queryTokens: 32,
  documents: isTrial ? 50 : 2_000,
  documentTokens: 100,
  cols: 128,
  k: 10,
} as const

export const miningShape = {
  set: 'minilm_tldr',
  numNegatives: 4,
  relativeMargin: 0.05,
  /** Number of queries whose result is compared with a search in float64. */
  checkedQueries: isTrial ? 50 : 500,
} as const

export const sweepShape = { queries: scaled(6_000), corpus: scaled(30_000), cols: 384 }

export const scaling = {
  factorization: {
    rows: scaled(20_000),
    cols: 768,
    iterations: 5,
    ranks: [8, 16, 32, 64, 128],
    rank: 64,
  },
  search: { queries: scaled(1_000), corpus: scaled(50_000), cols: 384, k: 10 },
} as const

/** Restarts of a survey whose X is in a file. */
export const surveyShape = { rows: scaled(4_000), cols: 256, ranks: [8, 32], restarts: 6 }
