import { describe, expect, it } from 'vitest'
import { fitBytes, kmeansBytes } from '../../lib/factorization/memory'
import { native, type NativeSource } from '../../lib/native'

/** So few non-zeros give one block of sums, whatever the number of threads. */
const sparse = (rows: number, cols: number): NativeSource => ({
  name: 'X',
  rows,
  cols,
  indptr: new Float64Array(rows + 1),
  indices: new Int32Array(3000),
  values: new Float32Array(3000),
})

describe('sizes in the core that plans of memory need', () => {
  const sizes = (rows: number, entries: number, clusters: number) =>
    native().clusteringSizes({ rows, entries, clusters })

  it('are those of a clustering', () => {
    const ofFew = { sampleRows: 1024, farRows: 512, sampleIsSmall: true, seedsFromAllRows: true }
    expect(sizes(4096, 4096 * 8, 64)).toEqual(ofFew)
    expect(sizes(4095, 4095 * 8, 64)).toEqual({ ...ofFew, sampleIsSmall: false })
    expect(sizes(4096, 4096 * 8, 256)).toMatchObject({ sampleRows: 4096, farRows: 1024 })
  })

  it('draw seeds from all rows where these are few, or cost few products', () => {
    const most = 2 ** 18
    expect(sizes(most, most * 24, 16).seedsFromAllRows).toBe(true)
    expect(sizes(most, most * 24 + 1, 16).seedsFromAllRows).toBe(false)
    expect(sizes(most + 1, 0, 16).seedsFromAllRows).toBe(false)
    expect(sizes(1024, 2 ** 40, 16).seedsFromAllRows).toBe(true)
  })

  it('are those of passes, starts and products', () => {
    const { sumsAtOnce, ...others } = native().planSizes()
    expect(sumsAtOnce).toBeGreaterThan(2)
    expect(others).toEqual({
      nonzerosByColumn: 16,
      panelColumns: 64,
      startOversamples: 10,
      columnsAtOnce: 256,
    })
  })
})

describe('a plan of memory', () => {
  it.each([
    ['random', 'hals', 454_136],
    ['kmeans', 'hals', 738_891.2],
    ['kmeans', 'mu', 878_891.2],
    ['nndsvda', 'hals', 1_306_136],
  ])('from %s by %s has known bytes', (init, solver, bytes) => {
    const shape = { rank: 7, init, solver }
    expect(fitBytes(sparse(5000, 200), { ...shape, acceleration: 'none' })).toBe(bytes)
  })

  it('of an extrapolated run counts the last pair and the last steps', () => {
    const shape = { rank: 7, init: 'random', solver: 'hals' }
    const [plain, extrapolated] = ['none', 'extrapolated'].map((acceleration) =>
      fitBytes(sparse(5000, 200), { ...shape, acceleration }),
    )
    expect(extrapolated! - plain!).toBe(4 * 5000 * 7)
  })

  it('of k-means has known bytes', () => {
    expect([1, 7, 256].map((k) => kmeansBytes(sparse(300_000, 200), k))).toEqual([
      2_704_282.88, 2_747_482.88, 4_939_765.76,
    ])
  })
})
