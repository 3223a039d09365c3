import { nmf } from '../lib/index'
import { experiment } from './experiment'
import { cpuSeconds, geometricMean, median } from './interleave'
import {
  exponential,
  filled,
  holed,
  made,
  nonnegative,
  normal,
  planted,
  poisson,
  uniform,
} from './matrices'
import { isTrial } from './shapes'

const question =
  'Is low-rank also the better start of nmf on matrices that had no part in the choice of its settings?'

const inits = ['nndsvdar', 'low-rank'] as const
const rounds = isTrial ? 1 : 3

/** Entry `at` of rows of smooth bumps, one per row and each at a place of its own. */
function bump(size: number, at: number, width: number): number {
  const centre = ((Math.floor(at / size) * 7) % 20) / 20
  return Math.exp(-(((at % size) / size - centre) ** 2) / width)
}

/** Matrices of kinds, sizes and spectra that bench/matrices.ts does not have. */
const cases = [
  {
    name: 'uniform factors, noise 5 %',
    ranks: [6, 24],
    load: made(() => {
      const noise = normal(503)
      return nonnegative(planted([900, 700, 14], uniform(501), uniform(502), () => 0.2 * noise()))
    }),
  },
  {
    name: 'very sparse factors, no noise',
    ranks: [15, 30],
    load: made(() => {
      const W = holed(exponential(504), 0.9, 505)
      const H = holed(exponential(506), 0.9, 507)
      return planted([1200, 500, 30], W, H, () => 0)
    }),
  },
  {
    name: 'log-normal factors, multiplied noise',
    ranks: [5, 15],
    load: made(() => {
      const [w, h, noise] = [normal(508), normal(509), normal(510)]
      const X = planted(
        [600, 1500, 15],
        () => Math.exp(w()),
        () => Math.exp(h()),
        () => 0,
      )
      return { ...X, data: X.data.map((value) => value * Math.exp(0.1 * noise())) }
    }),
  },
  {
    name: 'fast spectrum',
    ranks: [8, 16],
    load: made(() => {
      const [w, h] = [uniform(511), uniform(512)]
      let at = 0
      return planted(
        [2500, 180, 24],
        () => 0.6 ** (at++ % 24) * w(),
        h,
        () => 0,
      )
    }),
  },
  {
    name: 'exponential noise',
    ranks: [12, 40],
    load: made(() => filled(500, 900, exponential(513))),
  },
  {
    name: 'rare counts (Poisson), nine tenths zeros',
    ranks: [8, 20],
    load: made(() => {
      const random = uniform(514)
      const rates = planted([1800, 600, 12], exponential(515), exponential(516), () => 0)
      return { ...rates, data: rates.data.map((rate) => poisson(rate / 120, random)) }
    }),
  },
  {
    name: 'overlapping bumps',
    ranks: [7, 20],
    load: made(() => {
      const weight = exponential(517)
      const noise = uniform(518)
      let at = 0
      return planted(
        [1000, 400, 20],
        weight,
        () => bump(400, at++, 0.004),
        () => 0.01 * noise(),
      )
    }),
  },
  {
    name: 'a long table, few columns',
    ranks: [3, 6],
    load: made(() => {
      const noise = normal(521)
      return nonnegative(
        planted([30_000, 48, 6], exponential(519), uniform(520), () => 0.02 * noise()),
      )
    }),
  },
  {
    name: 'half of the entries cut off at 0',
    ranks: [10, 30],
    load: made(() => {
      const X = planted([1400, 320, 18], normal(522), normal(523), () => 0)
      return { ...X, data: X.data.map((value) => Math.max(0, value)) }
    }),
  },
  {
    name: 'columns of very different sizes',
    ranks: [5, 18],
    load: made(() => {
      const noise = uniform(526)
      const X = planted([800, 450, 9], exponential(524), exponential(525), () => 0.3 * noise())
      return { ...X, data: X.data.map((value, at) => value * 10 ** (((at % 450) % 4) - 2)) }
    }),
  },
]

const spread = (values: readonly number[]) =>
  `${geometricMean(values).toFixed(3)} in the geometric mean, ${Math.min(...values).toFixed(3)} to ${Math.max(...values).toFixed(3)}`

experiment(__filename, question, async (report) => {
  const losses: number[] = []
  const times: number[] = []
  for (const { name, ranks, load } of cases) {
    const X = await load()
    for (const rank of ranks) {
      const loss: number[] = []
      const share: number[] = []
      const ratios: number[] = []
      for (let round = 0; round <= rounds; round++) {
        const seconds: number[] = []
        for (const [place, init] of inits.entries())
          seconds.push(
            await cpuSeconds(async () => {
              const { objective, relativeError } = await nmf(X, { rank, init, threads: 1 })
              loss[place] = objective.at(-1)!
              share[place] = relativeError
            }),
          )
        if (round > 0) ratios.push(seconds[1]! / seconds[0]!) // The first round is not counted.
      }
      const ofLoss = loss[1]! / loss[0]!
      losses.push(ofLoss)
      times.push(median(ratios))
      report.note(
        `${name}, ${X.rows} × ${X.cols}, k = ${rank}: loss ${ofLoss.toFixed(4)} of that from nndsvdar (relative error ${share[0]!.toPrecision(3)}), CPU time ${median(ratios).toFixed(2)}`,
      )
    }
  }
  report.note(`loss of low-rank beside nndsvdar: ${spread(losses)}`)
  report.note(`CPU time of the whole run: ${spread(times)}`)
})
