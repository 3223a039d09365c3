// The options of checkpoints of factorizations, and the identity of a run.
import { stat } from 'node:fs/promises'
import { checkIdentity, stamped, type Identity } from '../data/checkpoint-file'
import { fileError, printable } from '../data/file'
import { frozen } from '../options'
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

export const identityText = (identity: Identity) => JSON.stringify(stamped(identity))

/**
 * Returns the number of objectives in a checkpoint.
 *
 * @throws {GemmineError} `ERR_GEMMINE_FILE` if the file is no checkpoint, or that of another X, model or option.
 */
export async function checkResume(path: string, identity: Identity): Promise<number> {
  const { objectives: text } = await checkIdentity(path, identity, contents)
  const objectives = /^\d+$/.test(String(text)) ? Number(text) : NaN
  // Each one takes 16 bytes of the file.
  const most = Math.floor((await stat(path)).size / 16)
  if (objectives <= most) return objectives
  const received = printable(String(text))
  throw fileError(path, `expected a number of at most ${most} objectives, received ${received}`)
}
