// What grows with codes or activations leaves turns to the event loop. Turns are counted, so that the speed of
// the machine does not matter.
import { describe, expect, it } from 'vitest'
import { conceptHealth } from '../../lib/concepts/concept-health'
import { differenceInMeans } from '../../lib/concepts/difference-in-means'
import { linearImportance } from '../../lib/concepts/linear-importance'
import { coSegmentation, resizeMaps } from '../../lib/concepts/maps'
import { topActivations, topConcepts } from '../../lib/concepts/top-activations'
import { matrixOf } from '../matrices'

const codes = matrixOf(20_000, 50, (i, c) => (i * (c + 7)) % 11)
const components = matrixOf(50, 20, (i, j) => Math.sin(i * 20 + j))
const X = matrixOf(20_000, 20, (i, j) => Math.sin(i + 3 * j))
const model = { codes, components }
const maps = { data: codes.data, shape: [2, 100, 100, 50] }
const padded = { data: codes.data, rows: 20_000, cols: 49, stride: 50 }
const labels = Uint8Array.from({ length: 20_000 }, (_, i) => i % 2)

const work: Record<string, () => Promise<unknown>> = {
  topActivations: () => topActivations(codes),
  'topActivations of rows with gaps': () => topActivations(padded),
  topConcepts: () => topConcepts(codes),
  conceptHealth: () => conceptHealth(model),
  coSegmentation: () => coSegmentation(model),
  linearImportance: () => linearImportance(model, X, { weights: components }),
  differenceInMeans: () => differenceInMeans(codes, labels),
  resizeMaps: () => resizeMaps(maps, { height: 80, width: 80 }),
}

describe('the event loop turns during', () => {
  it.each(Object.entries(work))('%s', async (_, run) => {
    let turns = 0
    let isDone = false
    const count = () => {
      turns++
      if (!isDone) setImmediate(count)
    }
    setImmediate(count)
    await run()
    isDone = true
    expect(turns).toBeGreaterThanOrEqual(10)
  })
})
