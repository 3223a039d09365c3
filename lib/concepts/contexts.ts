import { fileError, printable } from '../data/file'
import { longLine, readLines, type LineReader } from '../data/lines'
import { GrowingArray } from '../data/growing-array'
import { readTexts } from '../data/ids-and-texts'
import { invalid, invalidText } from '../errors'
import { checkInteger } from '../options'

/** Tokens as rows, with the samples that they are in. */
export interface TokenContexts {
  /** The sample (sentence, document, prompt) of each row, [n]. Its rows follow each other in reading order. */
  readonly samples: ArrayLike<number>
  /**
   * The token of each row, [n]. `##` continues a word, `Ġ` and `▁` begin one, as in the vocabularies of WordPiece,
   * byte-level BPE and SentencePiece; other tokens are words.
   */
  readonly tokens: readonly string[]
}

/** What the rows of activations stand for: a text for each, or tokens in their samples. */
export type Contexts = readonly string[] | TokenContexts

/** A row in words. */
export interface RowContext {
  /** What stands before the token in its sample, from `…` on if that is more; empty for a text. */
  readonly before: string
  /** The token of the row, or its text. */
  readonly token: string
  /** What stands after it, up to `…` if that is more; empty for a text. */
  readonly after: string
}

export const isTokens = (contexts: Contexts): contexts is TokenContexts => !Array.isArray(contexts)

/**
 * Checks contexts for `rows` rows.
 *
 * @throws {TypeError | RangeError} if there is not one for each row.
 */
export function checkContexts(contexts: Contexts, rows: number) {
  const isObject = typeof contexts === 'object' && contexts !== null
  const lists: Record<string, ArrayLike<unknown> | undefined> = !isObject
    ? {}
    : isTokens(contexts)
      ? { 'contexts.samples': contexts.samples, 'contexts.tokens': contexts.tokens }
      : { contexts }
  if (!isObject || Object.values(lists).some((list) => typeof list?.length !== 'number'))
    throw invalid('contexts', 'an array of texts, or { samples, tokens }', contexts)
  for (const [name, list] of Object.entries(lists))
    if (list!.length !== rows)
      throw invalidText(name, `${rows} of them, one for each row`, `${list!.length}`, RangeError)
}

/** Marks of tokens that begin a word; others then continue it. */
const wordStarts = ['Ġ', '▁'] as const
const continuation = '##'

const beginsMarked = (token: string) => wordStarts.some((mark) => token.startsWith(mark))

/** Tokens as text: each with the blank before it, if there is one. */
function spelled(tokens: readonly string[]): string[] {
  const isMarked = tokens.some(beginsMarked)
  return tokens.map((token, at) => {
    const isJoined = !isMarked && token.startsWith(continuation) && token !== continuation
    const text =
      isMarked && beginsMarked(token) ? token.slice(1) : isJoined ? token.slice(2) : token
    const hasBlank = isMarked ? beginsMarked(token) : !isJoined
    return hasBlank && at > 0 ? ` ${text}` : text
  })
}

/**
 * A row in words: its text, or its token with up to `window` tokens of its sample on either side.
 *
 * @throws {TypeError | RangeError} if the row does not exist, or `window` is no integer of at least 0.
 *
 * @example
 * const { before, token, after } = contextOf({ samples, tokens }, 7, 15)
 */
export function contextOf(contexts: Contexts, row: number, window: number): RowContext {
  checkInteger('window', window, 0)
  const texts = isTokens(contexts) ? contexts.tokens : contexts
  checkInteger('row', row, 0, texts.length - 1)
  if (!isTokens(contexts)) return { before: '', token: texts[row]!, after: '' }
  const isSame = (other: number) => contexts.samples[other] === contexts.samples[row]
  let [begin, end] = [row, row + 1]
  while (begin > 0 && row - begin < window && isSame(begin - 1)) begin--
  while (end < texts.length && end - row <= window && isSame(end)) end++
  const words = spelled(texts.slice(begin, end).map(String))
  const own = words[row - begin]!
  const blank = own.startsWith(' ') ? ' ' : ''
  const [before, after] = [words.slice(0, row - begin), words.slice(row - begin + 1)]
  if (begin > 0 && isSame(begin - 1)) before.unshift('… ')
  if (end < texts.length && isSame(end)) after.push(' …')
  return { before: before.join('') + blank, token: own.slice(blank.length), after: after.join('') }
}

const header = 'sample\ttoken'

/** Reads lines `sample<TAB>token`. */
class TokensReader implements LineReader<Promise<TokenContexts>> {
  readonly lineLimit = longLine
  private readonly tokens: string[] = []
  private readonly samples = new GrowingArray(new Int32Array(0))
  private last: string | undefined
  private sample = -1

  constructor(
    private readonly path: string,
    private readonly rows: number,
  ) {}

  line(text: string, number: number) {
    if (number === 1 && text === header) return
    const tab = text.indexOf('\t')
    if (tab === -1)
      throw fileError(
        this.path,
        `line ${number}: expected sample<TAB>token, received ${printable(text)}`,
      )
    const name = text.slice(0, tab)
    if (name !== this.last) this.sample++
    this.last = name
    this.samples.push(this.sample)
    this.tokens.push(text.slice(tab + 1))
  }

  async finish(): Promise<TokenContexts> {
    checkCount(this.path, this.tokens.length, this.rows, 'tokens')
    return { samples: await this.samples.joined(), tokens: this.tokens }
  }
}

function checkCount(path: string, received: number, rows: number, what: string) {
  if (received !== rows)
    throw fileError(path, `expected ${rows} ${what}, one for each row of X, received ${received}`)
}

/**
 * Reads what the rows of X stand for, one line a row. In a file whose name ends in `.tsv` or `.tsv.gz` a line is
 * `sample<TAB>token`: the tokens of consecutive lines with the same sample are its text in reading order (a first
 * line `sample<TAB>token` is a header). In other files a line is the text of its row; see {@link readTexts}.
 *
 * @param rows Number of rows of X.
 * @throws {GemmineError} `ERR_GEMMINE_FILE` if the file is missing, a line has another form or more than 32 MiB, or
 *   the number of lines is not `rows`.
 *
 * @example
 * const contexts = await readContexts('tokens.tsv', X.rows)
 */
export async function readContexts(path: string, rows: number): Promise<Contexts> {
  checkInteger('rows', rows, 0)
  if (/\.tsv(\.gz)?$/i.test(path)) return readLines(path, new TokensReader(path, rows))
  const texts = await readTexts(path, 'any', 'corpus')
  checkCount(path, texts.length, rows, 'texts')
  return texts
}
