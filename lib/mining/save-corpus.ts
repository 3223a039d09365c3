import { runJob, type CheckedJob, type NativeCorpus, type NativePacking } from '../native'
import { writeCorpus } from './corpus-file'
import type { Metric } from './metric'
import type { RowIds } from './row-ids'

/** A corpus as it is at one time. */
interface Saved {
  readonly native: NativeCorpus
  /** Rows that have a number, also those removed. */
  readonly rows: number
  readonly cols: number
  readonly metric: Metric
  readonly device: string
  readonly ids: RowIds | undefined
}

/** Elements of rows that are saved at once. */
const savedAtOnce = 1 << 20

async function* rowsOf({ native, rows, cols, metric, device }: Saved, job: CheckedJob) {
  const most = Math.max(1, Math.floor(savedAtOnce / cols))
  for (let row = 0; row < rows; row += most) {
    const places = Int32Array.from({ length: Math.min(most, rows - row) }, (_, i) => row + i)
    const to = new Float32Array(places.length * cols)
    await runJob(job, {}, (addon, control) =>
      addon.takeRows(native, { device, metric }, places, to, control),
    )
    yield to
  }
}

/** Pages that are saved at once: those of a few checksums. */
const pagesAtOnce = (pageBytes: number) => 32 * Math.max(1, Math.floor(savedAtOnce / 8 / pageBytes))

async function* packedOf({ native, rows }: Saved, { pageBytes }: NativePacking, job: CheckedJob) {
  const all = Math.ceil(rows / 32)
  const most = pagesAtOnce(pageBytes)
  for (let first = 0; first < all; first += most) {
    const count = Math.min(most, all - first)
    const pages = new Float32Array((count * pageBytes) / 4)
    const checksums = new Uint32Array(2 * Math.ceil(count / 32))
    await runJob(job, {}, (addon, control) =>
      addon.takePacked(native, first, pages, checksums, control),
    )
    yield { pages, checksums }
  }
}

/** Writes a corpus to a file. */
export async function saveRows(path: string, saved: Saved, job: CheckedJob): Promise<void> {
  const { native, rows, cols, metric, ids } = saved
  const words = Math.ceil(rows / 32)
  const live = native.live() ?? new Uint32Array(words).fill(2 ** 32 - 1)
  if (rows % 32 > 0) live[words - 1]! &= 2 ** (rows % 32) - 1
  const stored = { rows, cols, metric, live, ids: ids?.stored(rows) }
  const packing = native.packing()
  const packed = packing && { packing, pieces: packedOf(saved, packing, job) }
  await writeCorpus(path, stored, rowsOf(saved, job), packed)
}
