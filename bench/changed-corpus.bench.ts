import { prepareCorpus, topK, type PreparedCorpus } from '../lib/index'
import { randomUnitRows } from './data'
import { experiment } from './experiment'
import { cpuSeconds, interleave, median } from './interleave'
import { topKShape } from './shapes'

const question = 'Is a corpus after 1000 small changes searched as fast as a fresh one of its rows?'

const { corpus: corpusRows, cols } = topKShape
const k = 10
const changes = 1000

/** Updates, removals and additions of one row, all over the corpus, as many as there are rows left at the end. */
async function changeOften(corpus: PreparedCorpus) {
  const rows = randomUnitRows(changes, cols, 3)
  const row = (i: number) => ({
    data: rows.data.subarray(i * cols, (i + 1) * cols),
    rows: 1,
    cols,
  })
  let state = 1
  const removed = new Set<number>()
  const next = () => {
    do state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    while (removed.has(state % corpusRows))
    return state % corpusRows
  }
  const kinds = [
    (i: number) => corpus.update([next()], row(i)),
    () => {
      const gone = next()
      removed.add(gone)
      return corpus.remove([gone])
    },
    (i: number) => corpus.append(row(i)),
  ]
  const times: number[] = []
  for (let i = 0; i < changes; i++) times.push(await cpuSeconds(() => kinds[i % 3]!(i)))
  return { times, removed }
}

/** The live rows of a corpus, as a fresh one. */
async function freshOf(changed: PreparedCorpus, removed: ReadonlySet<number>) {
  const all = randomUnitRows(corpusRows, cols, 2)
  const live = [...Array(corpusRows).keys()].filter((row) => !removed.has(row))
  const data = new Float32Array(changed.liveRows * cols)
  live.forEach((row, i) => data.set(all.data.subarray(row * cols, (row + 1) * cols), i * cols))
  const added = randomUnitRows(changed.liveRows - live.length, cols, 4)
  data.set(added.data, live.length * cols)
  return prepareCorpus({ data, rows: changed.liveRows, cols })
}

experiment(__filename, question, async (report) => {
  const changed = await prepareCorpus(randomUnitRows(corpusRows, cols, 2))
  const { times, removed } = await changeOften(changed)
  const cost = 1e6 * median(times)
  report.note(
    `a change of one row among ${corpusRows} × ${cols}: ${cost.toFixed(0)} µs of CPU time`,
  )
  const fresh = await freshOf(changed, removed)
  for (const nq of [1, 12, 200]) {
    const queries = randomUnitRows(nq, cols, 1)
    const measured = await interleave({
      fresh: () => cpuSeconds(() => topK(queries, fresh, { k })),
      changed: () => cpuSeconds(() => topK(queries, changed, { k })),
    })
    const ratios = measured.changed.map((time, round) => time / measured.fresh[round]!)
    report.note(
      `topK, ${nq} × ${changed.liveRows} × ${cols}, k = ${k}: ${(1000 * median(measured.changed)).toFixed(2)} ms of CPU time after ${changes} changes, ${(1000 * median(measured.fresh)).toFixed(2)} ms fresh, ratio ${median(ratios).toFixed(3)}`,
    )
  }
  changed.dispose()
  fresh.dispose()
})
