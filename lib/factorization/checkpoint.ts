// Checkpoints of a run: where it writes them, and how it goes on from one.
import { open, stat, unlink } from 'node:fs/promises'
import { fileError, printable, systemFailure } from '../data/file'
import { checkInteger, checkNumber, frozen } from '../options'
import { invalid } from '../errors'

/** The only place where the defaults of checkpoints are written. */
export const checkpointDefaults = frozen({
  /**
   * A file in which the run keeps itself; none unless given. It is written, whole and by rename, after the
   * start, at the end of the first iteration after every `checkpointSeconds`, at the end, and when `signal`
   * aborts, for which the iteration under way is finished first.
   */
  checkpoint: undefined as string | undefined,
  /** Seconds between two checkpoints, 60 unless given. */
  checkpointSeconds: 60,
  /**
   * A checkpoint to go on from, to the bits of a run that was never interrupted; none unless given. X and
   * all options but `iterations`, `threads` and checkpoints must be those of the run that wrote it.
   */
  resume: undefined as string | undefined,
})

export interface CheckpointOptions {
  readonly checkpoint?: string | undefined
  readonly checkpointSeconds: number
  readonly resume?: string | undefined
}

/** What tells a run: all of it must agree where one goes on. */
export type Identity = Readonly<Record<string, string>>

const format = 'gemmine.checkpoint'

/** Longer headers are no checkpoint's. */
const headerLimit = 1 << 20

export function checkCheckpointOptions(options: CheckpointOptions) {
  const { checkpoint, checkpointSeconds, resume } = options
  for (const [name, path] of Object.entries({ checkpoint, resume }))
    if (path !== undefined && (typeof path !== 'string' || path === ''))
      throw invalid(name, 'the name of a file', path)
  checkNumber('checkpointSeconds', checkpointSeconds, 0)
}

export const identityText = (identity: Identity) => JSON.stringify({ format, ...identity })

async function readMetadata(path: string): Promise<Record<string, unknown>> {
  const file = await open(path).catch((error: unknown) => {
    throw systemFailure(path, error)
  })
  try {
    const start = Buffer.alloc(8)
    const { bytesRead } = await file.read(start, 0, 8, 0)
    const length = bytesRead === 8 ? Number(start.readBigUInt64LE()) : 0
    if (length === 0 || length > headerLimit) return {}
    const header = Buffer.alloc(length)
    await file.read(header, 0, length, 8)
    const { __metadata__: metadata } = JSON.parse(header.toString()) as Record<string, unknown>
    return typeof metadata === 'object' && metadata !== null
      ? (metadata as Record<string, unknown>)
      : {}
  } catch {
    return {}
  } finally {
    await file.close()
  }
}

async function kindOf(path: string) {
  try {
    return await stat(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw systemFailure(path, error)
  }
}

/**
 * Makes sure, before work starts, that a checkpoint can come to stand at a place.
 *
 * @throws {GemmineError} `ERR_GEMMINE_FILE` if its folder is missing or takes no files, or another file is
 *   there, which the first checkpoint would replace.
 */
export async function checkPlace(path: string): Promise<void> {
  const there = await kindOf(path)
  if (there?.isDirectory()) throw fileError(path, 'expected a file, received a folder')
  if (there && !there.isFile()) throw fileError(path, 'expected a file, received a pipe or device')
  if (there && there.size > 0 && (await readMetadata(path))['format'] !== format)
    throw fileError(path, 'expected a new file, or a checkpoint to replace, received another file')
  const beside = `${path}.part-${process.pid}-tried`
  try {
    await (await open(beside, 'w')).close()
    await unlink(beside)
  } catch (error) {
    throw systemFailure(path, error)
  }
}

/**
 * How many objectives a checkpoint holds.
 *
 * @throws {TypeError} if the file is no checkpoint, or one of another X, model or option.
 */
export async function checkResume(path: string, identity: Identity): Promise<number> {
  const metadata = await readMetadata(path)
  if (metadata['format'] !== format)
    throw fileError(path, 'expected a checkpoint of gemmine, received another file')
  for (const [name, value] of Object.entries(identity)) {
    const received = metadata[name]
    if (received === value) continue
    const what = name === 'X' ? 'a checkpoint of this X' : `${name} ${value}, as in this call`
    throw fileError(path, `expected ${what}, received ${printable(String(received))}`)
  }
  const objectives = Number(metadata['objectives'])
  checkInteger('resume', objectives, 0)
  return objectives
}
