// Theorems that hold for every model, solver and start.
import { describe, expect, it } from 'vitest'
import type { Matrix } from '../../lib/data/matrix'
import type { Factorization } from '../../lib/factorization/fit'
import { absolutes, differences, productOf, squaredError, squares } from '../reference/factors'

/** What every model gives, of one layer or several. */
export type Fitted = Pick<
  Factorization,
  'W' | 'H' | 'objective' | 'relativeError' | 'iterations' | 'transform' | 'inverseTransform'
>

export interface Case<Result extends Fitted = Factorization> {
  readonly name: string
  readonly X: Matrix
  readonly signedH: boolean
  /** Whether the model takes penalties; true unless given. */
  readonly penalised?: boolean
  /** Whether no iteration raises the objective; true unless given. Else the best pair comes back. */
  readonly monotone?: boolean
  /** Whether the model has iterations; true unless given. */
  readonly iterates?: boolean
  /** Whether X may be scaled; true unless given. */
  readonly scales?: boolean
  /** What X is approximated by; W H unless given. */
  approximation?(W: Matrix, H: Matrix): Matrix
  /** The loss of factors; ‖X − W H‖² unless given. */
  loss?(W: Matrix, H: Matrix): number
  /** What a model adds to the loss; nothing unless given. */
  term?(result: Result): number
  /** A run of so many iterations, at tolerance 0, with any further options laid over it. */
  run(iterations: number, more?: Record<string, unknown>): Promise<Result>
}

/** The noise of an objective from Gram matrices, as a share of ‖X‖². */
const noise = 5e-7

const penalties = { l1W: 0.3, l2W: 0.1, l1H: 0.2, l2H: 0.05 }

function expectMonotone(objective: Float64Array, norm: number) {
  for (let t = 1; t < objective.length; t++)
    expect(objective[t]!, `iteration ${t}`).toBeLessThanOrEqual(
      objective[t - 1]! * (1 + 1e-6) + noise * norm,
    )
}

function expectSigns({ W, H }: Fitted, signedH: boolean) {
  expect(W.data.every((value) => value >= 0)).toBe(true)
  if (!signedH) expect(H.data.every((value) => value >= 0)).toBe(true)
}

const bits = ({ data }: Matrix) =>
  Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64')

export function factorizationSuite<Result extends Fitted>({
  name,
  X,
  signedH,
  run,
  ...model
}: Case<Result>) {
  const norm = squares(X.data)
  const { penalised = true, monotone = true, iterates = true, scales = true } = model
  const { term = () => 0, approximation = productOf } = model
  const { loss = (W: Matrix, H: Matrix) => squaredError(X, W, H) } = model
  /** The objective of the pair that came back. */
  const own = ({ objective }: Fitted) => (monotone ? objective.at(-1)! : Math.min(...objective))
  describe(`factorization, ${name}`, () => {
    it('keeps the signs and, where it is monotone, never raises the objective', async () => {
      const result = await run(30)
      if (monotone) expectMonotone(result.objective, norm)
      expectSigns(result, signedH)
      expect(result.objective.length).toBe(iterates ? 31 : 1)
      expect(result.iterations).toBe(iterates ? 30 : 0)
    })

    it('reports the error of the factors it returns', async () => {
      const result = await run(12)
      const { W, H, relativeError } = result
      const expected = Math.sqrt(squares(differences(X, approximation(W, H))) / norm)
      expect(Math.abs(relativeError - expected)).toBeLessThanOrEqual(1e-5)
      const error = loss(W, H)
      expect(Math.abs(own(result) - error - term(result))).toBeLessThanOrEqual(
        1e-4 * error + noise * norm,
      )
    })

    it.runIf(penalised)('adds penalties to the objective as plain sums', async () => {
      const result = await run(20, penalties)
      expectMonotone(result.objective, norm)
      const { W, H } = result
      const expected =
        loss(W, H) +
        penalties.l1W * absolutes(W.data) +
        penalties.l2W * squares(W.data) +
        penalties.l1H * absolutes(H.data) +
        penalties.l2H * squares(H.data) +
        term(result)
      expect(Math.abs(result.objective.at(-1)! - expected)).toBeLessThanOrEqual(
        1e-4 * expected + noise * norm,
      )
    })

    it('gives the same bits for 1, 2 and 3 threads and on every run', async () => {
      const runs = [
        await run(6, { threads: 1 }),
        await run(6, { threads: 2 }),
        await run(6, { threads: 3 }),
        await run(6),
      ]
      expect(new Set(runs.map(({ W, H }) => bits(W) + bits(H))).size).toBe(1)
    })

    it.runIf(scales)('does not depend on the scale of X', async () => {
      const plain = await run(8)
      for (const power of [-100, -30, 30, 100]) {
        const scaled = await run(8, { scale: 2 ** power })
        expect(
          Math.abs(scaled.relativeError - plain.relativeError),
          `2^${power}`,
        ).toBeLessThanOrEqual(1e-6)
      }
    })

    it('codes the training rows again with transform', async () => {
      const result = await run(40)
      const { W, relativeError } = await result.transform(X)
      if (model.loss) expect(loss(W, result.H)).toBeLessThanOrEqual(1.01 * loss(result.W, result.H))
      else expect(relativeError).toBeLessThanOrEqual(1.01 * result.relativeError + 1e-6)
    })

    it('puts rows together again with inverseTransform, in the same bits for any threads', async () => {
      const result = await run(10)
      const { W, H } = result
      const again = await result.inverseTransform(W)
      expect([again.rows, again.cols]).toEqual([X.rows, X.cols])
      expect(squares(differences(again, productOf(W, H)))).toBeLessThanOrEqual(1e-12 * norm)
      for (const threads of [1, 2, 3])
        expect(bits(await result.inverseTransform(W, { threads }))).toBe(bits(again))
    })
  })
}
