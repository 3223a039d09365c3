import type { MatrixInput } from '../data/matrix'
import { toRowLists, type RowLists, type RowListsInput } from '../data/row-lists'
import { toQueries } from '../data/source'
import { inSlices, inTurns } from '../data/slices'
import { textTableBytes } from '../data/text-table'
import { invalid, invalidText } from '../errors'
import { handOut } from '../lending'
import { planMemory } from '../memory'
import {
  checkInteger,
  checkJob,
  checkNumber,
  frozen,
  jobDefaults,
  leastBudget,
  memoryDefaults,
  required,
  withDefaults,
  type JobOptions,
  type MemoryOptions,
  type Overrides,
} from '../options'
import { queriesOf } from './downsample'
import { firstEqual } from './equal-texts'
import type { Metric } from './metric'
import { nearDocuments } from './leaking-documents'
import { withNames } from './own-rows'
import { rangeSearch } from './range-search'
import { checkTexts } from './text-classes'

/** One part of a collection: its queries, by row, with what is known of them. All parts share the corpus. */
export interface Split {
  /** Corpus rows that belong to each query. */
  readonly positives: RowListsInput
  /** Corpus rows that are negatives of each query of the training split, such as mined ones; none if left out. */
  readonly negatives?: RowListsInput
  /** Text of each query. */
  readonly queryTexts?: readonly string[]
  /** Vectors of the queries, [queries × d]. */
  readonly queries?: MatrixInput
}

const splitFields: Readonly<Record<keyof Split, undefined>> = {
  positives: undefined,
  negatives: undefined,
  queryTexts: undefined,
  queries: undefined,
}

/** The only place where the defaults of {@link findLeakage} are written. */
export const findLeakageDefaults = frozen({
  /** Text of each corpus row: rows with equal texts count as one row; none unless given. */
  corpusTexts: undefined as readonly string[] | undefined,
  /**
   * Vectors of the corpus rows, [corpusRows × d], to find documents of the training split that are
   * near-duplicates of positives of the test split; none unless given.
   */
  corpus: undefined as MatrixInput | undefined,
  /** Queries or documents that score at least this with each other are near-duplicates; 0.95 unless given. */
  threshold: 0.95,
  /** The metric of near-duplicates; `cosine` unless given. */
  metric: 'cosine' as Metric,
})

export type FindLeakageOptions = {
  /** Number of corpus rows, to be given. */
  corpusRows: number
} & Overrides<typeof findLeakageDefaults> &
  JobOptions &
  MemoryOptions

/** Pairs of a test query and a training query that share something. */
export interface LeakingPairs {
  /** Rows of test queries, ascending. */
  readonly test: Int32Array
  /** Rows of training queries: the first that shares it, or the nearest one. */
  readonly train: Int32Array
}

/** The same with the corpus row that both have. */
export interface LeakingRows extends LeakingPairs {
  /** The positive of the test query. */
  readonly rows: Int32Array
}

/** Positives of test queries with near-duplicates among the documents of training queries. */
export interface LeakingDocuments extends LeakingRows {
  /** The nearest other document that is a positive or a negative of a training query: `train`. */
  readonly trainRows: Int32Array
  /** Canonical scores of `rows` with `trainRows`, rounded to float32. */
  readonly scores: Float32Array
}

/** What the test queries of a collection share with its training queries. */
export interface Leakage {
  /** Positives of test queries that are positives of training queries. */
  readonly sharedPositives: LeakingRows
  /** Positives of test queries that are negatives of training queries, which teach a model to avoid them. */
  readonly positivesAsNegatives: LeakingRows
  /** Queries with equal texts. An empty text equals none. Empty unless both splits have `queryTexts`. */
  readonly equalQueries: LeakingPairs
  /** Queries that are near-duplicates. Empty unless both splits have `queries`. */
  readonly nearQueries: LeakingPairs & {
    /** Canonical scores rounded to float32. */
    readonly scores: Float32Array
  }
  /**
   * Positives of test queries that are near-duplicates of documents of training queries, without the document
   * itself and those with its text. Empty unless `corpus` was given.
   */
  readonly nearDocuments: LeakingDocuments
  /** Test queries that share anything, ascending: those to be left out of one split. */
  readonly leaking: Int32Array
}

/** Bytes of a corpus row: its identity, and its first query in the two kinds of lists. */
const markBytes = 12

const lengthOf = (texts: readonly string[] | undefined) => (Array.isArray(texts) ? texts.length : 0)

/**
 * The memory that is left for searches beside the marks of rows and the tables of texts.
 *
 * @param tables Texts that get a table.
 * @param asked Texts that are looked up.
 * @throws {GemmineError} `ERR_GEMMINE_OUT_OF_MEMORY` if marks and tables take more than half of the budget.
 */
