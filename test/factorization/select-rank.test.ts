import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { nmf as fitNmf, selectRank } from '../../lib/index'
import { jobsOf, planSurvey } from '../../lib/factorization/rank-survey'
import { checkSelectRank } from '../../lib/factorization/select-rank'
import type { Matrix } from '../../lib/data/matrix'
import type { SparseMatrix } from '../../lib/data/sparse'
import { gaussian, matrixOf, normal, uniform } from '../matrices'
import { productOf } from '../reference/factors'

/** W H with half of the entries of both factors 0, and noise; such parts are the only ones of their rank. */
function parts(n: number, d: number, k: number, seed: number): Matrix {
  const next = uniform(seed)
  const noise = normal(seed + 1)
  const factor = (length: number) =>
    Float64Array.from({ length }, () => Math.max(0, 2 * next() - 1))
  const [W, H] = [factor(n * k), factor(k * d)]
  return matrixOf(n, d, (i, j) => {
    let sum = 0
    for (let c = 0; c < k; c++) sum += W[i * k + c]! * H[c * d + j]!
    return Math.max(0, sum + 0.01 * noise())
  })
}

const X = parts(90, 24, 3, 1)
const nmf = { model: 'nmf', restarts: 4 } as const

const sparseOf = ({ data, rows, cols }: Matrix): SparseMatrix => {
  const indptr = [0]
  const indices: number[] = []
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) if (data[i * cols + j] !== 0) indices.push(j)
    indptr.push(indices.length)
  }
  return {
    rows,
    cols,
    indptr: Int32Array.from(indptr),
    indices: Int32Array.from(indices),
    values: data.filter((value) => value !== 0),
  }
}

