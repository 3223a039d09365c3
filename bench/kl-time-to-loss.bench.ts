import { nmf, type Factorization, type Matrix, type SparseMatrix } from '../lib/index'
import { plantedCounts, textCounts } from './counts'
import { exchangePath, handOverSparse, readAnswer } from './data'
import { experiment, type Experiment } from './experiment'
import { cpuSeconds, interleave } from './interleave'
import { Rival } from './rival'
import { klRaces, scaled } from './shapes'

const question =
  "How much CPU time does nmf need to the loss of scikit-learn's multiplicative updates under Kullback–Leibler, on sparse counts?"

const sets: Readonly<Record<(typeof klRaces)[number]['set'], () => SparseMatrix | undefined>> = {
  '20newsgroups': () =>
    textCounts(
      '20newsgroups',
      '20newsgroups.jsonl.gz',
      20,
      (line) => (JSON.parse(line) as { text: string }).text,
    ),
  octis_dblp: () => textCounts('octis_dblp', 'corpus.tsv.gz', 5, (line) => line.split('\t')[0]!),
  planted: () => plantedCounts(scaled(20_000)),
}

/** Σ x ln(x/v) − x + v in float64; zeros of X add v, which sums of columns give. */
function kullbackLeibler({ indptr, indices, values, rows }: SparseMatrix, W: Matrix, H: Matrix) {
  const { rows: k, cols } = H
  const ofH = Float64Array.from({ length: k }, (_, c) =>
    H.data.subarray(c * cols, (c + 1) * cols).reduce((sum, h) => sum + h, 0),
  )
  let total = 0
  for (let i = 0; i < rows; i++) {
    const w = W.data.subarray(i * k, (i + 1) * k)
    for (let c = 0; c < k; c++) total += w[c]! * ofH[c]!
    for (let e = Number(indptr[i]); e < Number(indptr[i + 1]); e++) {
      let v = 0
      for (let c = 0; c < k; c++) v += w[c]! * H.data[c * cols + Number(indices[e])]!
      const x = Number(values[e])
      total += x * Math.log(x / v) - x
    }
  }
  return total
}

/** The fewest iterations that reach a loss, measured in float64. */
async function iterationsTo(
  loss: number,
  X: SparseMatrix,
  fit: (iterations: number) => Promise<Factorization>,
) {
  const { objective } = await fit(300)
  const first = objective.findIndex((value) => value <= loss)
  for (let t = first; t >= 0 && t <= 300; t++) {
    const { W, H } = await fit(t)
    if (kullbackLeibler(X, W, H) <= loss) return t
  }
  return undefined
}

async function raceOn(
  report: Experiment,
  rival: Rival,
  X: SparseMatrix,
  set: string,
  rank: number,
) {
  const job = `nmf under Kullback–Leibler, ${set} ${X.rows} × ${X.cols}, ${X.values.length} non-zeros, k = ${rank}`
  await rival.call('load_sparse', { ...(await handOverSparse(X)), rank })
  const { iterations: theirs } = await rival.call('run_counts')
  const [W, H] = [exchangePath('rival-W.npy'), exchangePath('rival-H.npy')]
  await rival.call('factors', { W, H })
  const loss = kullbackLeibler(X, await readAnswer(W), await readAnswer(H))
  const fit = (iterations: number) =>
    nmf(X, { rank, loss: 'kullback-leibler', iterations, tolerance: 0 })
  const iterations = await iterationsTo(loss, X, fit)
  if (iterations === undefined)
    return report.missed(job, `300 iterations do not reach the rival's loss ${loss}`)
  report.note(
    `${job}: the loss ${loss.toPrecision(7)} after ${iterations} iterations, ${String(theirs)} of the rival`,
  )
  const measured: Record<string, number[]> = await interleave<string>({
    own: () => cpuSeconds(() => fit(iterations)),
    rival: () => rival.seconds('run_counts'),
  })
  report.compareTime(job, rival.name, measured['own']!, measured['rival']!, 5)
}

experiment(__filename, question, async (report) => {
  // One thread, so that no time of waiting threads is counted.
  const one = { OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' }
  const rival = await Rival.start(report, 'sklearn_nmf', one)
  if (!rival) return
  for (const { set, rank } of klRaces) {
    const X = sets[set]()
    if (X) await raceOn(report, rival, X, set, rank)
    else report.notRun(set, 'the data set is absent')
  }
})
