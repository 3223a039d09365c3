// Finds the directory of a zip archive from the end record of the archive, possibly Zip64.
import { readAt } from './byte-reader'
import type { Bytes } from './byte-reader'
import { fileError } from './file'

const signatures = { end: 0x06054b50, wideEnd: 0x06064b50, wideLocator: 0x07064b50 }

/** The end record has 22 bytes and a comment of at most 65 535; the Zip64 locator precedes it. */
const endBytes = 22
const locatorBytes = 20
const wideEndBytes = 56

/** About 50 000 members: reading the directory blocks the event loop. */
const directoryLimit = 1 << 22

export const damaged = (path: string, what: string) =>
  fileError(path, `expected a whole zip archive, received ${what}`)

interface Place {
  /** Position in bytes. */
  readonly begin: number
  readonly size: number
  /** Number of members. */
  readonly count: number
}

export async function directoryPlace(bytes: Bytes): Promise<Place> {
  const length = Math.min(bytes.size, locatorBytes + endBytes + 0xffff)
  const first = bytes.size - length
  const tail = Buffer.from(await readAt(bytes, first, length))
  const end = endRecord(tail)
  if (end === undefined)
    throw damaged(bytes.path, bytes.size === 0 ? 'an empty file' : 'a file without its directory')
  const wide = await wideRecord(bytes, tail, end)
  const place = wide ?? {
    begin: tail.readUInt32LE(end + 16),
    size: tail.readUInt32LE(end + 12),
    count: tail.readUInt16LE(end + 10),
  }
  if (!(place.begin + place.size <= first + end) || place.size > directoryLimit)
    throw damaged(bytes.path, 'a damaged directory')
  return place
}

function endRecord(tail: Buffer): number | undefined {
  for (let at = tail.length - endBytes; at >= 0; at--)
    if (tail.readUInt32LE(at) === signatures.end) return at
  return undefined
}

/** The Zip64 record, if a locator precedes the end record. */
async function wideRecord(bytes: Bytes, tail: Buffer, end: number): Promise<Place | undefined> {
  const locator = end - locatorBytes
  if (locator < 0 || tail.readUInt32LE(locator) !== signatures.wideLocator) return undefined
  const at = Number(tail.readBigUInt64LE(locator + 8))
  const record = Buffer.from(await readAt(bytes, at, wideEndBytes))
  if (record.length < wideEndBytes || record.readUInt32LE(0) !== signatures.wideEnd)
    throw damaged(bytes.path, 'a damaged directory')
  return {
    begin: Number(record.readBigUInt64LE(48)),
    size: Number(record.readBigUInt64LE(40)),
    count: Number(record.readBigUInt64LE(32)),
  }
}
