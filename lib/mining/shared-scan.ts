// Calls of topK that wait for the same prepared corpus become one scan, which reads the corpus once for all of
// them. Rows and scores do not depend on the other queries of a scan.
import { onAbort, reasonOf, throwIfAborted } from '../cancellation'
import type { RowLists } from '../data/row-lists'
import type { NamedArrays } from '../data/typed-array'
import { enter, waiting } from '../jobs'
import { checkReturned, filled, smallestLent } from '../lending'
import {
  runJob,
  type CheckedJob,
  type NativeCorpus,
  type NativeProof,
  type NativeSource,
} from '../native'
import type { ChosenRows } from './row-choice'
import { isPrepared } from './row-set'
import type { SelfRows } from './self-rows'

/** A call of topK on a prepared corpus, after its arguments were checked. */
export interface Search extends ChosenRows {
  /** [rows × cols] */
  readonly queries: NativeSource
  readonly k: number
  readonly minScore: number | undefined
  readonly excludeSelf: SelfRows
  /** For the answer, [rows · k]. */
  readonly indices: Int32Array
  readonly scores: Float32Array
  readonly device: string
  readonly metric: string
  readonly job: CheckedJob
  /** The caller's arrays, by their names in messages. */
  readonly arrays: NamedArrays
}

/** A search in a form that can be joined to others. */
interface Small extends Search {
  readonly queries: NativeSource & { readonly data: Float32Array; readonly stride: number }
  readonly excludeSelf: false | Int32Array
}

/** Places (queries × k) of one call, and of one scan: more would let other calls wait long. */
const mostPlaces = { call: 1 << 13, scan: 1 << 17 }

/** Inputs up to this size are copies of the caller's, so that they stay as they are while a call waits. */
const isCopied = (array: ArrayBufferView | undefined) =>
  array === undefined || array.byteLength <= smallestLent

const areCopied = (sets: readonly Uint32Array[] | undefined) =>
  sets === undefined || sets.every((words) => isPrepared(words) || isCopied(words))

/** Lists that cannot be joined are left to the job, which names what is wrong with them. */
const areLists = ({ indptr, indices }: RowLists) =>
  indptr[0] === 0 &&
  indptr.at(-1) === indices.length &&
  indptr.every((start, q) => q === 0 || indptr[q - 1]! <= start)

function isSmall(search: Search): search is Small {
  const { queries, k, exclude, excludeSelf, job } = search
  if (search.allow || !areCopied(search.allowSets) || !areCopied(search.excludeSets)) return false
  if ('indptr' in queries || queries.type !== 'float32' || job.onProgress) return false
  if (job.memoryBudget !== undefined) return false // the budget of one call
  if (typeof excludeSelf === 'boolean' ? excludeSelf : !isCopied(excludeSelf)) return false
  if (queries.data === undefined || !isCopied(queries.data)) return false
  if (exclude && !(isCopied(exclude.indices) && isCopied(exclude.indptr) && areLists(exclude)))
    return false
  return queries.rows * k <= mostPlaces.call
}

/** Runs a search by itself. */
export const searchOnce = (
  corpus: NativeCorpus | NativeSource,
  search: Search,
): Promise<NativeProof> =>
  runJob(search.job, search.arrays, (addon, control) => {
    const { queries, indices, scores, ...options } = search
    return addon.topK(queries, corpus, options, indices, scores, control)
  })

// ---- Several searches as one.

function joinedQueries(searches: readonly Small[], rows: number): NativeSource {
  const { name, cols } = searches[0]!.queries
  const data = new Float32Array(rows * cols)
  let at = 0
  for (const { queries } of searches)
    for (let i = 0; i < queries.rows; i++, at += cols)
      data.set(queries.data.subarray(i * queries.stride, i * queries.stride + cols), at)
  return { name, data, type: 'float32', rows, cols, stride: cols }
}

function joinedLists(searches: readonly Small[], rows: number): RowLists | undefined {
  if (searches.every(({ exclude }) => !exclude)) return undefined
  const indptr = new Int32Array(rows + 1)
  const listed: number[] = []
  let query = 0
  for (const { queries, exclude } of searches) {
    const start = listed.length
    if (exclude) for (const row of exclude.indices) listed.push(row)
    for (let i = 1; i <= queries.rows; i++)
      indptr[++query] = exclude ? start + exclude.indptr[i]! : start
  }
  return { indptr, indices: Int32Array.from(listed) }
}

