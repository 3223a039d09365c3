// The first lines of a Matrix Market file: the kind and the size of its matrix.
import { largestSide, rowLimit } from './compressed-rows'
import { fileError, printable } from './file'

const fields = ['real', 'integer', 'unsigned-integer', 'pattern']
const symmetries = ['general', 'symmetric', 'skew-symmetric'] as const

export type Symmetry = (typeof symmetries)[number]

export interface Size {
  readonly rows: number
  readonly cols: number
  /** Number of entries listed in the file: for an array all, or those of one half. */
  readonly entries: number
}

/** Reads the lines up to the line of sizes. */
export class MatrixMarketHeader {
  protected field: string | undefined
  protected isArray = false
  protected symmetry: Symmetry = 'general'
  protected size: Size | undefined

  constructor(readonly path: string) {}

  line(text: string, number: number) {
    if (number === 1) return this.banner(text)
    const words = text.trim().split(/\s+/)
    if (words[0] === '' || text.startsWith('%')) return
    if (this.size) this.entry(words, text, number)
    else this.size = this.sizeOf(words, text, number)
  }

  protected entry(_words: readonly string[], _text: string, _number: number) {}

  protected checkedSize(): Size {
    if (this.field === undefined)
      throw fileError(this.path, 'expected a Matrix Market file, received an empty file')
    if (!this.size) throw fileError(this.path, `expected a line of ${this.sizes}, received none`)
    return this.size
  }

  protected get sizes() {
    return this.isArray ? 'rows and columns' : 'rows, columns and entries'
  }

  private banner(text: string) {
    const [banner, object, format, field, symmetry, ...more] = text
      .trim()
      .toLowerCase()
      .split(/\s+/)
    if (banner !== '%%matrixmarket' || object !== 'matrix' || more.length > 0)
      throw this.wrong(1, '%%MatrixMarket matrix coordinate … or array …', text)
    if (format !== 'coordinate' && format !== 'array')
      throw this.wrong(1, 'the format coordinate or array', format ?? '')
    this.isArray = format === 'array'
    const kind = symmetries.find((each) => each === symmetry)
    const known = this.isArray ? fields.filter((each) => each !== 'pattern') : fields
    if (!known.includes(field!)) throw this.wrong(1, `${listed(known)} entries`, field ?? '')
    if (!kind) throw this.wrong(1, `a ${listed(symmetries)} matrix`, symmetry ?? '')
    if (kind === 'skew-symmetric' && field !== 'real' && field !== 'integer')
      throw this.wrong(1, 'real or integer entries of a skew-symmetric matrix', field!)
    this.field = field
    this.symmetry = kind
  }

  private sizeOf(words: readonly string[], text: string, number: number): Size {
    const sizes = words.map((word) => (/^\d{1,15}$/.test(word) ? Number(word) : NaN))
    const [rows, cols] = sizes as [number, number]
    if (sizes.length !== (this.isArray ? 2 : 3) || sizes.some(Number.isNaN))
      throw this.wrong(number, `the numbers of ${this.sizes}`, text)
    if (rows < 1 || cols < 1) throw this.wrong(number, 'at least one row and one column', text)
    if (cols > largestSide) throw this.wrong(number, `at most ${largestSide} columns`, text)
    if (this.symmetry !== 'general' && rows !== cols)
      throw this.wrong(number, `as many rows as columns in a ${this.symmetry} matrix`, text)
    const entries = this.isArray ? this.listedEntries(rows, cols) : sizes[2]!
    const limit = this.isArray ? largestSide : rowLimit(entries)
    if (rows > limit) throw this.wrong(number, `at most ${limit} rows for ${entries} entries`, text)
    return { rows, cols, entries }
  }

  private listedEntries(rows: number, cols: number): number {
    if (this.symmetry === 'general') return rows * cols
    return (rows * (this.symmetry === 'symmetric' ? rows + 1 : rows - 1)) / 2
  }

  protected wrong(number: number, expected: string, received: string) {
    return fileError(
      this.path,
      `line ${number}: expected ${expected}, received ${printable(received)}`,
    )
  }
}

const listed = (names: readonly string[]) => `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`

/** Reads the numbers of rows and columns, and nothing after them. */
export class MatrixMarketSides extends MatrixMarketHeader {
  get done() {
    return this.size !== undefined
  }

  finish() {
    const { rows, cols } = this.checkedSize()
    return { rows, cols, isSparse: !this.isArray }
  }
}