function budgetBeside(
  corpusRows: number,
  tables: readonly (readonly string[] | undefined)[],
  asked: readonly string[] | undefined,
  memoryBudget: number | undefined,
): number | undefined {
  const inTables = tables.reduce((sum, texts) => sum + textTableBytes(lengthOf(texts)), 0)
  const bytes = markBytes * corpusRows + inTables + 4 * lengthOf(asked)
  const what = `A table of ${corpusRows} corpus rows and all texts, for which half of memoryBudget is free,`
  planMemory(what, bytes, memoryBudget && memoryBudget / 2)
  return memoryBudget && Math.max(leastBudget, memoryBudget - bytes)
}

/** The number of each corpus row: that of the first row with its text. */
async function identities(texts: readonly string[] | undefined, corpusRows: number) {
  const named = { name: 'corpusTexts', texts: texts ?? [] }
  if (texts) checkTexts(named.name, texts, corpusRows)
  const own = texts ? await firstEqual(named, named) : new Int32Array(corpusRows).fill(-1)
  await inSlices(corpusRows, (begin, end) => {
    for (let row = begin; row < end; row++) if (own[row] === -1) own[row] = row
  })
  return own
}

/** The first query that lists each row, by the row's identity; −1 for none. */
const firstQueries = (name: string, { indptr, indices }: RowLists, identity: Int32Array) =>
  inTurns<Int32Array>(function* (slice) {
    const first = new Int32Array(identity.length).fill(-1)
    for (let query = 0; query + 1 < indptr.length; query++)
      for (let t = indptr[query]!; t < indptr[query + 1]!; t++) {
        const row = checkedRow(`${name}.indices[${t}]`, indices[t], identity.length)
        if (first[identity[row]!] === -1) first[identity[row]!] = query
        if (slice.spend(1)) yield
      }
    return first
  })

function checkedRow(name: string, row: number | undefined, corpusRows: number): number {
  if (!(row! >= 0 && row! < corpusRows))
    throw invalid(name, `a corpus row in 0..${corpusRows - 1}`, row)
  return row!
}

/** The positives of test queries that a training query lists. */
const listedPositives = (positives: RowLists, first: Int32Array, identity: Int32Array) =>
  inTurns<LeakingRows>(function* (slice) {
    const [test, train, rows]: [number[], number[], number[]] = [[], [], []]
    for (let query = 0; query + 1 < positives.indptr.length; query++)
      for (let t = positives.indptr[query]!; t < positives.indptr[query + 1]!; t++) {
        const row = checkedRow(`test.positives.indices[${t}]`, positives.indices[t], first.length)
        const other = first[identity[row]!]!
        if (slice.spend(1)) yield
        if (other === -1) continue
        test.push(query)
        train.push(other)
        rows.push(row)
      }
    return { ...pairsOf(test, train), rows: handOut(Int32Array.from(rows)) }
  })

const pairsOf = (test: readonly number[], train: readonly number[]): LeakingPairs => ({
  test: handOut(Int32Array.from(test)),
  train: handOut(Int32Array.from(train)),
})

async function equalTexts(train: Split, test: Split, counts: Counts): Promise<LeakingPairs> {
  const { queryTexts: known } = train
  const { queryTexts: asked } = test
  if (known !== undefined) checkTexts('train.queryTexts', known, counts.train)
  if (asked !== undefined) checkTexts('test.queryTexts', asked, counts.test)
  if (known === undefined || asked === undefined) return pairsOf([], [])
  const first = await firstEqual(
    { name: 'train.queryTexts', texts: known },
    { name: 'test.queryTexts', texts: asked },
  )
  const found: [number[], number[]] = [[], []]
  await inSlices(first.length, (begin, end) => {
    for (let query = begin; query < end; query++) {
      if (first[query] === -1) continue
      found[0].push(query)
      found[1].push(first[query]!)
    }
  })
  return pairsOf(...found)
}

async function nearQueries(
  train: Split,
  test: Split,
  counts: Counts,
  { threshold, ...options }: { threshold: number; metric: Metric } & JobOptions & MemoryOptions,
): Promise<Leakage['nearQueries']> {
  for (const [name, { queries }] of Object.entries({ train, test })) {
    const { rows } =
      queries === undefined
        ? { rows: counts[name as keyof Counts] }
        : toQueries(queries, `${name}.queries`)
    if (rows !== counts[name as keyof Counts])
      throw invalid(
        `${name}.queries.rows`,
        `${counts[name as keyof Counts]}, the lists of ${name}.positives`,
        rows,
      )
  }
  if (train.queries === undefined || test.queries === undefined)
    return { ...pairsOf([], []), scores: new Float32Array(0) }
  const sides = [test.queries, train.queries] as const
  const [{ cols }, { cols: expected }] = [toQueries(sides[0]), toQueries(sides[1])]
  if (cols !== expected)
    throw invalid('test.queries.cols', `${expected} columns, as in train.queries`, cols)
  const names = { queries: 'test.queries', corpus: 'train.queries' }
  const { indptr, indices, scores } = await withNames(names, () =>
    rangeSearch(...sides, { ...options, threshold, limit: 1 }),
  )
  const queries: number[] = []
  for (let query = 0; query + 1 < indptr.length; query++)
    if (indptr[query + 1]! > indptr[query]!) queries.push(query)
  return { test: handOut(Int32Array.from(queries)), train: indices, scores }
}

