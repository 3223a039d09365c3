// part.safetensors: data of a part of a mining job that gemmine merge needs besides the part's other files.
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { withReader } from '../data/byte-reader'
import { readBytes } from '../data/dense-elements'
import { elementsOver, type ElementType } from '../data/element-types'
import { closeDescriptor, fileError, openFile, readRange, systemFailure } from '../data/file'
import { hashOf } from '../data/hash'
import type { Words } from '../data/mined-layouts'
import type { WordTypes } from '../data/parquet/mined-schema'
import { readNpyArray } from '../data/npy-array'
import { readSafetensors, writeSafetensors, type Tensors } from '../data/safetensors'
import { MinedNegatives, type MinedRun } from '../mining/mined-negatives'
import type { MinedPart } from '../mining/merge-mined'
import { listStartsOf } from '../mining/query-lists'
import { interrupted } from './interruption'
import type { MineRun } from './mined-files'
import type { ResultFile } from './outputs'

/** Must change with the contents of the file. */
const kind = 'gemmine mined part 6'

/** The arrays that are in separate files, or are written again from their lines. */
type Elsewhere =
  | 'indices'
  | 'scores'
  | 'counts'
  | 'ranks'
  | 'sources'
  | 'positives'
  | 'listStarts'
  | 'positiveScores'
  | 'rejected'
  | 'warnings'

type Facts = Omit<MinedRun, Elsewhere>

/** A part of a job, read from its folder. */
export interface Part {
  readonly folder: string
  readonly mined: MinedPart
  readonly run: MineRun
  /** Numbers of lines, by file. */
  readonly lines: Lines
  /** Types of the words in lines. */
  readonly types: WordTypes
}

type Lines = Readonly<Partial<Record<ResultFile, number>>>

/** JSON has no bigints. */
const digits = (_: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value)

/** All words of a side have one type. */
export const typesOf = (words: Words): WordTypes => ({
  query: typeof words.query(0) === 'string' ? 'text' : 'integer',
  document: typeof words.document(0) === 'string' ? 'text' : 'integer',
})

/** A hash, in hexadecimal digits, of the words for all queries and documents in lines. */
export function digestOf(words: Required<Words>, queries: number, corpus: number): string {
  const hash = createHash('sha256')
  const sides = [
    [queries, words.query, words.queryId],
    [corpus, words.document, words.documentId],
  ] as const
  for (const [rows, word, id] of sides)
    for (let row = 0; row < rows; row++)
      hash.update(`${JSON.stringify([word(row), id(row)], digits)}\n`)
  return hash.digest('hex')
}

/** A hash of everything in the file, so that damage is found. */
const checksumOf = ({ tensors, metadata: { checksum: _, ...texts } }: Tensors) =>
  hashOf([
    ...Object.entries(texts)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, text]) => [name, Buffer.from(text)] as const),
    ...Object.keys(tensors)
      .sort()
      .map((name) => [name, tensors[name]!.data] as const),
  ])

/**
 * @param words A digest of the ids and texts in lines; it differs for parts with other ids or texts.
 * @param lines Numbers of lines, by file.
 */
export async function writePart(
  path: string,
  mined: MinedPart,
  run: MineRun,
  { words, lines, types }: { words: string; lines: Lines; types: WordTypes },
) {
  const { queries, numNegatives, positives, ranks, positiveScores, ...rest } = mined
  const { indices, scores, counts, sources, listStarts, rejected, warnings, shard, ...facts } = rest
  const { format = null, incomplete = null, parquet = false } = run
  const options = { ...shard.options, format, incomplete, parquet, 'ids and texts': words }
  const told: Facts = { ...facts, queries, numNegatives, shard: { ...shard, options } }
  const pairs = positives.indices.length
  const contents = {
    tensors: {
      ranks: { data: ranks, shape: [mined.lists, numNegatives] },
      ...(sources && { sources: { data: sources, shape: [mined.lists, numNegatives] } }),
      positiveStarts: { data: positives.indptr, shape: [queries + 1] },
      positiveRows: { data: positives.indices, shape: [pairs] },
      positiveScores: { data: positiveScores, shape: [pairs] },
    },
    metadata: {
      kind,
      facts: JSON.stringify(told),
      run: JSON.stringify(run),
      lines: JSON.stringify(lines),
      types: JSON.stringify(types),
    },
  }
  const checksum = await checksumOf(contents)
  await writeSafetensors(path, { ...contents, metadata: { ...contents.metadata, checksum } })
}

const notWritten = (path: string, received: string, cause?: unknown) =>
  fileError(path, `expected what gemmine mine --shard writes, received ${received}`, { cause })

function parsedObject<T extends object>(path: string, name: string, text: string | undefined): T {
  try {
    const value: unknown = JSON.parse(text ?? '')
    if (typeof value === 'object' && value !== null) return value as T
  } catch (error) {
    throw notWritten(path, `${name} that are no JSON`, error)
  }
  throw notWritten(path, `${name} that are no object`)
}

