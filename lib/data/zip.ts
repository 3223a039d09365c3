import { crc32, inflateRawSync } from 'node:zlib'
import { GemmineError } from '../errors'
import { bytesInMemory, InflatingReader, PlainReader, readAt, skip, take } from './byte-reader'
import type { ByteReader, Bytes } from './byte-reader'
import { fileError, printable } from './file'
import { largestRatio } from './inflate'
import { damaged, directoryPlace } from './zip-directory'

/** A member of an archive as its directory lists it. */
export interface Member {
  readonly name: string
  /** Where its own header lies in the archive, in bytes. */
  readonly local: number
  /** Bytes in the archive. */
  readonly packed: number
  readonly deflated: boolean
  /** Bytes of the content, as claimed. */
  readonly size: number
  readonly checksum: number
}

const signatures = { local: 0x04034b50, entry: 0x02014b50 }

const methods = { stored: 0, deflated: 8 }

/** Fields of 32 bits that hold this stand in 64 bits elsewhere. */
const elsewhere = 0xffffffff

/** The kind of extra field that holds them. */
const zip64Field = 0x0001

/** Members of no more bytes are unpacked at once. */
const smallBytes = 1 << 15

/**
 * Lists the members of a zip archive, Zip64 too. Sizes are checked against the archive, and nothing is
 * unpacked.
 */
export async function zipMembers(bytes: Bytes): Promise<Map<string, Member>> {
  const { begin, size, count } = await directoryPlace(bytes)
  const directory = Buffer.from(await readAt(bytes, begin, size))
  const members = new Map<string, Member>()
  for (let i = 0, at = 0; i < count; i++) {
    const { member, next } = directoryEntry(directory, at, bytes)
    const { name } = member
    if (members.has(name)) throw damaged(bytes.path, `the member ${printable(name)} twice`)
    members.set(name, member)
    at = next
  }
  return members
}

function directoryEntry(directory: Buffer, at: number, { path, size: archive }: Bytes) {
  if (at + 46 > directory.length || directory.readUInt32LE(at) !== signatures.entry)
    throw damaged(path, 'a damaged directory')
  const [nameSize, extraSize, commentSize] = [28, 30, 32].map((field) =>
    directory.readUInt16LE(at + field),
  ) as [number, number, number]
  const next = at + 46 + nameSize + extraSize + commentSize
  if (next > directory.length) throw damaged(path, 'a damaged directory')
  const name = directory.toString('utf8', at + 46, at + 46 + nameSize)
  const extra = directory.subarray(at + 46 + nameSize, at + 46 + nameSize + extraSize)
  const [size, packed, local] = wideFields(
    [24, 20, 42].map((field) => directory.readUInt32LE(at + field)),
    extra,
  ) as [number, number, number]
  const deflated = checkedMethod(
    path,
    name,
    directory.readUInt16LE(at + 8),
    directory.readUInt16LE(at + 10),
  )
  if (deflated ? size > largestRatio * packed : size !== packed)
    throw damaged(path, `the member ${printable(name)} with ${size} bytes out of ${packed}`)
  if (!(local + packed <= archive))
    throw damaged(path, `a member ${printable(name)} that is cut short`)
  const checksum = directory.readUInt32LE(at + 16)
  return { member: { name, local, packed, deflated, size, checksum }, next }
}

/** Whether a member is deflated. */
function checkedMethod(path: string, name: string, flags: number, method: number): boolean {
  if (flags & 1)
    throw fileError(
      path,
      `expected a plain archive, received the encrypted member ${printable(name)}`,
    )
  if (method !== methods.stored && method !== methods.deflated)
    throw fileError(path, `expected stored or deflated members, received the method ${method}`)
  return method === methods.deflated
}

