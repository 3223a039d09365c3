// Checks the files of checkpoints, for writing and for resuming.
import { open, stat, unlink } from 'node:fs/promises'
import { fileError, printable, systemFailure } from '../data/file'
import { checkInteger, checkNumber, frozen } from '../options'
import { invalid } from '../errors'
import type { NativeSource } from '../native'
import type { EntryOptions } from './entry-options'

/** The only place where the defaults of checkpoints are written. */
export const checkpointDefaults = frozen({
  /**
   * A file for the state of the run; none unless given. It is written completely and renamed: after the
   * start, at the end of the first iteration after every `checkpointSeconds`, at the end, and when `signal`
   * aborts, after the current iteration.
   */
  checkpoint: undefined as string | undefined,
  /** Seconds between two checkpoints, 60 unless given. */
  checkpointSeconds: 60,
  /**
   * A checkpoint from which to resume, with the same bits as a run without interruption; none unless given. X
   * and all options except `iterations`, `threads` and checkpoints must equal those of the run that wrote it.
   */
  resume: undefined as string | undefined,
})

export interface CheckpointOptions {
  readonly checkpoint?: string | undefined
  readonly checkpointSeconds: number
  readonly resume?: string | undefined
}

/** The identity of a run; all fields must be equal when it is resumed. */
export type Identity = Readonly<Record<string, string>>

const format = 'gemmine.checkpoint'

/** Maximum header length of a checkpoint, in bytes. Each rank of a survey takes about 340. */
const headerLimit = 1 << 23

export function checkCheckpointOptions(options: CheckpointOptions) {
  const { checkpoint, checkpointSeconds, resume } = options
  for (const [name, path] of Object.entries({ checkpoint, resume }))
    if (path !== undefined && (typeof path !== 'string' || path === ''))
      throw invalid(name, 'the name of a file', path)
  checkNumber('checkpointSeconds', checkpointSeconds, 0)
}

/** The options of a run as texts. The order counts: native code compares the whole text of an identity. */
export async function textsOf(
  {
    mask,
    sampleWeight,
    ...scalars
  }: Readonly<Record<string, unknown>> & Partial<Pick<EntryOptions, 'mask' | 'sampleWeight'>>,
  fingerprint: (of: NativeSource) => Promise<string>,
): Promise<Identity> {
  const contents = async (
    name: string,
    type: 'uint8' | 'float32',
    data?: Uint8Array | Float32Array,
  ) => data && fingerprint({ name, type, data, rows: 1, cols: data.length, stride: data.length })
  const given = {
    ...scalars,
    mask: await contents('mask', 'uint8', mask),
    sampleWeight: await contents('sampleWeight', 'float32', sampleWeight),
  }
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [name, String(value ?? 'none')]),
  )
}

/** Fields that are fingerprints. */
const contents: readonly string[] = ['X', 'graph', 'mask', 'sampleWeight']

/** The metadata of a checkpoint of this run. */
export const stamped = (identity: Identity): Identity => ({ format, ...identity })

export const identityText = (identity: Identity) => JSON.stringify(stamped(identity))

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
 * Checks, before work starts, that a checkpoint can be written to a path.
 *
 * @throws {GemmineError} `ERR_GEMMINE_FILE` if its folder is missing or not writable, or another file exists
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
 * Returns the number of objectives in a checkpoint.
 *
 * @throws {TypeError} if the file is no checkpoint, or that of another X, model or option.
 */
export async function checkResume(path: string, identity: Identity): Promise<number> {
  const metadata = await readMetadata(path)
  if (metadata['format'] !== format)
    throw fileError(path, 'expected a checkpoint of gemmine, received another file')
  for (const [name, value] of Object.entries(identity)) {
    const received = metadata[name]
    if (received === value) continue
    const what = contents.includes(name)
      ? `a checkpoint of this ${name}`
      : `${name} ${value}, as in this call`
    throw fileError(path, `expected ${what}, received ${printable(String(received))}`)
  }
  const objectives = Number(metadata['objectives'])
  checkInteger('resume', objectives, 0)
  return objectives
}