describe('selectRank', () => {
  it.each([3, 5])('finds %i planted parts, stable, and fits them', async (k) => {
    const planted = parts(120, 30, k, 10 + k)
    const found = await selectRank(planted, { ...nmf, ranks: { from: k - 1, to: k + 2 } })
    expect(found).toMatchObject({ chosen: k, isStable: true, warnings: [] })
    expect(found.ranks.map(({ rank }) => rank)).toEqual([k - 1, k, k + 1, k + 2])
    const [, right, above] = found.ranks
    expect(right!.minSilhouette).toBeGreaterThan(0.9)
    expect(above!.minSilhouette).toBeLessThan(0.8)
    expect(found.model.rank).toBe(k)
    expect(found.model.relativeError).toBe(right!.relativeError)
    expect(found.model.W).toMatchObject({ rows: 120, cols: k })
  })

  it('finds planted parts of any sign with small weights, and without them by BIC', async () => {
    const codes = parts(90, 4, 4, 5)
    const H = gaussian(4, 24, 6)
    const mixed = matrixOf(90, 24, (i, j) =>
      [0, 1, 2, 3].reduce((sum, c) => sum + codes.data[i * 4 + c]! * H.data[c * 24 + j]!, 0),
    )
    const noise = normal(7)
    mixed.data.forEach((value, at) => (mixed.data[at] = value + 0.02 * noise()))
    const ranks = { from: 3, to: 5 }
    const weighted = await selectRank(mixed, { ranks, restarts: 4, l1W: 0.05, l2H: 0.05 })
    expect(weighted).toMatchObject({ chosen: 4, isStable: true })
    const plain = await selectRank(mixed, { ranks, restarts: 4 })
    expect(plain.chosen).toBe(4)
    expect(plain.warnings[0]).toContain('chosen by its BIC')
  })

  it('has the same bits for any number of threads, and others for another seed', async () => {
    const options = { ...nmf, ranks: [2, 3] }
    const [one, more, other] = await Promise.all([
      selectRank(X, { ...options, threads: 1 }),
      selectRank(X, { ...options, threads: 3 }),
      selectRank(X, { ...options, seed: 1 }),
    ])
    expect(more.ranks).toEqual(one.ranks)
    expect(more.model.W.data).toEqual(one.model.W.data)
    expect(other.ranks[0]!.restartErrors).not.toEqual(one.ranks[0]!.restartErrors)
  })

  it('reads a sparse X, whose zeros get no noise', async () => {
    const thin = { ...X, data: X.data.map((value) => (value < 0.3 ? 0 : value)) }
    const options = { ...nmf, ranks: [2, 3] }
    const [dense, sparse] = [
      await selectRank(thin, options),
      await selectRank(sparseOf(thin), options),
    ]
    expect(sparse.chosen).toBe(dense.chosen)
    for (const [i, each] of sparse.ranks.entries())
      expect(each.relativeError).toBeCloseTo(dense.ranks[i]!.relativeError, 3)
  })

  it('counts only the entries that were seen', async () => {
    const mask = Uint8Array.from({ length: 90 * 24 }, (_, at) => (at % 7 === 0 ? 0 : 1))
    const { ranks } = await selectRank(X, { ...nmf, ranks: [3], iterations: 300, mask })
    const { relativeError, aic, bic } = ranks[0]!
    const entries = mask.reduce((sum, each) => sum + each)
    const squares = X.data.reduce((sum, value, at) => sum + (mask[at] ? value ** 2 : 0), 0)
    const fit = entries * Math.log((relativeError ** 2 * squares) / entries)
    expect(aic).toBeCloseTo(fit + 2 * 3 * 114, 0)
    expect(bic).toBeCloseTo(fit + 3 * 114 * Math.log(entries), 0)
  })

  it('finds planted parts by the errors of entries that were held out', async () => {
    const planted = parts(120, 30, 4, 14)
    const options = { ...nmf, ranks: { from: 2, to: 6 } } as const
    const found = await selectRank(planted, { ...options, criterion: 'hold-out' })
    expect(found).toMatchObject({ chosen: 4, criterion: 'hold-out', warnings: [] })
    for (const { heldOutErrors, heldOutError } of found.ranks) {
      expect(heldOutErrors).toHaveLength(4)
      expect(heldOutError).toBeCloseTo(heldOutErrors.reduce((sum, each) => sum + each) / 4, 12)
    }
    // Beside the others: what the restarts with noise say is the same with and without.
    const [beside, plain] = [
      await selectRank(planted, { ...options, holdOut: 0.1 }),
      await selectRank(planted, options),
    ]
    expect(beside.criterion).toBe('stability')
    expect(beside.ranks.map(({ silhouettes }) => silhouettes)).toEqual(
      plain.ranks.map(({ silhouettes }) => silhouettes),
    )
    expect(beside.ranks.map(({ heldOutError }) => heldOutError)).toEqual(
      found.ranks.map(({ heldOutError }) => heldOutError),
    )
    expect(plain.ranks[0]).toMatchObject({ heldOutError: undefined })
  })

  it('plans copies with noise, or restarts of several ranks that read X together', async () => {
    const large = { data: new Float32Array(6000 ** 2), rows: 6000, cols: 6000 }
    const options = { ...nmf, restarts: 2, ranks: { from: 2, to: 5 } } as const
    const planned = async (given: object) => {
      const settled = checkSelectRank(
        { rows: 6000, cols: 6000, entries: 36e6 },
        { ...options, ...given },
      )
      const plan = await planSurvey(large, settled)
      return { ...plan, jobs: jobsOf(settled.ranks, settled, plan) }
    }
    const ample = await planned({ memoryBudget: 1e9 })
    expect(ample).toMatchObject({ copies: true, jobs: [[2], [3], [4], [5]] })
    const scarce = await planned({ memoryBudget: 12e7 })
    expect(scarce.copies).toBe(false)
    expect(scarce.atOnce).toBeGreaterThanOrEqual(4)
    expect(scarce.jobs.length).toBeLessThan(4)
    const kept = await planned({ memoryBudget: 12e7, checkpoint: 'survey' })
    expect(kept.jobs).toEqual([[2], [3], [4], [5]])
    await expect(planned({ memoryBudget: 12e7, restarts: 5000 })).rejects.toThrow(
      'A survey of 6000 × 6000 up to rank 5 needs',
    )
  })

  it('tells each rank, its restarts and its fit to a listener', async () => {
    const phases = new Set<string>()
    const onProgress = ({ phase }: { phase: string }) => phases.add(phase)
    await selectRank(X, { ...nmf, ranks: [2, 3], onProgress })
    expect([...phases]).toEqual(
      expect.arrayContaining(['rank 2: restart', 'rank 2: iterate', 'rank 3: restart']),
    )
  })

  it('stops when its signal aborts', async () => {
    const abort = new AbortController()
    const onProgress = () => abort.abort(new Error('enough'))
    const asked = { ...nmf, ranks: [2, 3, 4], signal: abort.signal, onProgress }
    await expect(selectRank(X, asked)).rejects.toThrow('enough')
  })

  it('has numbers for zeros, and says that nothing is stable', async () => {
    const zeros = matrixOf(8, 5, () => 0)
    const found = await selectRank(zeros, { ...nmf, ranks: [2, 3] })
    expect(found).toMatchObject({ chosen: 2, isStable: false })
    expect(found.ranks[0]).toMatchObject({ minSilhouette: 0, relativeError: 0, aic: -Infinity })
    expect(found.warnings[0]).toContain('No rank has components that are alike')
  })

  it('resumes from its finished ranks, with the same bits', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gemmine-survey-'))
    const file = join(folder, 'survey')
    const given = { ...nmf, ranks: [2, 3, 4], holdOut: 0.1 }
    const whole = await selectRank(X, given)
    const abort = new AbortController()
    const onProgress = ({ phase }: { phase: string }) => {
      if (phase.startsWith('rank 4')) abort.abort(new Error('stopped'))
    }
    const asked = { ...given, checkpoint: file, signal: abort.signal, onProgress }
    await expect(selectRank(X, asked)).rejects.toThrow('stopped')
    const phases = new Set<string>()
    const resumed = await selectRank(X, {
      ...given,
      resume: file,
      onProgress: ({ phase }) => void phases.add(phase),
    })
    expect(resumed.ranks).toEqual(whole.ranks)
    expect(resumed.model.W.data).toEqual(whole.model.W.data)
    expect([...phases].filter((phase) => phase.endsWith('restart'))).toEqual(['rank 4: restart'])
    const other = { ...given, ranks: [2], resume: file, seed: 1 }
    await expect(selectRank(X, other)).rejects.toThrow('expected seed 1, as in this call')
    // Steps that are not given are those of the solver, which extrapolates.
    const plain = { ...given, ranks: [2], resume: file, acceleration: 'none' } as const
    await expect(selectRank(X, plain)).rejects.toThrow('expected acceleration none')
    rmSync(folder, { recursive: true })
  })

  it.each([1e-40, 1e-30, 1e30])('fits entries near %d as well as entries near 1', async (scale) => {
    const scaled = { ...X, data: X.data.map((value) => value * scale) }
    const [one, other] = await Promise.all(
      [X, scaled].map((each) => selectRank(each, { ...nmf, ranks: [1, 3] })),
    )
    expect(other!.chosen).toBe(one!.chosen)
    for (const [i, { relativeError }] of other!.ranks.entries())
      expect(relativeError).toBeCloseTo(one!.ranks[i]!.relativeError, 2)
  })

  it('has numbers where no entry was seen', async () => {
    const mask = new Uint8Array(90 * 24)
    const { ranks } = await selectRank(X, { ...nmf, ranks: [2], mask })
    expect(ranks[0]).toMatchObject({ minSilhouette: 0, relativeError: 0, aic: 2 * 2 * 114 })
  })

  it.each([
    [{ ranks: [] }, 'a list of 1 to 10000 ranks, or a range { from, to } for ranks'],
    [{ ranks: [2, 25] }, 'an integer in 1..24 for ranks[1], received 25'],
    [{ ranks: { from: 4, to: 3 } }, 'an integer in 4..24 for ranks.to, received 3'],
    [{ ranks: [2], restarts: 1 }, 'an integer of at least 2 for restarts, received 1'],
    [{ ranks: [2], perturbation: 1.5 }, 'in 0..1 for perturbation, received 1.5'],
    [{ ranks: [2], model: 'snmf' }, 'one of semi-nmf, nmf, min-volume-nmf for model'],
    [
      { ranks: [2], model: 'semi-nmf', loss: 'kullback-leibler' },
      'one of frobenius, huber, l21, correntropy, row-correntropy for loss',
    ],
    [{ ranks: [2], loss: 'logistic' }, 'one of frobenius, kullback-leibler'],
    [{ ranks: [2], model: 'semi-nmf', loss: 'logistic' }, 'one of frobenius, kullback-leibler'],
    [{ ranks: [2], model: 'semi-nmf', upperH: 1 }, 'nmf beside upperH for model'],
    [
      { ranks: [2], init: { H: X } },
      'one of random, kmeans, nndsvd, nndsvda, nndsvdar, low-rank for init',
    ],
    [{ ranks: [2], criterion: 'elbow' }, 'one of stability, hold-out, aic, bic for criterion'],
    [{ ranks: [2], holdOut: 0 }, 'a number above 0 for holdOut, received 0'],
    [{ ranks: [2], holdOut: 0.95 }, 'in 0..0.9 for holdOut, received 0.95'],
    [
      { ranks: [2], criterion: 'hold-out', model: 'semi-nmf', upperW: 1 },
      'no bound where entries are held out for upperW',
    ],
    [{ ranks: [2], holdOut: 0.1, upperH: 1 }, 'no bound where entries are held out for upperH'],
    [{ ranks: [2], checkpointSeconds: 1 }, 'checkpointSeconds'],
    [{ ranks: [2], checkpoint: '' }, 'the name of a file for checkpoint'],
  ])('refuses %j', async (wrong, sentence) => {
    await expect(selectRank(X, { ...nmf, ...wrong } as never)).rejects.toThrow(sentence)
  })

  it('finds planted parts of any sign where entries are missing, or are outliers', async () => {
    const codes = parts(90, 4, 4, 5)
    const H = gaussian(4, 24, 6)
    const mixed = matrixOf(90, 24, (i, j) =>
      [0, 1, 2, 3].reduce((sum, c) => sum + codes.data[i * 4 + c]! * H.data[c * 24 + j]!, 0),
    )
    const noise = normal(7)
    mixed.data.forEach((value, at) => (mixed.data[at] = value + 0.02 * noise()))
    const isOdd = (at: number) => at % 11 === 0
    const asked = { ranks: { from: 3, to: 5 }, restarts: 3, threads: 2 } as const
    const holes = { ...mixed, data: mixed.data.map((value, at) => (isOdd(at) ? NaN : value)) }
    const mask = Uint8Array.from(mixed.data, (_, at) => (isOdd(at) ? 0 : 1))
    const [nan, masked] = [
      await selectRank(holes, { ...asked, missing: 'nan' }),
      await selectRank(mixed, { ...asked, mask }),
    ]
    expect(nan.chosen).toBe(4)
    expect(nan.model.options['solver']).toBe('anls-bpp')
    expect(nan.model.relativeError).toBeLessThan(0.05)
    expect(masked.ranks).toEqual(nan.ranks)
    const spoiled = { ...mixed, data: mixed.data.map((value, at) => (at % 97 === 0 ? 30 : value)) }
    const robust = await selectRank(spoiled, { ...asked, loss: 'huber', delta: 0.05 })
    expect(robust.model.options['loss']).toBe('huber')
    // Products of the factors are near X without its outliers.
    const { W } = robust.model
    const K = W.cols
    const misses = mixed.data.map((value, at) => {
      const [i, t] = [Math.floor(at / 24), at % 24]
      let sum = 0
      for (let j = 0; j < K; j++) sum += W.data[i * K + j]! * robust.model.H.data[j * 24 + t]!
      return Math.abs(sum - value)
    })
    expect(misses.sort()[Math.floor(misses.length / 2)]).toBeLessThan(0.1)
  })

  it('resumes a masked survey with further ranks whose default solver is another', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gemmine-survey-'))
    const file = join(folder, 'survey')
    const wide = parts(80, 70, 3, 8)
    const mask = Uint8Array.from(wide.data, (_, at) => (at % 7 === 0 ? 0 : 1))
    const given = { ...nmf, restarts: 2, iterations: 3, mask }
    const first = await selectRank(wide, { ...given, ranks: [2], checkpoint: file })
    const phases = new Set<string>()
    const onProgress = ({ phase }: { phase: string }) => void phases.add(phase)
    const further = { ...given, ranks: [2, 66], resume: file, onProgress }
    const { ranks } = await selectRank(wide, further)
    expect(ranks[0]).toEqual(first.ranks[0])
    expect([...phases].filter((phase) => phase.endsWith('restart'))).toEqual(['rank 66: restart'])
    const other = { ...given, ranks: [2], resume: file, solver: 'hals' } as const
    await expect(selectRank(wide, other)).rejects.toThrow('expected solver hals')
    await expect(fitNmf(wide, { rank: 2, resume: file })).rejects.toThrow(
      'expected a checkpoint of a fit of nmf, received that of a survey of nmf',
    )
    rmSync(folder, { recursive: true })
  })

  it.each([
    [{}, 0.05 ** 2],
    [{ loss: 'huber', delta: 0.5 }, 0.05 ** 2 / 2],
  ])(
    'holds out entries of a semi-NMF, whose errors at the planted rank are the noise: %#',
    async (more, noise) => {
      const [n, d, k] = [100, 30, 5]
      const [draw, next] = [uniform(1), normal(10)]
      const clean = productOf(
        matrixOf(n, k, () => Math.max(0, draw() - 0.5)),
        gaussian(k, d, 4),
      )
      const X = matrixOf(n, d, (i, t) => clean.data[i * d + t]! + 0.05 * next())
      const asked = { model: 'semi-nmf', ranks: { from: 3, to: 6 }, criterion: 'hold-out' } as const
      const { chosen, ranks } = await selectRank(X, { ...asked, restarts: 4, ...more } as never)
      expect(chosen).toBe(k)
      const { heldOutError } = ranks.find(({ rank }) => rank === k)!
      expect(heldOutError).toBeGreaterThan(noise)
      expect(heldOutError).toBeLessThan(1.6 * noise)
    },
  )

  it('has no error of restarts that hold out nothing, and does not choose by it', async () => {
    const asked = { ...nmf, ranks: [2, 3], holdOut: 1e-300 }
    const { ranks } = await selectRank(X, asked)
    for (const { heldOutErrors, heldOutError } of ranks) {
      expect([...heldOutErrors]).toEqual([NaN, NaN, NaN, NaN])
      expect(heldOutError).toBeNaN()
    }
    await expect(selectRank(X, { ...asked, criterion: 'hold-out' })).rejects.toThrow(
      'a larger share (0 of 4 restarts held out an entry that counts, 2 are needed) for holdOut',
    )
    const mask = new Uint8Array(90 * 24)
    const unseen = selectRank(X, { ...nmf, ranks: [2], mask, criterion: 'hold-out' })
    await expect(unseen).rejects.toThrow('0 of 4 restarts held out')
    const tiny = matrixOf(3, 3, (i, j) => 1 + i + j)
    const some = await selectRank(tiny, { ...nmf, restarts: 10, ranks: [1, 2], holdOut: 0.1 })
    const own = some.ranks[0]!.heldOutErrors.filter((error) => !Number.isNaN(error))
    expect(own.length).toBeGreaterThan(0)
    expect(some.ranks[0]!.heldOutError).toBeCloseTo(own.reduce((a, b) => a + b) / own.length, 12)
  })

  it('has held-out errors that do not grow with the weights of rows', async () => {
    const asked = { ...nmf, ranks: [2], holdOut: 0.2 }
    const sampleWeight = new Float32Array(90).fill(4)
    const [plain, weighted] = [
      await selectRank(X, asked),
      await selectRank(X, { ...asked, sampleWeight }),
    ]
    const [error, other] = [plain, weighted].map(({ ranks }) => ranks[0]!.heldOutError!)
    expect(other! / error!).toBeCloseTo(1, 2)
  })

  it('does not warn of zeros in a start that the caller did not give', async () => {
    const { model, warnings } = await selectRank(X, { ...nmf, ranks: [3], solver: 'mu' })
    expect([...warnings, ...model.warnings].join()).not.toContain('init.H')
  })

  it('names the entry below zero, without noise', async () => {
    const negative = { ...X, data: X.data.slice() }
    negative.data[24 * 7 + 3] = -0.5
    await expect(selectRank(negative, { ...nmf, ranks: [2] })).rejects.toThrow(
      'a non-negative number at row 7, column 3 of X, received -0.5',
    )
  })
})
