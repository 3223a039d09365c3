// Reads files of corpus rows, for searches of a part of a corpus.
import { fileError, printable } from '../data/file'
import type { IdRows } from '../data/ids-and-texts'
import { readLines, type LineReader } from '../data/lines'
import { countOption, pathOption } from './common-options'

export interface RowFileOptions {
  readonly allow?: string
  readonly excludeRows?: string
}

export const rowFileOptions = () => [
  pathOption(
    '--allow <FILE>',
    'the only corpus rows that queries get: a row number a line, or an id with --corpus-ids',
  ),
  pathOption('--exclude-rows <FILE>', 'corpus rows that no query gets, in the same form'),
]

export const dimsOption = () =>
  countOption('--dims <N>', 'columns that count: the first N, as if there were no others')

/** Sets or clears the bit of each row of a file, [⌈rows / 32⌉ words]. */
class RowMarker implements LineReader<Uint32Array> {
  constructor(
    private readonly path: string,
    private readonly words: Uint32Array,
    private readonly rows: number,
    private readonly ids: IdRows | undefined,
    private readonly isSet: boolean,
  ) {}

  line(text: string, number: number) {
    const row = this.ids ? this.ids.get(text) : /^\d{1,10}$/.test(text) ? Number(text) : undefined
    if (row === undefined || row >= this.rows) {
      const wanted = this.ids ? 'the id of a corpus row' : `a corpus row in 0..${this.rows - 1}`
      const received = `received ${printable(text)}`
      throw fileError(this.path, `line ${number}: expected ${wanted}, ${received}`)
    }
    const bit = 1 << (row & 31)
    if (this.isSet) this.words[row >>> 5]! |= bit
    else this.words[row >>> 5]! &= ~bit
  }

  finish() {
    return this.words
  }
}

/** The rows that all queries may get, as a bitmap; undefined for all. */
export async function readAllowed(
  { allow, excludeRows }: RowFileOptions,
  rows: number,
  ids: IdRows | undefined,
): Promise<Uint32Array | undefined> {
  if (allow === undefined && excludeRows === undefined) return undefined
  const words = new Uint32Array(Math.ceil(rows / 32)).fill(allow === undefined ? 2 ** 32 - 1 : 0)
  if (allow === undefined && rows % 32 > 0) words[words.length - 1]! = 2 ** (rows % 32) - 1
  if (allow !== undefined) await readLines(allow, new RowMarker(allow, words, rows, ids, true))
  if (excludeRows !== undefined)
    await readLines(excludeRows, new RowMarker(excludeRows, words, rows, ids, false))
  return words
}
