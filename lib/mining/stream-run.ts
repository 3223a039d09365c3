// One reading of a corpus in shards, with its progress and its errors in numbers of the whole corpus.
import { invalidEntry, invalidText, isMistake, renamedMistake } from '../errors'
import type { Progress } from '../options'
import { blocksOf, type Block, type Cut } from './corpus-blocks'
import type { CorpusStream } from './corpus-stream'
import type { SettledMining } from './mining-options'

/** Rows are numbered in int32: a corpus whose end is not known has no more. */
export const mostRows = 2 ** 31 - 1

const millisecondsBetween = 100

/** An error of a job on a block, with the rows of the whole corpus. */
function placed(error: unknown, firstRow: number): unknown {
  if (!isMistake(error)) return error
  const { argument, expected, received, row, column } = error
  if (argument === 'corpus' && row !== undefined && column !== undefined)
    return invalidEntry(argument, expected, received, row + firstRow, column)
  const text = /^corpusTexts\[(\d+)\]$/.exec(argument)
  return text ? renamedMistake(error, `corpusTexts[${Number(text[1]) + firstRow}]`) : error
}

/** What a job does with a block; its progress is that of the block. */
type Work = (block: Block, onProgress: SettledMining['onProgress']) => Promise<void>

/** The readings of one job: all have the same blocks. */
export class StreamRuns {
  #cut: Cut | undefined
  #lastTold = -Infinity

  constructor(
    private readonly stream: CorpusStream,
    private readonly cols: number,
    private readonly settled: SettledMining,
  ) {}

  /** Rows of the corpus; undefined before the end of the first run. */
  get rows(): number | undefined {
    return this.#cut?.reduce((sum, { rows }) => sum + rows, 0)
  }

  /** @param phase Name of the run in its progress. */
  async run(phase: string, work: Work): Promise<void> {
    const { signal, memoryBudget } = this.settled
    const places: Pick<Block, 'firstRow' | 'rows'>[] = []
    const run = { cols: this.cols, signal, memoryBudget, cut: this.#cut }
    for await (const block of blocksOf(this.stream, run)) {
      this.#check(block)
      const { firstRow, rows } = block
      try {
        await work(block, this.#progressIn(phase, block))
      } catch (error) {
        throw placed(error, firstRow)
      }
      places.push({ firstRow, rows })
    }
    this.#cut ??= places
    this.settled.onProgress?.({ phase, done: this.rows!, total: this.rows! })
  }

  /** @throws {TypeError} if a block lacks what the options need, or has what they do not use. */
  #check({ firstRow, rows, corpusTexts, corpusGroups }: Block) {
    const { queryTexts, groups } = this.settled
    if (firstRow + rows > mostRows)
      throw invalidText('corpus()', `at most ${mostRows} rows`, `${firstRow + rows} rows`)
    for (const [name, has, isWanted, beside] of [
      ['corpusTexts', corpusTexts !== undefined, queryTexts !== undefined, 'queryTexts'],
      ['corpusGroups', corpusGroups !== undefined, groups !== undefined, 'groups'],
    ] as const)
      if (has !== isWanted)
        throw invalidText(
          'corpus()',
          isWanted ? `shards with ${name}, beside ${beside},` : `shards without ${name}`,
          isWanted ? 'one without' : `one with ${name}, but no ${beside}`,
        )
  }

  /** Progress in rows of the corpus; the total is infinite in the first run, which counts the rows. */
  #progressIn(phase: string, { firstRow, rows }: Block): SettledMining['onProgress'] {
    const { onProgress } = this.settled
    if (!onProgress) return undefined
    let done = firstRow
    const total = this.rows ?? Infinity
    return (inner: Progress) => {
      if (inner.phase === 'scan')
        done = Math.max(done, firstRow + Math.floor((rows * inner.done) / inner.total))
      const now = performance.now()
      if (now - this.#lastTold < millisecondsBetween) return
      this.#lastTold = now
      onProgress({ phase, done, total })
    }
  }
}
