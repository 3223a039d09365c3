// A scorer at work: its cache is open, its listener is told, and it answers the pairs that it is asked about.
import { setImmediate } from 'node:timers/promises'
import { JudgementFile } from '../data/judgement-file'
import type { JudgeSource } from './judge-source'
import { describedPair, scoredFingerprint } from './scorer-words'
import { JudgedPairs } from './judged-pairs'
import type { ScorerSettings } from './scorer-options'
import { ScorerRun } from './scorer-run'

/** Pairs that are asked about before the next ones are listed, so that the event loop is not held. */
const pairsAtOnce = 1 << 14

/** Time between two calls of the listener, in milliseconds. */
const pause = 100

/** Tells the caller's listener how far the answers are. */
class ScorerListener {
  #done = 0
  #answered = 0
  #left = 0
  #last = -Infinity
  readonly #start = performance.now()

  constructor(private readonly onProgress: ScorerSettings['onProgress']) {}

  /** @param left Pairs that may still be asked about. */
  expect(left: number) {
    this.#left = left
  }

  /** @param cached Whether the answers were in the cache. */
  add(pairs: number, cached: boolean) {
    this.#done += pairs
    this.#left -= pairs
    if (!cached) this.#answered += pairs
    const now = performance.now()
    if (now - this.#last < pause) return
    this.#last = now
    this.tell()
  }

  tell() {
    const seconds = (performance.now() - this.#start) / 1000
    const rate = seconds > 0 ? this.#answered / seconds : 0
    const left = Math.max(0, this.#left)
    this.onProgress?.({
      phase: 'score',
      done: this.#done,
      total: this.#done + left,
      rate,
      eta: left === 0 ? 0 : left / rate,
    })
  }
}

/** Opens the cache, if there is one, and takes its answers. */
async function openCache(source: JudgeSource, pairs: JudgedPairs, options: ScorerSettings) {
  if (!options.cache) return undefined
  const extent = { queries: source.allQueries, corpus: source.corpus }
  const fingerprint = await scoredFingerprint(options, extent)
  const { firstQuery, queries } = source
  return JudgementFile.open(
    options.cache.path,
    { fingerprint, ...extent },
    (query, row, judgement) => {
      const place = query - firstQuery
      const pair = place >= 0 && place < queries ? pairs.find(place, row) : -1
      if (pair !== -1 && !pairs.isAnswered(pair)) pairs.answer(pair, judgement)
    },
    options.signal,
  )
}

/** What a function can do while its scorer is at work. */
export interface ScorerSession {
  readonly pairs: JudgedPairs
  /** Pairs that the scorer was asked about so far; the others were in the cache. */
  readonly asked: number
  /** Tells the listener how many pairs may still be asked about. */
  expect(pairs: number): void
  /** Fills in the answers to the pairs numberAt(0) .. numberAt(count − 1). */
  ask(count: number, numberAt: (i: number) => number): Promise<void>
}

/** Opens the cache, lets `use` ask the scorer, and closes the cache. */
export async function withScorer<Result>(
  source: JudgeSource,
  options: ScorerSettings,
  use: (session: ScorerSession) => Promise<Result>,
): Promise<Result> {
  const pairs = await JudgedPairs.of(source.positives, source.candidates)
  const file = await openCache(source, pairs, options)
  try {
    const listener = new ScorerListener(options.onProgress)
    const run = new ScorerRun(pairs, {
      ...options,
      firstQuery: source.firstQuery,
      describe: (pair) => describedPair(options, pair),
      file,
      onBatch: (count) => listener.add(count, false),
    })
    const result = await use({
      pairs,
      get asked() {
        return run.asked
      },
      expect: (left) => listener.expect(left),
      async ask(count, numberAt) {
        for (let at = 0; at < count; at += pairsAtOnce) {
          const length = Math.min(pairsAtOnce, count - at)
          const { asked } = run
          await run.ask(Array.from({ length }, (_, i) => numberAt(at + i)))
          listener.add(length - (run.asked - asked), true)
          await setImmediate()
        }
      },
    })
    listener.expect(0)
    listener.tell()
    return result
  } finally {
    await file?.close()
  }
}
