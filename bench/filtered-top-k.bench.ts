import { prepareCorpus, prepareRowSet, topK } from '../lib/index'
import { randomUnitRows } from './data'
import { experiment } from './experiment'
import { cpuSeconds, interleave, median } from './interleave'
import { topKShape } from './shapes'

const question = 'How much less CPU time does a search take where a set leaves a part of the rows?'

const { corpus: corpusRows, cols } = topKShape
const k = 10
const leftShares = [0.5, 0.1, 0.01, 0.001]

/** About a part of all rows, spread over the corpus. */
function someRows(part: number): number[] {
  let state = 1
  const rows: number[] = []
  for (let row = 0; row < corpusRows; row++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    if (state < part * 2 ** 32) rows.push(row)
  }
  return rows
}

experiment(__filename, question, async (report) => {
  const corpus = await prepareCorpus(randomUnitRows(corpusRows, cols, 2))
  for (const nq of [1, 12, 200]) {
    const queries = randomUnitRows(nq, cols, 1)
    const sides: Record<string, () => Promise<number>> = {
      'all rows': () => cpuSeconds(() => topK(queries, corpus, { k })),
    }
    for (const part of leftShares) {
      const allow = await prepareRowSet(someRows(part), corpus)
      sides[`${100 * part} % of the rows`] = () =>
        cpuSeconds(() => topK(queries, corpus, { k, allow }))
    }
    const measured: Record<string, number[]> = await interleave<string>(sides)
    const whole = measured['all rows']!
    for (const [name, times] of Object.entries(measured)) {
      const ratios = times.map((time, round) => time / whole[round]!)
      report.note(
        `topK, ${nq} × ${corpusRows} × ${cols}, k = ${k}, ${name}: ${(1000 * median(times)).toFixed(2)} ms of CPU time, ${median(ratios).toFixed(3)} of all rows`,
      )
    }
  }
  corpus.dispose()
})