/** The facts of a file; those that give sizes of arrays are checked. */
function factsIn(path: string, { metadata }: Tensors): Facts {
  if (metadata.kind !== kind) throw notWritten(path, `the kind ${metadata.kind ?? 'nothing'}`)
  const facts = parsedObject<Facts>(path, 'facts', metadata.facts)
  const { queries, numNegatives, dropped, ceilings, shard } = facts
  const isWhole = [queries, numNegatives, shard?.index, shard?.count].every(Number.isSafeInteger)
  const isFull = [dropped, ceilings, shard?.options].every((each) => typeof each === 'object')
  if (!isWhole || !isFull) throw notWritten(path, 'facts that are not complete')
  return facts
}

function tensorIn<Kind extends Int32Array | Float64Array | Uint8Array>(
  path: string,
  { tensors }: Tensors,
  name: string,
  Kind: new (length: number) => Kind,
  length?: number,
): Kind {
  const data: unknown = tensors[name]?.data
  if (data instanceof Kind && (length === undefined || data.length === length)) return data
  throw notWritten(path, `no ${name} of the size that its facts tell`)
}

/** Reads an array from one of the other files, with the shape in the facts; it may have no rows. */
const readArray = (path: string, type: ElementType, shape: readonly number[]) =>
  withReader(path, async (reader) => {
    const expected = `${type} elements of the shape [${shape.join(', ')}]`
    const array = await readNpyArray(reader, { expected, includes: (each) => each === type })
    if (array.shape.join() !== shape.join() || array.bigEndian || array.fortranOrder)
      throw fileError(path, `expected ${expected}, received [${array.shape.join(', ')}]`)
    return elementsOver(await readBytes(reader, array.bytes), type)
  })

/** Reads the files of `gemmine mine --shard` in a folder, except the lines. */
export async function readPart(folder: string): Promise<Part> {
  const path = join(folder, 'part.safetensors')
  if (!existsSync(path))
    throw fileError(
      folder,
      'expected a folder that gemmine mine --shard wrote, received one without part.safetensors',
    )
  const file = await readSafetensors(path)
  const facts = factsIn(path, file)
  if (file.metadata['checksum'] !== (await checksumOf(file)))
    throw notWritten(path, 'a damaged file')
  const { queries, numNegatives } = facts
  const at = (name: string) => join(folder, name)
  const indptr = tensorIn(path, file, 'positiveStarts', Int32Array, queries + 1)
  const pairs = indptr.at(-1)!
  const positives = { indptr, indices: tensorIn(path, file, 'positiveRows', Int32Array, pairs) }
  const isEach = facts.shard?.options['reference'] === 'each'
  const listStarts = isEach ? await listStartsOf(positives) : undefined
  const lists = listStarts?.at(-1) ?? queries
  const shape = [lists, numNegatives]
  const mined = new MinedNegatives({
    ...facts,
    indices: (await readArray(at('indices.npy'), 'int32', shape)) as Int32Array,
    scores: (await readArray(at('scores.npy'), 'float32', shape)) as Float32Array,
    counts: (await readArray(at('counts.npy'), 'int32', [lists])) as Int32Array,
    ranks: tensorIn(path, file, 'ranks', Int32Array, lists * numNegatives),
    ...(file.tensors['sources'] && {
      sources: tensorIn(path, file, 'sources', Uint8Array, lists * numNegatives),
    }),
    positives,
    listStarts,
    positiveScores: tensorIn(path, file, 'positiveScores', Float64Array, pairs),
    rejected: {
      queries: new Int32Array(0),
      positives: new Int32Array(0),
      indptr: new Int32Array(1),
      rows: new Int32Array(0),
      scores: new Float64Array(0),
      rules: new Uint8Array(0),
    },
    warnings: [],
  }) as MinedPart
  const run = parsedObject<MineRun>(path, 'runs', file.metadata.run)
  const lines = parsedObject<Lines>(path, 'lines', file.metadata.lines)
  const types = parsedObject<WordTypes>(path, 'types', file.metadata.types)
  return { folder, mined, run, lines, types }
}

/** Bytes to copy at a time. */
const pieceBytes = 1 << 22

const newline = 10

function newlinesIn(bytes: Uint8Array): number {
  let count = 0
  for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, at + 1)) count++
  return count
}

/**
 * The lines of all parts in one of their files, read on demand.
 *
 * @throws {GemmineError} `ERR_GEMMINE_FILE` if a file has not the lines that its part wrote.
 */
export async function* linesOfParts(
  parts: readonly Part[],
  name: ResultFile,
): AsyncGenerator<Uint8Array> {
  for (const { folder, lines } of parts) {
    const path = join(folder, name)
    const file = await openFile(path)
    let count = 0
    let last: number | undefined = newline
    try {
      for (let at = 0; at < file.size; at += pieceBytes) {
        interrupted.throwIfAborted()
        const bytes = await readRange(file, at, Math.min(pieceBytes, file.size - at))
        count += newlinesIn(bytes)
        last = bytes.at(-1)
        yield bytes
      }
      const cut = last === newline ? '' : ' and one that is cut off'
      if (count !== lines[name] || cut !== '')
        throw fileError(
          path,
          `expected the ${lines[name] ?? 0} lines that gemmine mine --shard wrote, received ${count}${cut}`,
        )
    } catch (error) {
      throw systemFailure(path, error)
    } finally {
      await closeDescriptor(file.fd)
    }
  }
}
