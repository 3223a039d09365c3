// Asks a scorer of the caller about pairs: in batches, several at a time, again after failures.
import { setImmediate, setTimeout } from 'node:timers/promises'
import { onAbort, reasonOf, throwIfAborted, type AbortSignalLike } from '../cancellation'
import { printable } from '../data/file'
import type { JudgementFile } from '../data/judgement-file'
import { judgementLine, type Judgement } from '../data/judgement-lines'
import { GemmineError } from '../errors'
import type { JudgedPairs } from './judged-pairs'
import {
  checkedAnswers,
  scorerError,
  type BatchName,
  type Scorer,
  type ScorerPair,
} from './scorer-answers'

type QueryAndRow = Pick<ScorerPair, 'query' | 'row'>

export interface ScorerRunOptions {
  readonly score: Scorer
  readonly batchSize: number
  readonly concurrency: number
  readonly retries: number
  /** In milliseconds. */
  readonly retryDelay: number
  readonly signal: AbortSignalLike | undefined
  /** Row of the first query among all queries. */
  readonly firstQuery: number
  /** Describes a pair to the scorer. */
  readonly describe: (pair: QueryAndRow) => ScorerPair
  readonly file: JudgementFile | undefined
  /** Called after each batch with the number of its pairs. */
  readonly onBatch: (pairs: number) => void
}

/** Longest time that a timer can wait, in milliseconds. */
const longestDelay = 2 ** 31 - 1

/** Time for which a scorer that answers at once may keep the event loop, in milliseconds. */
const turn = 10

const messageOf = (error: unknown) =>
  printable(error instanceof Error ? error.message : String(error), 200)

export class ScorerRun {
  /** Pairs that the scorer was asked about. */
  asked = 0
  /** Aborted by a failure and by the caller's signal: no batch begins and no attempt is made after that. */
  readonly #stop = new AbortController()
  #batches = 0
  #turned = performance.now()

  constructor(
    private readonly pairs: JudgedPairs,
    private readonly options: ScorerRunOptions,
  ) {}

  /**
   * Asks about pairs that have no answer yet and keeps the answers.
   *
   * @throws {GemmineError} `ERR_GEMMINE_SCORER` for the first batch that failed, after all batches that were
   *   under way have ended; or, at once, the signal's reason.
   */
  async ask(numbers: readonly number[]): Promise<void> {
    const { batchSize, concurrency, signal } = this.options
    throwIfAborted(signal)
    const wanted = numbers.filter((pair) => !this.pairs.isAnswered(pair))
    const first = this.#batches
    const count = Math.ceil(wanted.length / batchSize)
    let next = 0
    let failure: { readonly error: unknown } | undefined
    const work = async () => {
      while (next < count && !this.#stop.signal.aborted) {
        const i = next++
        try {
          await this.batch(first + i, wanted.slice(i * batchSize, (i + 1) * batchSize))
        } catch (error) {
          failure ??= { error }
          this.#stop.abort()
        }
      }
    }
    this.#batches += count
    await this.untilAbort(Promise.all(Array.from({ length: Math.min(concurrency, count) }, work)))
    if (failure) throw failure.error
  }

  /** Waits for work, or rejects as soon as the signal is aborted. */
  private async untilAbort(work: Promise<unknown>) {
    const { signal } = this.options
    if (!signal) return await work
    let forget = () => {}
    const aborted = new Promise<never>((_, reject) => {
      forget = onAbort(signal, () => {
        this.#stop.abort()
        reject(reasonOf(signal))
      })
    })
    try {
      // The scorer may have aborted the signal before there was a listener.
      throwIfAborted(signal)
      return await Promise.race([work, aborted])
    } finally {
      forget()
    }
  }

  private async batch(batch: number, numbers: readonly number[]) {
    const asked = numbers.map((pair) => {
      const { place, row } = this.pairs.at(pair)
      return { query: this.options.firstQuery + place, row }
    })
    const judgements = await this.judged({ batch, first: asked[0]!, size: asked.length }, asked)
    // After an abort nobody waits for these answers, and the file may be closed.
    if (!judgements) return
    await this.keep(numbers, asked, judgements)
    this.options.onBatch(numbers.length)
    if (performance.now() - this.#turned < turn) return
    await setImmediate()
    this.#turned = performance.now()
  }

  /** The checked answers of the first attempt that does not fail; undefined after an abort. */
  private async judged(
    name: BatchName,
    pairs: readonly QueryAndRow[],
  ): Promise<(Judgement | null)[] | undefined> {
    const { score, describe, retries, retryDelay, signal } = this.options
    for (let attempt = 0; ; attempt++) {
      // New objects for each attempt: the scorer may change what it is given.
      const asked = pairs.map(describe)
      let answers: unknown
      try {
        answers = await score(asked, { batch: name.batch, attempt })
      } catch (cause) {
        if (attempt < retries) await this.pause(Math.min(longestDelay, retryDelay * 2 ** attempt))
        if (attempt < retries && !this.#stop.signal.aborted) continue
        const times = attempt === 0 ? 'once' : `${attempt + 1} times, at last`
        throw scorerError(name, `failed ${times} with: ${messageOf(cause)}`, { cause })
      }
      return signal?.aborted ? undefined : readAnswers(answers, pairs, name)
    }
  }

  /** Waits, or returns at once when the run stops. */
  private async pause(delay: number) {
    await setTimeout(delay, undefined, { signal: this.#stop.signal }).catch(() => {})
  }

  private async keep(
    numbers: readonly number[],
    pairs: readonly QueryAndRow[],
    judgements: readonly (Judgement | null)[],
  ) {
    const lines = judgements.map((judgement, i) => {
      const { query, row } = pairs[i]!
      return judgement ? judgementLine(query, row, judgement) : ''
    })
    await this.options.file?.append(lines.join(''))
    judgements.forEach((judgement, i) => this.pairs.answer(numbers[i]!, judgement))
    this.asked += numbers.length
  }
}

function readAnswers(answers: unknown, pairs: readonly QueryAndRow[], name: BatchName) {
  try {
    return checkedAnswers(answers, pairs, name)
  } catch (cause) {
    if (cause instanceof GemmineError) throw cause
    throw scorerError(name, `its answers cannot be read: ${messageOf(cause)}`, { cause })
  }
}
