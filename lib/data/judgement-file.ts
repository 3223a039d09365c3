// A file of judgements that grows: only whole lines are appended, so a process may be killed at any time.
import type { FileHandle } from 'node:fs/promises'
import { open } from 'node:fs/promises'
import type { AbortSignalLike } from '../cancellation'
import { checkPath, fileError, systemFailure } from './file'
import { headerLine, JudgementReader, type JudgedInputs, type Judgement } from './judgement-lines'
import { readLines } from './lines'

/** A line of this file is shorter, whole or torn. */
const longestLine = 4096

const newline = 0x0a

/** Where the whole lines of a file end, and whether something comes after them. */
async function endOfLines(path: string, handle: FileHandle, size: number) {
  const tail = Buffer.alloc(Math.min(size, longestLine))
  await handle.read(tail, 0, tail.length, size - tail.length)
  const last = tail.lastIndexOf(newline)
  if (last === -1 && size > tail.length)
    throw fileError(path, `expected lines of at most ${longestLine} bytes, received a longer one`)
  return size - tail.length + last + 1
}

export class JudgementFile {
  #writing: Promise<void> = Promise.resolve()

  /** @param size Bytes of the file, all of them whole lines. */
  private constructor(
    private readonly path: string,
    private readonly handle: FileHandle,
    private size: number,
  ) {}

  /**
   * Opens a file, or begins one, and reads what it holds.
   *
   * @param take Receives each judgement, in the order of the file.
   * @throws {GemmineError} `ERR_GEMMINE_FILE` if the file holds anything else, or judgements of other inputs.
   */
  static async open(
    path: string,
    inputs: JudgedInputs,
    take: (query: number, row: number, judgement: Judgement) => void,
    signal: AbortSignalLike | undefined,
  ): Promise<JudgementFile> {
    checkPath(path)
    try {
      const handle = await open(path, 'a+')
      try {
        const file = new JudgementFile(
          path,
          handle,
          await resume(path, handle, inputs, take, signal),
        )
        if (file.size === 0) await file.append(headerLine(inputs))
        return file
      } catch (error) {
        await handle.close()
        throw error
      }
    } catch (error) {
      throw systemFailure(path, error)
    }
  }

  /** Appends whole lines, after those of the calls before. */
  append(lines: string): Promise<void> {
    const written = this.#writing.then(() => this.write(Buffer.from(lines)))
    this.#writing = written.catch(() => {})
    return written
  }

  /** Closes the file when all lines are written. */
  async close(): Promise<void> {
    await this.#writing
    await this.handle.close()
  }

  private async write(bytes: Buffer) {
    try {
      const { size } = await this.handle.stat()
      if (size !== this.size)
        throw fileError(
          this.path,
          `expected ${this.size} bytes, received ${size}: another run may write to it`,
        )
      // Counted first: after a failure the size is unknown, and no further line may be written.
      this.size += bytes.length
      await this.handle.appendFile(bytes)
    } catch (error) {
      throw systemFailure(this.path, error)
    }
  }
}

/** Reads a file, removes a torn last line, and returns the number of bytes that remain. */
async function resume(
  path: string,
  handle: FileHandle,
  inputs: JudgedInputs,
  take: (query: number, row: number, judgement: Judgement) => void,
  signal: AbortSignalLike | undefined,
): Promise<number> {
  const kind = await handle.stat()
  if (!kind.isFile()) throw fileError(path, 'expected a file, received a pipe or device')
  const { size } = kind
  if (size === 0) return 0
  const first = Buffer.alloc(Math.min(size, longestLine))
  await handle.read(first, 0, first.length, 0)
  // A part of the first line alone: nothing was written after it.
  if (size === first.length && headerLine(inputs).startsWith(first.toString('latin1'))) {
    if (first.at(-1) === newline) return size
    await handle.truncate(0)
    return 0
  }
  // Packed data would be read, and lines be appended to it that nobody could read.
  if (first[0] !== '{'.charCodeAt(0))
    throw fileError(path, 'expected a file of judgements, received another file')
  const reader = new JudgementReader(path, inputs, take)
  const { torn } = await readLines(path, reader, { signal })
  const end = await endOfLines(path, handle, size)
  if (end === size) {
    if (torn) reader.throwPending()
    return size
  }
  if (torn) {
    await handle.truncate(end)
    return end
  }
  await handle.appendFile('\n')
  return size + 1
}
