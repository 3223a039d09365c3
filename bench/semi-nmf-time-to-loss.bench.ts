import { semiNmf } from '../lib/index'
import { readMatrix, sharedFile } from './data'
import { experiment, type Experiment } from './experiment'
import { Rival } from './rival'
import { semiNmfRace } from './shapes'
import { race } from './time-to-loss'

const question = 'How fast does semiNmf reach the loss of the published multiplicative update?'

/** The time of the published code, which also forms the whole residual after each update. */
async function noteAsPublished(report: Experiment, rival: Rival) {
  const { rivalIterations } = semiNmfRace
  const measured = await rival.seconds('run', { with_loss: true })
  report.note(
    `${rival.name}: ${rivalIterations} iterations with the loss after each, as published: ${measured.toFixed(2)} s`,
  )
}

experiment(__filename, question, async (report) => {
  const { set, rank, rivalIterations } = semiNmfRace
  const path = sharedFile(set, 'X.npy')
  if (path === undefined) return report.notRun(set, 'the data set is absent')
  const rival = await Rival.start(report, 'torch_semi_nmf')
  const X = await readMatrix(path)
  const fit = (iterations: number) => semiNmf(X, { rank, iterations, tolerance: 0 })
  const job = `semiNmf, ${set} ${X.rows} × ${X.cols}, k = ${rank}`
  await race(report, { job, X, rank, fit, rival, rivalIterations, target: 100 })
  if (rival) await noteAsPublished(report, rival)
})
