// The pages of one column of a row group, one after the other.
import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import { throwIfAborted, type AbortSignalLike } from '../../cancellation'
import { GemmineError } from '../../errors'
import { pause } from '../../jobs'
import { readAt } from '../byte-reader'
import { plannedRoom } from '../dense-elements'
import { fileError, printable } from '../file'
import { largestRatio } from '../inflate'
import { inParts, inTurns, type Slice } from '../slices'
import { damaged, startOf, undamaged, type Leaf, type ParquetFile } from './footer'
import type { PageHeader, RowGroup } from './library'
import { DamagedPage, unpackRuns } from './runs'
import { unpackSnappy } from './snappy'
import { afterStructure, ThriftEnd } from './thrift-bounds'
import { pageValues, plainValues, type Values } from './values'

/** Values in a page of a matrix at most: they are in memory at once. */
export const matrixPageValues = 1 << 24

/** Bytes of an unpacked page at most. */
const pageLimit = 1 << 30

/** Bytes of a page's header, which may hold the smallest and largest value: tried in this order. */
const headerBytes = [1 << 12, 1 << 20]

/** Encodings that are not read, because a few bytes may claim any number of long values. */
const delta = /^DELTA_/

/** A page of values with their levels. */
export interface Page {
  /** Values and nulls. */
  readonly count: number
  /** [count]; 0 begins a row. Undefined without lists: every value is a row. */
  readonly repetitions: Uint8Array | undefined
  /** [count]; less than the leaf's largest level for a null or an empty list. Undefined without either. */
  readonly definitions: Uint8Array | undefined
  /** The values that are not null. */
  readonly values: Values
}

/** The bytes of a page as they are in the file. */
interface RawPage {
  readonly header: PageHeader
  readonly bytes: Uint8Array
}

const gunzip = promisify(zlib.gunzip)
const brotli = promisify(zlib.brotliDecompress)
type Unpack = (bytes: Uint8Array, options: { maxOutputLength: number }) => Promise<Uint8Array>
/** In Node.js from 22.15 on. */
const zstd = (zlib as unknown as { zstdDecompress?: typeof zlib.brotliDecompress }).zstdDecompress

/** How many bytes Snappy makes of one, at most: 64 of 3. */
const snappyRatio = 22

function* levels(bytes: Uint8Array, largest: number, count: number, slice: Slice) {
  if (largest === 0) return undefined
  return (yield* unpackRuns(bytes, 32 - Math.clz32(largest), count, slice)) as Uint8Array
}

class Chunk {
  private at: number
  private readonly end: number
  private left: number
  private dictionary: Values | undefined

  constructor(
    private readonly file: ParquetFile,
    private readonly leaf: Leaf,
    private readonly codec: string,
    start: number,
    length: number,
    values: number,
    private readonly valuesLimit: number,
  ) {
    this.at = start
    this.end = start + length
    this.left = values
  }

  async *pages(signal: AbortSignalLike | undefined): AsyncGenerator<Page> {
    const { path } = this.file
    while (this.left > 0) {
      throwIfAborted(signal)
      const raw = await this.next()
      if (raw.header.type === 'DICTIONARY_PAGE') this.dictionary = await this.dictionaryOf(raw)
      else if (raw.header.type === 'INDEX_PAGE') continue
      else {
        const page = await this.dataPage(raw)
        await pause()
        this.left -= page.count
        if (page.count > 0) yield page
      }
      await pause()
    }
    if (this.left < 0) throw damaged(path, `${this.name} has more values than claimed`)
  }

  private get name() {
    return `the column ${printable(this.leaf.path.join('.'), 40)}`
  }

  /** Reads the next page; its header is checked before it is parsed. */
  private async next(): Promise<RawPage> {
    const { file, at, end } = this
    for (const length of headerBytes) {
      const bytes = await readAt(file.bytes, at, Math.min(length, end - at))
      let after: number
      try {
        after = afterStructure(bytes)
      } catch (error) {
        if (error instanceof ThriftEnd && bytes.length === length && length < headerBytes.at(-1)!)
          continue
        throw damaged(
          file.path,
          `${this.name} has no page at byte ${at}: ${(error as Error).message}`,
        )
      }
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      const header = undamaged(file.path, () => file.library.parquetHeader({ view, offset: 0 }))
      this.checkSizes(header, end - at - after)
      this.at += after + header.compressed_page_size
      return { header, bytes: await readAt(file.bytes, at + after, header.compressed_page_size) }
    }
    throw damaged(file.path, `${this.name} has no page at byte ${at}`)
  }

  private checkSizes(header: PageHeader, room: number) {
    const { path } = this.file
    const { compressed_page_size: packed, uncompressed_page_size: size } = header
    const counts = [
      header.data_page_header,
      header.data_page_header_v2,
      header.dictionary_page_header,
    ]
    const count = counts.find((each) => each)?.num_values ?? 0
    if (!(packed >= 0 && packed <= room) || !(size >= 0) || !(count >= 0))
      throw damaged(path, `a page of ${this.name} claims ${packed} bytes and ${count} values`)
    if (size > pageLimit || count > this.valuesLimit)
      throw fileError(
        path,
        `expected pages of at most ${pageLimit} bytes and ${this.valuesLimit} values in ${this.name}, received ${size} bytes and ${count} values`,
      )
    if (header.type !== 'DICTIONARY_PAGE' && count > this.left)
      throw damaged(path, `${this.name} has more values than claimed`)
  }

  private async dictionaryOf({ header, bytes }: RawPage): Promise<Values> {
    const plain = await this.unpacked(bytes, header.uncompressed_page_size)
    const count = header.dictionary_page_header?.num_values ?? 0
    return this.decoding((slice) => plainValues(this.leaf.kind!, plain, count, slice))
  }

