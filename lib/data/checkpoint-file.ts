// Files of checkpoints: named tensors, with the identity of the run in the metadata.
import { open, stat, unlink } from 'node:fs/promises'
import { invalid } from '../errors'
import { working } from '../jobs'
import { checkNumber } from '../options'
import { typeOfArray } from './element-types'
import { fileError, printable, replaceFile, systemFailure } from './file'
import { hashOf } from './hash'
import { placeBeside } from './place-beside'
import { formatSafetensors, readSafetensors, type Tensors } from './safetensors'
import { kindOf as kindOfArray } from './typed-array'

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

/** What a checkpoint is of; nothing if it does not say so. */
function runOf({ job, model }: Readonly<Record<string, unknown>>) {
  if (job !== undefined) return { kind: 'mining', name: 'mining job' }
  if (model === undefined) return undefined
  return String(model).startsWith('survey of ')
    ? { kind: 'survey', name: String(model) }
    : { kind: 'fit', name: `fit of ${String(model)}` }
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
  const [expected, written] = [runOf(identity), runOf(metadata)]
  if (written !== undefined && expected?.kind !== written.kind) {
    const text = printable(written.name)
    throw fileError(
      path,
      `expected a checkpoint of a ${expected?.name}, received that of a ${text}`,
    )
  }
  // The model first: the other fields of another model differ too, and say less.
  const { model } = identity
  for (const [name, value] of Object.entries(
    model === undefined ? identity : { model, ...identity },
  )) {
    const received = metadata[name]
    if (received === value) continue
    const what = contents.includes(name)
      ? `a checkpoint of the same ${name}`
      : `${name} ${value}, as in this call`
    throw fileError(path, `expected ${what}, received ${printable(String(received ?? 'none'))}`)
  }
  return metadata
}

/** A hash of all that a file holds: not every wrong number can be told from a right one. */
function checksumOf({ tensors, metadata: { checksum: _, ...metadata } }: Tensors): Promise<string> {
  const held = Object.entries(tensors).map(([name, { data, shape, type }]) => {
    const elements = typeOfArray(kindOfArray(data), type)
    return [`${name} ${elements} ${shape.join()}`, data] as const
  })
  return hashOf([['metadata', Buffer.from(JSON.stringify(metadata))], ...held])
}

/**
 * Reads a file of {@link writeCheckpoint}.
 *
 * @throws {GemmineError} `ERR_GEMMINE_FILE` if it is damaged.
 */
export async function readCheckpoint(path: string): Promise<Tensors> {
  const contents = await readSafetensors(path)
  if ((await working(checksumOf(contents))) === contents.metadata['checksum']) return contents
  throw fileError(path, 'expected a whole checkpoint, received a damaged one')
}

/**
 * Writes a checkpoint, with a checksum, completely beside its place, on the disk, and renames it.
 *
 * @throws {GemmineError} `ERR_GEMMINE_FILE` if it cannot be written; the earlier one is then unchanged.
 */
export const writeCheckpoint = (path: string, contents: Tensors): Promise<void> =>
  working(writeBeside(path, contents))

async function writeBeside(path: string, contents: Tensors): Promise<void> {
  const checksum = await checksumOf(contents)
  const { tensors, metadata } = contents
  await replaceFile(path, await formatSafetensors({ tensors, metadata: { ...metadata, checksum } }))
}
