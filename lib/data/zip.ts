import { crc32 } from 'node:zlib'
import { inflate, inflateSync } from 'fflate'
import { fileError, printable } from './file'

/** A member of an archive as its directory lists it. */
export interface Member {
  readonly name: string
  /** The bytes as they lie in the archive, borrowed. */
  readonly packed: Uint8Array
  readonly deflated: boolean
  /** Bytes of the content, as claimed. */
  readonly size: number
  readonly checksum: number
}

const signatures = { local: 0x04034b50, entry: 0x02014b50, end: 0x06054b50 }

const methods = { stored: 0, deflated: 8 }

/** DEFLATE makes at most 258 bytes of 2 bits; a larger claim is a lie. */
const largestRatio = 1032

/** Larger members are unpacked on another thread. */
const threadBytes = 1 << 20

const damaged = (path: string, what: string) =>
  fileError(path, `expected a whole zip archive, received ${what}`)

/**
 * Lists the members of a zip archive. Every offset and size is checked against the archive, and
 * nothing is unpacked.
 */
export function zipMembers(bytes: Uint8Array, path: string): Map<string, Member> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const end = directoryEnd(view)
  if (end === undefined)
    throw damaged(path, bytes.length === 0 ? 'an empty file' : 'a file without its directory')
  const count = view.getUint16(end + 10, true)
  let at = view.getUint32(end + 16, true)
  if (count === 0xffff || at === 0xffffffff)
    throw fileError(path, 'expected a zip archive below 4 GiB')
  const members = new Map<string, Member>()
  for (let i = 0; i < count; i++) {
    const { member, next } = directoryEntry(bytes, view, path, at, end)
    if (members.has(member.name)) throw damaged(path, `the member ${printable(member.name)} twice`)
    members.set(member.name, member)
    at = next
  }
  return members
}

/** The end record is 22 bytes and a comment of at most 65 535. */
function directoryEnd(view: DataView): number | undefined {
  const lowest = Math.max(0, view.byteLength - 22 - 0xffff)
  for (let at = view.byteLength - 22; at >= lowest; at--)
    if (view.getUint32(at, true) === signatures.end) return at
  return undefined
}

function directoryEntry(bytes: Uint8Array, view: DataView, path: string, at: number, end: number) {
  if (at + 46 > end || view.getUint32(at, true) !== signatures.entry)
    throw damaged(path, 'a damaged directory')
  const [flags, method] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)]
  const checksum = view.getUint32(at + 16, true)
  const packedSize = view.getUint32(at + 20, true)
  const size = view.getUint32(at + 24, true)
  const [nameSize, extra, comment] = [28, 30, 32].map((field) =>
    view.getUint16(at + field, true),
  ) as [number, number, number]
  const next = at + 46 + nameSize + extra + comment
  if (next > end) throw damaged(path, 'a damaged directory')
  const name = Buffer.from(bytes.buffer, bytes.byteOffset + at + 46, nameSize).toString('utf8')
  if (flags & 1)
    throw fileError(
      path,
      `expected a plain archive, received the encrypted member ${printable(name)}`,
    )
  if (method !== methods.stored && method !== methods.deflated)
    throw fileError(path, `expected stored or deflated members, received the method ${method}`)
  const deflated = method === methods.deflated
  if (deflated ? size > largestRatio * packedSize : size !== packedSize)
    throw damaged(path, `the member ${printable(name)} with ${size} bytes out of ${packedSize}`)
  const start = contentStart(view, path, view.getUint32(at + 42, true), name)
  if (start + packedSize > end) throw damaged(path, `a member ${printable(name)} that is cut short`)
  return {
    member: { name, packed: bytes.subarray(start, start + packedSize), deflated, size, checksum },
    next,
  }
}

/** A local header repeats the name and may have another extra field than the directory. */
function contentStart(view: DataView, path: string, local: number, name: string): number {
  if (local + 30 > view.byteLength || view.getUint32(local, true) !== signatures.local)
    throw damaged(path, `a member ${printable(name)} without its header`)
  return local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true)
}

/** The content of a member. */
export function unpack(member: Member, path: string): Uint8Array {
  if (!member.deflated) return checked(member, member.packed, path)
  try {
    return checked(member, inflateSync(member.packed, { out: new Uint8Array(member.size) }), path)
  } catch (error) {
    throw unpackFailure(member, path, error)
  }
}

/** The content of a member; a large one is unpacked while the event loop turns. */
export async function unpackAside(member: Member, path: string): Promise<Uint8Array> {
  if (!member.deflated || member.size < threadBytes) return unpack(member, path)
  // Copied, because what goes to the other thread is lost here.
  const packed = new Uint8Array(member.packed)
  const content = await new Promise<Uint8Array>((resolve, reject) =>
    inflate(packed, { size: member.size, consume: true }, (error, data) =>
      error ? reject(unpackFailure(member, path, error)) : resolve(data),
    ),
  )
  return checked(member, content, path)
}

const unpackFailure = ({ name }: Member, path: string, cause: unknown) =>
  fileError(path, `expected whole data in the member ${printable(name)}, received damaged data`, {
    cause,
  })

function checked(member: Member, content: Uint8Array, path: string): Uint8Array {
  if (content.length === member.size && crc32(content) === member.checksum) return content
  throw unpackFailure(member, path, undefined)
}