interface Counts {
  readonly train: number
  readonly test: number
}

/**
 * Finds what a test split shares with a training split of the same corpus, so that a score on the test split
 * is no score of memory: positives that are positives or negatives of training queries, queries with equal
 * texts, and queries and documents that are near-duplicates. Each test query is named with one training query
 * for each row or text that it shares.
 *
 * @param train The training split.
 * @param test The split whose queries must be new.
 * @throws {TypeError | RangeError} naming the list, row and value that is wrong.
 *
 * @example
 * const { leaking } = await findLeakage(
 *   { positives: trainPositives, negatives: mined, queryTexts: trainTexts },
 *   { positives: testPositives, queryTexts: testTexts },
 *   { corpusRows: 100_000 },
 * )
 */
export async function findLeakage(
  train: Split,
  test: Split,
  given: FindLeakageOptions,
): Promise<Leakage> {
  const { corpusRows, corpusTexts, corpus, threshold, ...job } = withDefaults(
    { corpusRows: required, ...findLeakageDefaults, ...jobDefaults, ...memoryDefaults },
    given,
  )
  checkInteger('corpusRows', corpusRows, 1, 2 ** 31 - 1)
  checkNumber('threshold', threshold)
  checkSplits(train, test)
  checkJob(job)
  const tables = [corpusTexts, train.queryTexts]
  const memoryBudget = budgetBeside(corpusRows, tables, test.queryTexts, job.memoryBudget)
  const search = { ...job, memoryBudget, threshold }
  const counts = {
    train: queriesOf('train.positives', train.positives),
    test: queriesOf('test.positives', test.positives),
  }
  const read = async (name: string, input: RowListsInput, queries: number) =>
    toRowLists(name, input, queries, corpusRows)
  const known = await read('train.positives', train.positives, counts.train)
  const asked = await read('test.positives', test.positives, counts.test)
  const negatives = await read(
    'train.negatives',
    train.negatives ?? emptyLists(counts.train),
    counts.train,
  )
  const identity = await identities(corpusTexts, corpusRows)
  const firsts = [
    await firstQueries('train.positives', known, identity),
    await firstQueries('train.negatives', negatives, identity),
  ] as const
  const sharedPositives = await listedPositives(asked, firsts[0], identity)
  const positivesAsNegatives = await listedPositives(asked, firsts[1], identity)
  const equalQueries = await equalTexts(train, test, counts)
  const near = await nearQueries(train, test, counts, search)
  const lists = { asked, known: [known, negatives], firsts, identity }
  const documents = await nearDocuments(corpus, lists, search)
  return {
    ...{ sharedPositives, positivesAsNegatives, equalQueries, nearQueries: near },
    nearDocuments: documents,
    leaking: await leakingOf(
      [sharedPositives, positivesAsNegatives, equalQueries, near, documents],
      counts.test,
    ),
  }
}

/** The test queries of any of the lists, ascending. */
const leakingOf = (all: readonly LeakingPairs[], queries: number) =>
  inTurns<Int32Array>(function* (slice) {
    const leaking = new Uint8Array(queries)
    let count = 0
    for (const { test } of all)
      for (const query of test) {
        count += 1 - leaking[query]!
        leaking[query] = 1
        if (slice.spend(1)) yield
      }
    const rows = handOut(new Int32Array(count))
    for (let query = 0, at = 0; at < count; query++) {
      if (leaking[query]) rows[at++] = query
      if (slice.spend(1)) yield
    }
    return rows
  })

function checkSplits(train: Split, test: Split) {
  for (const [name, split] of Object.entries({ train, test }))
    if (typeof split !== 'object' || split === null)
      throw invalid(name, 'an object with the positives of its queries', split)
  for (const [name, split] of Object.entries({ train, test }))
    withDefaults(splitFields, split, name)
  if (test.negatives !== undefined)
    throw invalidText(
      'test.negatives',
      'none, as only negatives of the training split teach a model',
      'lists',
    )
}

const emptyLists = (queries: number): RowLists => ({
  indptr: new Int32Array(queries + 1),
  indices: new Int32Array(0),
})