  private async dataPage({ header, bytes }: RawPage): Promise<Page> {
    const {
      data_page_header: first,
      data_page_header_v2: second,
      uncompressed_page_size: size,
    } = header
    if (first) {
      const plain = await this.unpacked(bytes, size)
      return this.decoding((slice) => this.firstVersion(plain, first, slice))
    }
    if (!second) throw damaged(this.file.path, `${this.name} has a page of no known kind`)
    const repetitionBytes = second.repetition_levels_byte_length
    const levels = repetitionBytes + second.definition_levels_byte_length
    if (!(
      repetitionBytes >= 0 &&
      levels >= repetitionBytes &&
      levels <= Math.min(size, bytes.length)
    ))
      throw damaged(this.file.path, `a page of ${this.name} claims ${levels} bytes of levels`)
    const isPacked = second.is_compressed !== false
    const packed = bytes.subarray(levels)
    const plain = isPacked ? await this.unpacked(packed, size - levels) : packed
    const repetition = bytes.subarray(0, repetitionBytes)
    const definition = bytes.subarray(repetitionBytes, levels)
    return this.decoding((slice) => this.page(second, repetition, definition, plain, slice))
  }

  private firstVersion(
    plain: Uint8Array,
    header: NonNullable<PageHeader['data_page_header']>,
    slice: Slice,
  ): Generator<void, Page> {
    const { maxRepetition, maxDefinition } = this.leaf
    let at = 0
    const levels = (largest: number, encoding: string) => {
      if (largest === 0) return plain.subarray(0, 0)
      if (encoding !== 'RLE') throw new DamagedPage(`levels as runs, received ${encoding}`)
      if (at + 4 > plain.length) throw new DamagedPage('levels, received none')
      const length = Buffer.from(plain.buffer, plain.byteOffset + at, 4).readUInt32LE(0)
      if (length > plain.length - at - 4)
        throw new DamagedPage(`${length} bytes of levels, received fewer`)
      at += 4 + length
      return plain.subarray(at - length, at)
    }
    const repetition = levels(maxRepetition, header.repetition_level_encoding)
    const definition = levels(maxDefinition, header.definition_level_encoding)
    return this.page(header, repetition, definition, plain.subarray(at), slice)
  }

  private *page(
    { num_values: count, encoding }: { num_values: number; encoding: string },
    repetition: Uint8Array,
    definition: Uint8Array,
    plain: Uint8Array,
    slice: Slice,
  ): Generator<void, Page> {
    const { maxRepetition, maxDefinition, kind } = this.leaf
    if (delta.test(encoding))
      throw fileError(
        this.file.path,
        `expected ${this.name} in plain or dictionary encoding, received ${encoding}`,
      )
    const repetitions = yield* levels(repetition, maxRepetition, count, slice)
    const definitions = yield* levels(definition, maxDefinition, count, slice)
    let present = definitions ? 0 : count
    if (definitions)
      yield* inParts(count, slice, (begin, end) => {
        for (let i = begin; i < end; i++) if (definitions[i] === maxDefinition) present++
      })
    const values = yield* pageValues(kind!, encoding, plain, present, this.dictionary, slice)
    return { count, repetitions, definitions, values }
  }

  private async decoding<T>(decode: (slice: Slice) => Generator<void, T>): Promise<T> {
    try {
      return await inTurns(decode)
    } catch (error) {
      if (error instanceof GemmineError) throw error
      throw damaged(this.file.path, `${this.name}: expected ${(error as Error).message}`, error)
    }
  }

  private async unpacked(bytes: Uint8Array, size: number): Promise<Uint8Array> {
    const { path } = this.file
    const wrong = (received: string | number) =>
      damaged(path, `a page of ${this.name} should unpack to ${size} bytes, received ${received}`)
    const { codec } = this
    if (codec === 'UNCOMPRESSED') {
      if (bytes.length !== size) throw wrong(bytes.length)
      return bytes
    }
    if (size === 0) return new Uint8Array(0)
    if (codec === 'SNAPPY') {
      if (size > snappyRatio * bytes.length) throw wrong('fewer')
      const plain = plannedRoom(path, size)
      await this.decoding((slice) => unpackSnappy(bytes, plain, slice))
      return plain
    }
    const unpack = this.unpacker()
    if (codec === 'GZIP' && size > largestRatio * bytes.length) throw wrong('fewer')
    const plain = await unpack(bytes, { maxOutputLength: size }).catch((error: Error) => {
      throw wrong(error.message)
    })
    if (plain.length !== size) throw wrong(plain.length)
    return plain
  }

  private unpacker(): Unpack {
    if (this.codec === 'GZIP') return gunzip
    if (this.codec === 'BROTLI') return brotli
    if (this.codec === 'ZSTD' && zstd) return promisify(zstd)
    const hint = this.codec === 'ZSTD' ? ', which Node.js unpacks from version 22.15 on' : ''
    throw fileError(
      this.file.path,
      `expected ${this.name} unpacked, or packed by Snappy, gzip, Brotli or Zstandard, received ${this.codec}${hint}`,
    )
  }
}

/**
 * The pages of a leaf in a row group; the event loop runs between them.
 *
 * @param valuesLimit Values of a page, at most.
 */
export function pagesOf(
  file: ParquetFile,
  leaf: Leaf,
  group: RowGroup,
  signal: AbortSignalLike | undefined,
  valuesLimit = matrixPageValues,
): AsyncGenerator<Page> {
  const told = group.columns[leaf.index]!.meta_data!
  const length = Number(told.total_compressed_size)
  const values = Number(told.num_values)
  const start = startOf(told)
  return new Chunk(file, leaf, told.codec, start, length, values, valuesLimit).pages(signal)
}
