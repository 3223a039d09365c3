import { tmpdir } from 'node:os'
import { experiment } from './experiment'
import { linesOf } from './native-program'
import { rounds, surveyShape } from './shapes'

const question =
  'What do restarts of a survey that read a file together take, in CPU time, compared with separate ones and with copies in memory?'

experiment(__filename, question, async (report) => {
  const { rows, cols, ranks, restarts } = surveyShape
  for (const rank of ranks) {
    const given = [rows, cols, rank, restarts, rounds, report.machine.threads, tmpdir()]
    const measured = linesOf('native_survey', given).map((line) => line.split(' ').map(Number))
    const [apart, together, copies] = [0, 1, 2].map((column) =>
      measured.map((round) => round[column]!),
    ) as [number[], number[], number[]]
    const job = `an iteration of ${restarts} restarts of nmf, ${rows} × ${cols}, k = ${rank}, CPU time`
    report.compareTime(job, 'restarts one after the other', together, apart)
    report.compareTime(job, 'restarts on copies with noise in memory', together, copies)
  }
})
