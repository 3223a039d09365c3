import { nmf, semiNmf, type Factorization, type Matrix, type SparseMatrix } from '../lib/index'
import { experiment, type Experiment } from './experiment'
import { median } from './interleave'
import { mixedCases, nonnegativeCases, type Case } from './matrices'
import { isTrial } from './shapes'

const question =
  'How far above a long run from the same start do the default tolerances of `nmf` and `semiNmf` end, over matrices of many kinds?'

const long = { tolerance: 1e-7, iterations: isTrial ? 50 : 3000 }

type Settings = { readonly rank: number; readonly l1W?: number }
type Fit = (
  X: Matrix | SparseMatrix,
  options: Settings & Partial<typeof long>,
) => Promise<Factorization>

const percent = (share: number) => `${(100 * share).toFixed(2)} %`

async function leftBy(fit: Fit, X: Matrix | SparseMatrix, settings: Settings) {
  const last = ({ objective }: Factorization) => objective.at(-1)!
  const [short, far] = [await fit(X, settings), await fit(X, { ...settings, ...long })]
  return { left: last(short) / last(far) - 1, converged: short.converged }
}

async function measure(report: Experiment, label: string, fit: Fit, cases: readonly Case[]) {
  const converged: number[] = []
  let unfinished = 0
  for (const { name, ranks, load } of cases) {
    const X = await load()
    if (X === undefined) {
      report.notRun(name, 'the data set is absent')
      continue
    }
    for (const rank of ranks) {
      const { left, converged: ended } = await leftBy(fit, X, { rank })
      console.log(
        `  ${label}, ${name}, k = ${rank}: ${percent(left)}${ended ? '' : ', not converged'}`,
      )
      if (ended) converged.push(left)
      else unfinished++
    }
  }
  const sorted = [...converged].sort((a, b) => a - b)
  const at = (share: number) => percent(sorted[Math.floor(share * (sorted.length - 1))]!)
  report.note(
    `${label}: of ${converged.length + unfinished} runs ${converged.length} converged, and end above the long run by ` +
      `${percent(median(converged))} in the median, ${at(0.9)} at nine tenths, ${at(1)} at most`,
  )
}

experiment(__filename, question, async (report) => {
  const [nonnegative, mixed] = isTrial
    ? [nonnegativeCases.slice(0, 3), mixedCases.slice(0, 2)]
    : [nonnegativeCases, mixedCases]
  await measure(report, 'nmf', nmf as Fit, nonnegative)
  await measure(report, 'semiNmf', semiNmf as Fit, mixed)
})