function joinedSelf(searches: readonly Small[], rows: number): SelfRows {
  if (searches.every(({ excludeSelf }) => !excludeSelf)) return false
  const self = new Int32Array(rows).fill(-1)
  let at = 0
  for (const { queries, excludeSelf } of searches) {
    if (excludeSelf) self.set(excludeSelf, at)
    at += queries.rows
  }
  return self
}

/** The sets of all searches, each once, and which of them each query has. */
function joinedSets(
  searches: readonly Small[],
  rows: number,
  of: (search: Small) => {
    readonly sets: readonly Uint32Array[] | undefined
    readonly numbers: Int32Array | undefined
  },
) {
  if (searches.every((search) => !of(search).sets)) return {}
  const known = new Map<Uint32Array, number>()
  const numbers = new Int32Array(rows).fill(-1)
  let at = 0
  for (const search of searches) {
    const { sets = [], numbers: own } = of(search)
    for (const words of sets) if (!known.has(words)) known.set(words, known.size)
    for (let i = 0; i < search.queries.rows; i++, at++) {
      const words = sets[own ? own[i]! : 0]
      if (words) numbers[at] = known.get(words)!
    }
  }
  return { sets: [...known.keys()], numbers }
}

/** The rows that the queries of all searches may get. */
function joinedChoice(searches: readonly Small[], rows: number): ChosenRows {
  const allow = joinedSets(searches, rows, ({ allowSets, allowOf }) => ({
    sets: allowSets,
    numbers: allowOf,
  }))
  const exclude = joinedSets(searches, rows, ({ excludeSets, excludeOf }) => ({
    sets: excludeSets,
    numbers: excludeOf,
  }))
  return {
    exclude: joinedLists(searches, rows),
    excludeSets: exclude.sets,
    excludeOf: exclude.numbers,
    allowSets: allow.sets,
    allowOf: allow.numbers,
  }
}

const rowsOf = (searches: readonly Small[]) =>
  searches.reduce((sum, { queries }) => sum + queries.rows, 0)

const largestK = (searches: readonly Small[]) => Math.max(...searches.map(({ k }) => k))

/** One search with the queries of all, in their order. The first k places of a longer answer are the same. */
function joined(searches: readonly Small[], signal: AbortSignal): Search {
  const [rows, k] = [rowsOf(searches), largestK(searches)]
  const { device, metric, job, minScore } = searches[0]!
  return {
    queries: joinedQueries(searches, rows),
    k,
    minScore,
    ...joinedChoice(searches, rows),
    excludeSelf: joinedSelf(searches, rows),
    indices: new Int32Array(rows * k),
    scores: new Float32Array(rows * k),
    device,
    metric,
    job: { ...job, signal },
    arrays: {},
  }
}

/** Copies the answer to the queries from `first` on. */
function handOver(all: Search, first: number, { queries, k, indices, scores }: Small) {
  for (let i = 0; i < queries.rows; i++) {
    const from = (first + i) * all.k
    indices.set(all.indices.subarray(from, from + k), i * k)
    scores.set(all.scores.subarray(from, from + k), i * k)
  }
}

/** The proof of a shared scan as that of one of its calls; zero queries are counted for each call. */
function proofFor({ queries }: Small, proof: NativeProof): NativeProof {
  let zeroQueries = 0
  for (let i = 0; proof.zeroQueries > 0 && i < queries.rows; i++) {
    const row = queries.data.subarray(i * queries.stride, i * queries.stride + queries.cols)
    zeroQueries += Number(row.every((value) => value === 0))
  }
  return { ...proof, zeroQueries }
}

// ---- The calls that wait.

interface Call {
  readonly search: Small
  readonly watched: NamedArrays
  readonly settle: (proof: NativeProof | Promise<NativeProof>) => void
  readonly fail: (reason: unknown) => void
  /** Whether it was aborted. */
  isGone: boolean
}

/** The calls for one prepared corpus with the same job options. */
class ScanQueue {
  #running = false
  readonly #waiting = new Set<Call>()
  /** Called after each abort of a call that is part of the running scan. */
  #left: () => void = () => {}

  constructor(
    readonly corpus: NativeCorpus,
    readonly ended: () => void,
  ) {}

  get isIdle() {
    return !this.#running
  }

