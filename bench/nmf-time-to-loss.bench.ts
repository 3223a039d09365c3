import { nmf } from '../lib/index'
import { readMember, sharedFile } from './data'
import { experiment } from './experiment'
import { Rival } from './rival'
import { nmfRaces } from './shapes'
import { race } from './time-to-loss'

const question =
  "How fast does nmf reach the loss of scikit-learn's coordinate descent from the same start?"

const members = { cbcl_faces: 'X', mnist: 'X_train' }

experiment(__filename, question, async (report) => {
  const rival = await Rival.start(report, 'sklearn_nmf')
  for (const { set, rank, rivalIterations } of nmfRaces) {
    const path = sharedFile(set, `${set}.npz`)
    if (path === undefined) {
      report.notRun(set, 'the data set is absent')
      continue
    }
    const X = await readMember(path, members[set])
    const fit = (iterations: number) => nmf(X, { rank, iterations, tolerance: 0 })
    const job = `nmf, ${set} ${X.rows} × ${X.cols}, k = ${rank}`
    await race(report, { job, X, rank, fit, rival, rivalIterations, target: 4 })
  }
})