/** Fields with those that stand elsewhere taken from the extra field, where they follow in this order. */
function wideFields(fields: readonly number[], extra: Buffer): number[] {
  let at = zip64Extra(extra)
  return fields.map((field) => {
    if (field !== elsewhere || at === undefined || at + 8 > extra.length) return field
    at += 8
    return Number(extra.readBigUInt64LE(at - 8))
  })
}

function zip64Extra(extra: Buffer): number | undefined {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2))
    if (extra.readUInt16LE(at) === zip64Field) return at + 4
  return undefined
}

/** A local header repeats the name and may have another extra field than the directory. */
async function contentStart(bytes: Bytes, { name, local, packed }: Member): Promise<number> {
  const header = Buffer.from(await readAt(bytes, local, 30))
  if (header.length < 30 || header.readUInt32LE(0) !== signatures.local)
    throw damaged(bytes.path, `a member ${printable(name)} without its header`)
  const start = local + 30 + header.readUInt16LE(26) + header.readUInt16LE(28)
  if (start + packed <= bytes.size) return start
  throw damaged(bytes.path, `a member ${printable(name)} that is cut short`)
}

const notWhole = (path: string, { name }: Member, cause?: unknown) =>
  fileError(path, `expected whole data in the member ${printable(name)}, received damaged data`, {
    cause,
  })

/** Bytes whose checksum is taken at a time. */
const pieceBytes = 1 << 20

/** What a member holds; it is checked as it is read, and its end by {@link MemberReader.checkEnd}. */
export class MemberReader implements ByteReader {
  readonly unpacked = false
  readonly path: string
  private checksum = 0
  private done = 0

  constructor(
    private readonly archive: string,
    private readonly member: Member,
    private readonly content: ByteReader,
  ) {
    this.path = `${archive}: ${member.name}`
  }

  get left() {
    return this.member.size - this.done
  }

  get position() {
    return this.member.deflated ? undefined : this.content.position
  }

  async fill(target: Uint8Array): Promise<number> {
    const wanted = target.subarray(0, this.left)
    for (let at = 0; at < wanted.length; at += pieceBytes) {
      const piece = wanted.subarray(at, at + pieceBytes)
      if ((await this.next(piece)) < piece.length) throw notWhole(this.archive, this.member)
      this.checksum = crc32(piece, this.checksum)
      this.done += piece.length
    }
    return wanted.length
  }

  private async next(target: Uint8Array): Promise<number> {
    try {
      return await this.content.fill(target)
    } catch (error) {
      throw error instanceof GemmineError ? notWhole(this.archive, this.member, error) : error
    }
  }

  /** Reads what is left, and throws unless all of it was what was packed. */
  async checkEnd() {
    await skip(this, this.left)
    const more = await this.next(new Uint8Array(1))
    if (more > 0 || this.checksum !== this.member.checksum)
      throw notWhole(this.archive, this.member)
  }

  close = () => this.content.close()
}

/** Where the content of a member lies: a small one is unpacked at once, with no thread to wait for. */
async function contentOf(bytes: Bytes, member: Member, start: number): Promise<ByteReader> {
  const { path } = bytes
  const lying = new PlainReader(bytes, start, start + member.packed)
  if (!member.deflated) return lying
  if (Math.max(member.size, member.packed) > smallBytes)
    return new InflatingReader(lying, 'raw', path)
  try {
    const packed = await take(lying, member.packed)
    const content = inflateRawSync(packed, { maxOutputLength: smallBytes + 1 })
    return new PlainReader(bytesInMemory(content, path), 0, content.length)
  } catch (error) {
    throw notWhole(path, member, error)
  }
}

/** Lets `use` read a member. */
export async function readMember<T>(
  bytes: Bytes,
  member: Member,
  use: (reader: MemberReader) => Promise<T>,
): Promise<T> {
  const content = await contentOf(bytes, member, await contentStart(bytes, member))
  const reader = new MemberReader(bytes.path, member, content)
  try {
    return await use(reader)
  } finally {
    await reader.close()
  }
}
