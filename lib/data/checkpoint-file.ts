// Files of checkpoints: named tensors, with the identity of the run in the metadata.
import { open, stat, unlink } from 'node:fs/promises'
import { invalid } from '../errors'
import { working } from '../jobs'
import { checkNumber } from '../options'
import { fileError, printable, replaceFile, systemFailure } from './file'
import { placeBeside } from './place-beside'
import { formatSafetensors, type Tensors } from './safetensors'

export interface CheckpointOptions {
  readonly checkpoint?: string | undefined
  readonly checkpointSeconds: number
  readonly resume?: string | undefined
}

export function checkCheckpointOptions(options: CheckpointOptions) {
  const { checkpoint, checkpointSeconds, resume } = options
  for (const [name, path] of Object.entries({ checkpoint, resume }))
    if (path !== undefined && (typeof path !== 'string' || path === ''))
      throw invalid(name, 'the name of a file', path)
  checkNumber('checkpointSeconds', checkpointSeconds, 0)
}

/** The identity of a run; all fields must be equal when it is resumed. */
export type Identity = Readonly<Record<string, string>>

const format = 'gemmine.checkpoint'

/** Maximum header length of a checkpoint, in bytes. Each rank of a survey takes about 340. */
const headerLimit = 1 << 23

/** The metadata of a checkpoint of this run. */
export const stamped = (identity: Identity): Identity => ({ format, ...identity })

const readMetadata = (path: string) => working(metadataOf(path))

async function metadataOf(path: string): Promise<Record<string, unknown>> {
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
export const checkPlace = (path: string): Promise<void> => working(tryPlace(path))

async function tryPlace(path: string): Promise<void> {
  const there = await kindOf(path)
  if (there?.isDirectory()) throw fileError(path, 'expected a file, received a folder')
  if (there && !there.isFile()) throw fileError(path, 'expected a file, received a pipe or device')
  if (there && there.size > 0 && (await readMetadata(path))['format'] !== format)
    throw fileError(path, 'expected a new file, or a checkpoint to replace, received another file')
  const beside = `${placeBeside(path)}-tried`
  try {
    await (await open(beside, 'w')).close()
    await unlink(beside)
  } catch (error) {
    throw systemFailure(path, error)
  }
}

/**
 * Returns the metadata of a checkpoint of this run.
 *
 * @param contents Names of the fields that are fingerprints.
 * @throws {GemmineError} `ERR_GEMMINE_FILE` if the file is no checkpoint, or that of another input or option.
 */
export async function checkIdentity(
  path: string,
  identity: Identity,
  contents: readonly string[],
): Promise<Record<string, unknown>> {
  const metadata = await readMetadata(path)
  if (metadata['format'] !== format)
    throw fileError(path, 'expected a checkpoint of gemmine, received another file')
  const kinds = [identity['model'], metadata['model']]
  const surveys = kinds.filter((kind) => String(kind).startsWith('survey of '))
  if (surveys.length === 1 && kinds[1] !== undefined) {
    const [expected, received] = kinds.map((kind) =>
      kind === surveys[0] ? kind : `fit of ${kind}`,
    )
    const text = printable(String(received))
    throw fileError(path, `expected a checkpoint of a ${expected}, received that of a ${text}`)
  }
  for (const [name, value] of Object.entries(identity)) {
    const received = metadata[name]
    if (received === value) continue
    const what = contents.includes(name)
      ? `a checkpoint of the same ${name}`
      : `${name} ${value}, as in this call`
    throw fileError(path, `expected ${what}, received ${printable(String(received ?? 'none'))}`)
  }
  return metadata
}

/**
 * Writes a checkpoint completely beside its place, on the disk, and renames it.
 *
 * @throws {GemmineError} `ERR_GEMMINE_FILE` if it cannot be written; the earlier one is then unchanged.
 */
export const writeCheckpoint = (path: string, contents: Tensors): Promise<void> =>
  working(writeBeside(path, contents))

async function writeBeside(path: string, contents: Tensors): Promise<void> {
  await replaceFile(path, await formatSafetensors(contents))
}
