// The rows of a Parquet file as objects, a few at a time.
import type { AbortSignalLike } from '../../cancellation'
import { pause } from '../../jobs'
import { fileError, printable } from '../file'
import { numberAt } from '../floats'
import { checkUnique } from './columns'
import { damaged, undamaged, type Kind, type Leaf, type ParquetFile } from './footer'
import type { RowGroup, SchemaTree } from './library'
import { pagesOf, type Page } from './pages'
import type { Values } from './values'

/** Of which a batch has at most as many: a few milliseconds of work. */
const batchRows = 1 << 11

/** Values that become objects between two turns of the event loop: about a millisecond of work. */
const sliceValues = 1 << 14

/** Values in a page or in a list, at most; and in the pages at hand of all columns. */
const valuesLimits = { page: 1 << 22, pages: 1 << 25 } as const

/** A row: texts, numbers, truth values, null, and lists and records of them. */
export type ParquetRow = Readonly<Record<string, unknown>>

/** Integers beyond 2^53 as their digits, so that none is rounded. */
function plainInteger(value: bigint): number | string {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : String(value)
}

function plain(kind: Kind, values: Values): unknown[] {
  if (kind === 'text') return values as string[]
  if (kind === 'bool') return Array.from(values as Uint8Array, Boolean)
  if (kind === 'int64' || kind === 'uint64')
    return Array.from(values as BigInt64Array, plainInteger)
  const at = numberAt(values as Float32Array, kind)
  return Array.from({ length: values.length }, (_, i) => at(i))
}

/** Pages in parts of {@link sliceValues} values, with turns of the event loop between them. */
async function* slicesOf(
  pages: AsyncGenerator<Page>,
  { maxDefinition }: Leaf,
): AsyncGenerator<Page> {
  for await (const { count, repetitions, definitions, values } of pages)
    for (let begin = 0, first = 0; begin < count; begin += sliceValues) {
      const end = Math.min(count, begin + sliceValues)
      const own = definitions?.subarray(begin, end)
      let present = end - begin
      if (own) for (const definition of own) if (definition !== maxDefinition) present--
      yield {
        count: end - begin,
        repetitions: repetitions?.subarray(begin, end),
        definitions: own,
        values: values.slice(first, first + present) as Values,
      }
      first += present
      await pause()
    }
}

/** The rows of one leaf in a row group, as far as they are read. */
class LeafRows {
  private rows: unknown[] = []
  private begin = 0
  private ended = false
  /** Values of the last row. */
  private length = 0
  private readonly slices: AsyncGenerator<Page>

  constructor(
    private readonly file: ParquetFile,
    readonly leaf: Leaf,
    group: RowGroup,
    private readonly valuesLimit: number,
    signal: AbortSignalLike | undefined,
  ) {
    this.slices = slicesOf(pagesOf(file, leaf, group, signal, valuesLimit), leaf)
  }

  /** Rows that are complete: the last one may go on in the next page. */
  get ready() {
    const isOpen = !this.ended && this.leaf.maxRepetition > 0
    return Math.max(0, this.rows.length - this.begin - Number(isOpen))
  }

  /** Reads slices of pages until there is a complete row, or none is left. */
  async fill() {
    while (this.ready === 0 && !this.ended) {
      const next = await this.slices.next()
      if (next.done) this.ended = true
      else this.add(next.value)
    }
  }

  private add({ repetitions, definitions, values }: Page) {
    const { path, library } = this.file
    if (repetitions) this.checkLengths(repetitions)
    this.rows = this.rows.slice(this.begin)
    this.begin = 0
    const { schemaPath, kind } = this.leaf
    const added = undamaged(path, () =>
      library.assembleLists(
        repetitions ? this.rows : [],
        definitions as unknown as number[],
        (repetitions ?? []) as unknown as number[],
        plain(kind!, values),
        schemaPath,
      ),
    ) as unknown[]
    this.rows = repetitions ? added : this.rows.concat(added)
  }