  /** Runs at once if no call runs; otherwise waits, and shares the next scan with the others that wait. */
  ask(search: Small): Promise<NativeProof> {
    if (this.#running) return this.#wait(search)
    this.#running = true
    return searchOnce(this.corpus, search).finally(() => this.#next())
  }

  #wait(search: Small): Promise<NativeProof> {
    const { signal, entry } = search.job
    throwIfAborted(signal)
    let end = () => {}
    const answer = new Promise<NativeProof>((settle, fail) => {
      const call: Call = { search, watched: filled(search.arrays), settle, fail, isGone: false }
      const leave = enter(entry, (reason) => this.#abort(call, reason))
      this.#waiting.add(call)
      waiting.searches++
      const forget = signal && onAbort(signal, () => this.#abort(call, reasonOf(signal)))
      end = () => {
        forget?.()
        leave()
      }
    })
    return answer.finally(() => end())
  }

  #abort(call: Call, reason: unknown) {
    call.isGone = true
    call.fail(reason)
    if (this.#waiting.delete(call)) waiting.searches--
    else this.#left()
  }

  #next() {
    const calls = this.#take()
    if (calls.length > 0) return void this.#serve(calls).finally(() => this.#next())
    this.#running = false
    this.ended()
  }

  /** The calls that fit into one scan, in the order of their arrival; at least one if any waits. */
  #take(): Call[] {
    const taken: Call[] = []
    let [rows, k] = [0, 0]
    for (const call of this.#waiting) {
      const { search } = call
      rows += search.queries.rows
      k = Math.max(k, search.k)
      if (taken.length > 0 && rows * k > mostPlaces.scan) break
      taken.push(call)
      this.#waiting.delete(call)
      waiting.searches--
    }
    return taken
  }

  async #serve(calls: readonly Call[]): Promise<void> {
    if (calls.length === 1) return this.#serveAlone(calls[0]!)
    const unwanted = new AbortController()
    this.#left = () => calls.every(({ isGone }) => isGone) && unwanted.abort()
    const searches = calls.map(({ search }) => search)
    const all = joined(searches, unwanted.signal)
    let proof: NativeProof
    try {
      proof = await searchOnce(this.corpus, all)
    } catch {
      // One call may have a wrong entry: each gets its own answer or error.
      for (const call of calls) await this.#serveAlone(call)
      return
    } finally {
      this.#left = () => {}
    }
    let first = 0
    for (const call of calls) {
      if (!call.isGone) settleWith(call, all, first, proof)
      first += call.search.queries.rows
    }
  }

  async #serveAlone(call: Call): Promise<void> {
    if (call.isGone) return
    await searchOnce(this.corpus, call.search).then(call.settle, call.fail)
  }
}

function settleWith(call: Call, all: Search, first: number, proof: NativeProof) {
  try {
    checkReturned(call.watched)
    handOver(all, first, call.search)
    call.settle(proofFor(call.search, proof))
  } catch (error) {
    call.fail(error)
  }
}

// ---- The queues of a corpus.

interface Queues {
  /** By priority, number of threads and least score. */
  readonly byJob: Map<string, ScanQueue>
  /** Whether the corpus is to be freed after the calls that wait or hold it. */
  isDisposed: boolean
  /** Calls of several jobs. */
  holders: number
}

const queues = new WeakMap<NativeCorpus, Queues>()

const areIdle = ({ byJob, holders }: Queues) =>
  holders === 0 && [...byJob.values()].every(({ isIdle }) => isIdle)

function queuesOf(corpus: NativeCorpus): Queues {
  const of = queues.get(corpus) ?? { byJob: new Map(), isDisposed: false, holders: 0 }
  queues.set(corpus, of)
  return of
}

/** Keeps a corpus for a call of several jobs, until the returned function is called. */
export function hold(corpus: NativeCorpus): () => void {
  const of = queuesOf(corpus)
  of.holders++
  return () => {
    of.holders--
    if (of.isDisposed && areIdle(of)) corpus.dispose()
  }
}

function queueFor(
  corpus: NativeCorpus,
  { job: { priority, threads }, minScore }: Search,
): ScanQueue {
  const of = queuesOf(corpus)
  const key = `${priority} ${threads} ${minScore}`
  const ended = () => {
    if (minScore !== undefined) of.byJob.delete(key) // there may be many scores
    if (of.isDisposed && areIdle(of)) corpus.dispose()
  }
  const queue = of.byJob.get(key) ?? new ScanQueue(corpus, ended)
  of.byJob.set(key, queue)
  return queue
}

/**
 * Runs a search of a prepared corpus. A small one that arrives while another one runs waits for it, and then
 * shares a scan with the others that wait.
 */
export async function searchPrepared(corpus: NativeCorpus, asked: Search): Promise<NativeProof> {
  return isSmall(asked) ? queueFor(corpus, asked).ask(asked) : searchOnce(corpus, asked)
}

/** Frees a corpus after the calls that wait for it or hold it. */
export function disposeAfterCalls(corpus: NativeCorpus) {
  const of = queues.get(corpus)
  if (!of || areIdle(of)) corpus.dispose()
  else of.isDisposed = true
}
