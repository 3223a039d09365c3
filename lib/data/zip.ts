import { crc32, inflateRawSync } from 'node:zlib'
import { GemmineError } from '../errors'
import { bytesInMemory, InflatingReader, PlainReader, readAt, skip, take } from './byte-reader'
import type { ByteReader, Bytes } from './byte-reader'
import { fileError, printable } from './file'
import { largestRatio } from './inflate'
import { damaged, directoryPlace } from './zip-directory'

/** A member of an archive, as listed in its directory. */
export interface Member {
  readonly name: string
  /** Position of its local header in the archive, in bytes. */
  readonly local: number
  /** Bytes in the archive. */
  readonly packed: number
  readonly deflated: boolean
  /** Claimed size of the content, in bytes. */
  readonly size: number
  readonly checksum: number
}

const signatures = { local: 0x04034b50, entry: 0x02014b50 }

const methods = { stored: 0, deflated: 8 }

/** A 32-bit field with this value is stored in 64 bits in the extra field. */
const elsewhere = 0xffffffff

/** The id of that extra field. */
const zip64Field = 0x0001

/** Members of at most this many bytes are unpacked synchronously. */
const smallBytes = 1 << 15

/**
 * Lists the members of a zip archive, also Zip64. Checks their sizes against the archive; unpacks nothing.
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

/** Replaces fields that are stored elsewhere by those of the extra field, which has them in this order. */
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

/** The local header repeats the name; its extra field may differ from that of the directory. */
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

/** Bytes per update of the checksum. */
const pieceBytes = 1 << 20

/** Reads the content of a member with a checksum; {@link MemberReader.checkEnd} checks the end. */
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

  /** Reads the rest, and throws if size or checksum is wrong. */
  async checkEnd() {
    await skip(this, this.left)
    const more = await this.next(new Uint8Array(1))
    if (more > 0 || this.checksum !== this.member.checksum)
      throw notWhole(this.archive, this.member)
  }

  close = () => this.content.close()
}

/** A reader of the content of a member. A small one is unpacked synchronously, without a thread. */
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

/** Calls `use` with a reader of a member. */
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
