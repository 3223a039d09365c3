// What the words of mined lines stand for: queries and documents by id, by text or by row.
import { throwIfAborted, type AbortSignalLike } from '../cancellation'
import type { Word } from '../data/mined-fields'
import { inSlices, inTurns } from '../data/slices'
import { TextNumbers } from '../data/text-numbers'
import { textClasses } from './text-classes'

/** A row that a word stands for. */
export interface FoundRow {
  readonly row: number
  /** Whether the word is the text of the row: then it stands for every row with this text. */
  readonly byText: boolean
}

/** The rows of one side, with ids, texts or neither. */
interface NamedRows {
  readonly count: number
  readonly ids: ReadonlyMap<string, number> | undefined
  readonly texts: readonly string[] | undefined
}

/** Rows per slice: about a millisecond of work. */
const step = 1 << 14

/** Work for an id, in the units of a slice. */
const unitsOfId = 4

const integer = /^(?:0|[1-9]\d*)$/

/** Whether all ids are integers, so that a number in a line is an id and not a row. */
async function areIntegers(ids: NamedRows['ids']): Promise<boolean> {
  if (!ids || ids.size === 0) return false
  return inTurns<boolean>(function* (slice) {
    for (const id of ids.keys()) {
      if (!integer.test(id)) return false
      if (slice.spend(unitsOfId)) yield
    }
    return true
  })
}

/** The queries or the documents. */
class SideWords {
  /** The first row of each class of texts, −1 for none. */
  private readonly firstRows: Int32Array
  private firstEmpty: number | undefined
  private numbersAreIds = false
  private textsFirst = false

  private constructor(
    private readonly rows: NamedRows,
    /** Class of each row's text; −1 for an empty one. */
    private readonly classes: Int32Array | undefined,
    private readonly known: ReadonlyMap<string, number>,
  ) {
    this.firstRows = new Int32Array(known.size).fill(-1)
  }

  static async open(
    rows: NamedRows,
    classes: Int32Array | undefined,
    known: ReadonlyMap<string, number>,
    signal: AbortSignalLike | undefined,
  ): Promise<SideWords> {
    const side = new SideWords(rows, classes, known)
    side.numbersAreIds = await areIntegers(rows.ids)
    await inSlices(
      classes?.length ?? 0,
      (begin, end) => {
        throwIfAborted(signal)
        for (let row = begin; row < end; row++) side.enter(classes![row]!, row)
      },
      step,
    )
    return side
  }

  private enter(textClass: number, row: number) {
    if (textClass === -1) this.firstEmpty ??= row
    else if (this.firstRows[textClass] === -1) this.firstRows[textClass] = row
  }

  /** The class of a row's text, −1 if it is empty or unknown. */
  classOf(row: number): number {
    return this.classes?.[row] ?? -1
  }

  /**
   * Reads the words as texts first, if all of the first line's are texts and not all are ids. Some strings
   * may be both the id of one row and the text of another.
   */
  settle(words: readonly Word[]) {
    const strings = words.filter((word) => typeof word === 'string')
    const areTexts = strings.length > 0 && strings.every((word) => this.byText(word))
    this.textsFirst = areTexts && !strings.every((word) => this.byId(word))
  }

  find(word: Word): FoundRow | undefined {
    if (typeof word === 'object')
      return this.byId(word.id) ?? this.byText(word.text) ?? this.byId(word.text)
    return this.textsFirst
      ? (this.byText(word) ?? this.byId(word))
      : (this.byId(word) ?? this.byText(word))
  }

  private byId(word: string | number): FoundRow | undefined {
    const { ids, count } = this.rows
    if (typeof word === 'number' && !this.numbersAreIds)
      return word >= 0 && word < count ? { row: word, byText: false } : undefined
    const row = ids?.get(String(word))
    return row === undefined ? undefined : { row, byText: false }
  }

  private byText(word: string | number): FoundRow | undefined {
    if (typeof word === 'number') return undefined
    const textClass = this.known.get(word) ?? -1
    const row = word === '' ? this.firstEmpty : this.firstRows[textClass]
    return row === undefined || row === -1 ? undefined : { row, byText: true }
  }
}

/** Both sides, with common classes of texts. */
export async function openWords(
  queries: NamedRows,
  corpus: NamedRows,
  signal: AbortSignalLike | undefined,
) {
  const known = new TextNumbers()
  const sizeOf = ({ texts, count }: NamedRows) => (texts === undefined ? 0 : count)
  const classes = await textClasses(
    queries.texts ?? [],
    corpus.texts ?? [],
    sizeOf(queries),
    sizeOf(corpus),
    known,
  )
  const { queryTexts, corpusTexts } = classes
  return {
    queries: await SideWords.open(queries, queries.texts && queryTexts, known, signal),
    documents: await SideWords.open(corpus, corpus.texts && corpusTexts, known, signal),
    /** Number of classes. */
    classes: known.size,
  }
}
