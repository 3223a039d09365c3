import * as fs from 'node:fs'
import { open, rename, stat, unlink } from 'node:fs/promises'
import { promisify } from 'node:util'
import { GemmineError, invalidText, shown } from '../errors'
import { fileError, systemFailure } from '../file-errors'
import { working } from '../jobs'
import type { DenseData } from './element-types'
import { detached } from '../lending'
import { planMemory } from '../memory'
import { placeBeside } from './place-beside'
import { borrowable } from './typed-array'

export { fileError, systemFailure } from '../file-errors'

/** Maximum of bytes per read of the system, whose limit is 2 GiB. */
const pieceBytes = 1 << 26

const openDescriptor = promisify(fs.open)
const readDescriptor = promisify(fs.read)
const statDescriptor = promisify(fs.fstat)
export const closeDescriptor: (fd: number) => Promise<void> = promisify(fs.close)

export function checkPath(path: unknown): asserts path is string {
  if (typeof path !== 'string' || path === '') throw invalidText('path', 'a path', shown(path))
}

const escapes: Record<string, string> = { '\t': '\\t', '\n': '\\n', '\r': '\\r' }

const escaped = (character: string) =>
  escapes[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/** Text of a file on one short line. */
export function printable(text: string, limit = 80): string {
  if (text === '') return 'nothing'
  const plain = text
    .slice(0, limit + 1)
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, escaped)
  return plain.length > limit ? `${plain.slice(0, limit)}…` : plain
}

/** A JSON value on one short line, of any depth. */
export function shownJson(value: unknown): string {
  if (typeof value === 'string') return printable(value)
  if (Array.isArray(value)) return `an array of ${value.length}`
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}

export interface OpenFile {
  readonly path: string
  readonly fd: number
  /** Size in bytes. */
  readonly size: number
}

/**
 * Opens a regular file for reading. The descriptor is a plain number, which the garbage collector does not
 * close: the caller must close it.
 */
export async function openFile(path: string): Promise<OpenFile> {
  checkPath(path)
  try {
    // Checked first, because opening a pipe waits for its writer.
    const kind = await stat(path)
    if (!kind.isFile())
      throw fileError(
        path,
        `expected a file, received ${kind.isDirectory() ? 'a folder' : 'a pipe or device'}`,
      )
    const fd = await openDescriptor(path, 'r')
    try {
      const { size } = await statDescriptor(fd)
      return { path, fd, size }
    } catch (error) {
      await closeDescriptor(fd)
      throw error
    }
  } catch (error) {
    throw systemFailure(path, error)
  }
}

/** Fills `target` from `position` on; a file that ends too early is an error. */
export async function readInto({ path, fd }: OpenFile, target: Uint8Array, position: number) {
  for (let at = 0; at < target.length;) {
    const length = Math.min(pieceBytes, target.length - at)
    const { bytesRead } = await readDescriptor(fd, target, at, length, position + at)
    if (bytesRead === 0)
      throw fileError(
        path,
        `expected ${target.length} bytes after byte ${position}, received ${at}`,
      )
    at += bytesRead
  }
}

/** Reads a part of a file into a new buffer, so that a typed array over it is aligned. */
export async function readRange(
  file: OpenFile,
  position: number,
  length: number,
): Promise<Uint8Array> {
  const bytes = allocateBytes(file.path, length)
  await readInto(file, bytes, position)
  return bytes
}

export function allocateBytes(path: string, length: number): Uint8Array {
  planMemory(`${path}, read whole,`, length)
  try {
    return new Uint8Array(length)
  } catch (error) {
    const sentence = `${path}: its ${length} bytes do not fit into memory`
    throw new GemmineError('ERR_GEMMINE_OUT_OF_MEMORY', sentence, { cause: error })
  }
}

/** Opens a file, uses it and closes it. */
export const withFile = <T>(path: string, use: (file: OpenFile) => Promise<T>): Promise<T> =>
  working(useFile(path, use))

async function useFile<T>(path: string, use: (file: OpenFile) => Promise<T>): Promise<T> {
  const file = await openFile(path)
  try {
    return await use(file)
  } catch (error) {
    throw systemFailure(path, error)
  } finally {
    await closeDescriptor(file.fd)
  }
}

/** Reads a whole file, of any size that fits in memory. */
export const readBytes = (path: string): Promise<Uint8Array> =>
  withFile(path, (file) => readRange(file, 0, file.size))

/** The bytes of a typed array, borrowed while they are written. */
export function bytesOf(array: DenseData): Uint8Array {
  const { buffer, byteOffset, byteLength } = borrowable<DenseData>(array)
  return new Uint8Array(buffer, byteOffset, byteLength)
}

/**
 * Writes a file piece by piece; each piece is requested after the one before it is written.
 *
 * @throws {TypeError} if pieces given at the call are detached in the meantime.
 */
export const writePieces = (
  path: string,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> => working(writeInPlace(path, pieces))

async function writeInPlace(
  path: string,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  checkPath(path)
  const there = Array.isArray(pieces) ? (pieces as Uint8Array[]) : []
  const lengths = there.map(({ byteLength }) => byteLength)
  const areGone = () => there.some(({ byteLength }, i) => byteLength !== lengths[i])
  try {
    const handle = await open(path, 'w')
    try {
      for await (const piece of pieces) await handle.writeFile(piece)
    } finally {
      await handle.close()
    }
    if (areGone()) throw detached('data')
  } catch (error) {
    throw areGone() ? detached('data') : systemFailure(path, error)
  }
}

/**
 * Writes a file completely beside its place, on the disk, and renames it. Of several writers of one path each
 * writes its own file, and the last one to finish stays.
 *
 * @throws {GemmineError} `ERR_GEMMINE_FILE` if it cannot be written; the earlier one is then unchanged.
 */
export const replaceFile = (
  path: string,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> => working(writeBeside(path, pieces))

async function writeBeside(
  path: string,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  checkPath(path)
  const beside = placeBeside(path)
  try {
    const file = await open(beside, 'w')
    try {
      for await (const piece of pieces) await file.writeFile(piece)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(beside, path)
  } catch (error) {
    await unlink(beside).catch(() => {})
    throw systemFailure(path, error)
  }
}
