import { printable } from './file'

/** The first bytes of files, by format. */
export const npyMagic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]
const zipMagic = [0x50, 0x4b, 0x03, 0x04]
/** The first bytes of an archive without members. */
const emptyZipMagic = [0x50, 0x4b, 0x05, 0x06]

/** Number of first bytes that a message about a wrong format uses. */
export const shownBytes = 80

const beginsWith = (bytes: Uint8Array, magic: readonly number[]) =>
  magic.every((byte, i) => byte === bytes[i])

export const isNpy = (bytes: Uint8Array) => beginsWith(bytes, npyMagic)

export const isZip = (bytes: Uint8Array) =>
  beginsWith(bytes, zipMagic) || beginsWith(bytes, emptyZipMagic)

/** A length of 8 bytes, whose upper bytes are 0, then a JSON object. */
export const isSafetensors = (bytes: Uint8Array) =>
  bytes[8] === 0x7b && beginsWith(bytes.subarray(4), [0, 0, 0, 0])

const parquetMagic = [0x50, 0x41, 0x52, 0x31]

export const isParquet = (bytes: Uint8Array) => beginsWith(bytes, parquetMagic)

const others: readonly (readonly [start: string, name: string])[] = [
  ['\x89HDF', 'an HDF5 file'],
  ['PAR1', 'a Parquet file'],
  ['ARROW1', 'an Arrow file'],
  ['\x1f\x8b', 'gzip data'],
  ['\x28\xb5\x2f\xfd', 'Zstandard data'],
  ['BZh', 'bzip2 data'],
  ['\xfd7zXZ', 'xz data'],
]

/** For messages: the apparent format of a file, or its first bytes. */
export function shownFormat(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'an empty file'
  if (isNpy(bytes)) return 'a NumPy .npy file'
  if (isZip(bytes)) return 'a zip archive, as .npz is'
  if (isSafetensors(bytes)) return 'a safetensors file'
  const start = Buffer.from(bytes.subarray(0, shownBytes)).toString('latin1')
  const known = others.find(([magic]) => start.startsWith(magic))
  if (known) return known[1]
  if (/^[\t\n\r\x20-\x7e]*$/.test(start)) return `text: ${printable(start)}`
  return `a file that begins with the bytes ${Buffer.from(bytes.subarray(0, 8)).toString('hex')}`
}
