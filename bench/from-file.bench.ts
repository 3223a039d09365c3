import { experiment } from './experiment'
import { median } from './interleave'
import { linesOf } from './native-program'
import { fromFileShape, rounds } from './shapes'

const question =
  'Does a fit of a file that is not in the page cache run at the smaller of the rate of its reading and the rate of the fit in memory?'

const target = 0.85

experiment(__filename, question, async (report) => {
  const { rows, cols, ranks } = fromFileShape
  const { threads } = report.machine
  const rate = (seconds: readonly number[]) =>
    `${((4e-9 * rows * cols) / median(seconds)).toFixed(2)} GB/s`
  for (const rank of ranks) {
    const measured = linesOf('native_from_file', [rows, cols, rank, rounds, threads]).map((line) =>
      line.split(' ').map(Number),
    )
    const [read, memory, file, cpuMemory, cpuFile] = [0, 1, 2, 3, 4].map((column) =>
      measured.map((round) => round[column]!),
    ) as [number[], number[], number[], number[], number[]]
    const slower = read.map((seconds, round) => Math.max(seconds, memory[round]!))
    const job = `an iteration of nmf from a file, ${rows} × ${cols}, k = ${rank}`
    report.compareTime(
      job,
      'the slower of its reading and the iteration in memory',
      file,
      slower,
      target,
    )
    report.compareTime(`${job}, CPU time`, 'the iteration in memory', cpuFile, cpuMemory)
    report.note(`reading ${rate(read)}, in memory ${rate(memory)}, from the file ${rate(file)}`)
  }
})