  private checkLengths(repetitions: Uint8Array) {
    for (const repetition of repetitions) {
      this.length = repetition === 0 ? 1 : this.length + 1
      if (this.length <= this.valuesLimit) continue
      throw fileError(
        this.file.path,
        `expected lists of at most ${this.valuesLimit} values in column ${printable(this.leaf.path[0]!)}, received a longer one`,
      )
    }
  }

  take(count: number): unknown[] {
    this.begin += count
    return this.rows.slice(this.begin - count, this.begin)
  }

  close() {
    return this.slices.return(undefined)
  }
}

/** A column of a row, with its leaves. */
interface Column {
  readonly tree: SchemaTree
  readonly leaves: readonly Leaf[]
}

/** Deeper lists and columns of a type that is not read are passed over. */
function readColumns(file: ParquetFile, wanted: ((name: string) => boolean) | undefined): Column[] {
  for (const { element } of file.columns)
    if (wanted?.(element.name) ?? true) checkUnique(file, element.name)
  return file.columns
    .filter(({ element }) => wanted?.(element.name) ?? true)
    .map((tree) => ({
      tree,
      leaves: file.leaves.filter(({ path }) => path[0] === tree.element.name),
    }))
    .filter(({ leaves }) => leaves.every(({ kind, maxRepetition }) => kind && maxRepetition <= 1))
}

/** Sets a field, whatever its name. */
const setField = (row: object, name: string, value: unknown) =>
  Object.defineProperty(row, name, { value, enumerable: true, configurable: true, writable: true })

function addColumn(
  file: ParquetFile,
  { tree }: Column,
  leaves: readonly LeafRows[],
  rows: object[],
) {
  const { path, library } = file
  const values = new Map(
    leaves.map((each) => [each.leaf.path.join('.'), each.take(rows.length)] as const),
  )
  const name = tree.element.name
  undamaged(path, () => library.assembleNested(values as never, tree, library.parsers))
  const column = values.get(name)
  if (column?.length !== rows.length) throw damaged(path, `the column ${name} lacks rows`)
  for (const [i, row] of rows.entries()) setField(row, name, column[i] ?? null)
}

async function* rowsOfGroup(
  file: ParquetFile,
  columns: readonly Column[],
  group: RowGroup,
  signal: AbortSignalLike | undefined,
): AsyncGenerator<ParquetRow[]> {
  const count = columns.reduce((sum, { leaves }) => sum + leaves.length, 0)
  const limit = Math.min(valuesLimits.page, Math.floor(valuesLimits.pages / count))
  const readers = columns.map(({ leaves }) =>
    leaves.map((leaf) => new LeafRows(file, leaf, group, limit, signal)),
  )
  const all = readers.flat()
  let left = Number(group.num_rows)
  try {
    while (left > 0) {
      for (const each of all) await each.fill()
      const count = Math.min(left, batchRows, ...all.map(({ ready }) => ready))
      if (count === 0) throw damaged(file.path, 'a column has fewer rows than its group')
      const rows = Array.from({ length: count }, () => ({}))
      for (const [i, column] of columns.entries()) addColumn(file, column, readers[i]!, rows)
      left -= count
      yield rows
    }
  } finally {
    for (const each of all) await each.close()
  }
}

interface RowsOptions {
  readonly signal?: AbortSignalLike | undefined
  /** The columns to read; all unless given. */
  readonly wanted?: ((name: string) => boolean) | undefined
}

/**
 * The rows of a file in batches. Columns of dates, decimals, bytes and lists of lists are passed over.
 *
 * @throws {GemmineError} `ERR_GEMMINE_FILE` if the file is damaged, or the signal's reason.
 */
export async function* parquetRows(
  file: ParquetFile,
  { signal, wanted }: RowsOptions = {},
): AsyncGenerator<ParquetRow[]> {
  const columns = readColumns(file, wanted)
  if (columns.length === 0) return
  for (const group of file.groups) yield* rowsOfGroup(file, columns, group, signal)
}
