import { describe, expect, it } from 'vitest'
import { FactorizationModel, type Matrix } from '../../lib/index'
import { gaussian, matrixOf, uniform } from '../matrices'
import { codeObjective, codesOf, type CodePenalties } from '../reference/codes'

const rowsOf = ({ data, rows, cols }: Matrix) =>
  Array.from({ length: rows }, (_, i) => data.subarray(i * cols, (i + 1) * cols))

/** Components that differ from their mean by a share of about 1 / condition. */
function alike(k: number, d: number, condition: number, sign: (x: number) => number): Matrix {
  const mean = gaussian(1, d, 31)
  const own = gaussian(k, d, 32)
  return matrixOf(k, d, (i, j) =>
    sign(10 * mean.data[j]! + (30 * own.data[i * d + j]!) / condition),
  )
}

/** Rows near non-negative combinations of the components. */
function near(H: Matrix, n: number, sign: (x: number) => number): Matrix {
  const random = uniform(33)
  const noise = gaussian(n, H.cols, 34)
  const W = Float64Array.from({ length: n * H.rows }, () => Math.max(0, random() - 0.4))
  return matrixOf(n, H.cols, (i, t) => {
    let sum = 0.05 * noise.data[i * H.cols + t]!
    for (let j = 0; j < H.rows; j++) sum += W[i * H.rows + j]! * H.data[j * H.cols + t]!
    return sign(sum)
  })
}

async function expectLeast(
  model: 'semi-nmf' | 'nmf',
  X: Matrix,
  H: Matrix,
  penalties: CodePenalties,
) {
  const { W } = await new FactorizationModel(model, H, { ...penalties }).transform(X)
  const right = codesOf(X, H, penalties)
  const least = codeObjective(X, H, right, penalties)
  const own = codeObjective(X, H, rowsOf(W), penalties)
  expect(own / least).toBeLessThan(1 + 1e-6)
  return { W, right }
}

const models = { 'semi-nmf': (x: number) => x, nmf: Math.abs }
const conditions = [1, 1e2, 1e5, 1e6]
const penalties = [{}, { l1W: 0.3, l2W: 0.01 }]
const cases = Object.entries(models).flatMap(([model, sign]) =>
  conditions.flatMap((condition) =>
    penalties.map((penalty) => ({ model: model as keyof typeof models, sign, condition, penalty })),
  ),
)

describe('transform finds the least squares', () => {
  it.each(cases)('for $model, condition $condition, $penalty', async (given) => {
    const H = alike(8, 40, given.condition, given.sign)
    const X = near(H, 60, given.sign)
    const { W, right } = await expectLeast(given.model, X, H, given.penalty)
    const largest = Math.max(...right.flatMap((row) => [...row]))
    const off = rowsOf(W).map((row, i) =>
      Math.max(...row.map((w, j) => Math.abs(w - right[i]![j]!))),
    )
    expect(Math.max(...off) / largest).toBeLessThan(1e-3)
  })

  it('for components that repeat and depend on others', async () => {
    const own = gaussian(6, 30, 35)
    const at = (i: number, j: number) => own.data[(i % 6) * 30 + j]!
    const H = matrixOf(12, 30, (i, j) => (i < 9 ? at(i, j) : i < 11 ? at(0, j) + at(i - 8, j) : 0))
    const X = gaussian(50, 30, 36)
    const { W } = await new FactorizationModel('semi-nmf', H, {}).transform(X)
    const alone = { data: H.data.subarray(0, 6 * 30), rows: 6, cols: 30 }
    const most = codeObjective(X, alone, codesOf(X, alone))
    expect(codeObjective(X, H, rowsOf(W)) / most).toBeLessThan(1 + 1e-6)
  })

  it('for a hundred and fifty components', async () => {
    const H = alike(150, 180, 1e4, Math.abs)
    await expectLeast('nmf', near(H, 6, Math.abs), H, {})
  })

  it('in the same bits for any number of threads', async () => {
    const H = alike(12, 40, 1e5, Number)
    const X = near(H, 3000, Number)
    const model = new FactorizationModel('semi-nmf', H, {})
    const bits = async (threads?: number) =>
      Buffer.from((await model.transform(X, { threads })).W.data.buffer).toString('base64')
    const all = [await bits(1), await bits(2), await bits(3), await bits()]
    expect(new Set(all).size).toBe(1)
  })

  it('until it is aborted', { retry: 2 }, async () => {
    const H = alike(300, 400, 1e5, Math.abs)
    const X = near(alike(4, 400, 1, Math.abs), 2000, Math.abs)
    const controller = new AbortController()
    const { signal } = controller
    const running = new FactorizationModel('nmf', H, {}).transform(X, { signal })
    setTimeout(() => controller.abort(new Error('enough')), 50)
    const begun = performance.now()
    await expect(running).rejects.toThrow('enough')
    expect(performance.now() - begun).toBeLessThan(3000)
  })
})
