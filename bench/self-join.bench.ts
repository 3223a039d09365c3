import { topK } from '../lib/index'
import { randomUnitRows } from './data'
import { experiment } from './experiment'
import { cpuSeconds, interleave, seconds } from './interleave'
import { linesOf } from './native-program'
import { isTrial, selfJoinShape } from './shapes'

const question =
  'What does a search of a corpus among its own rows cost beside a search against a copy?'

/** At most .65 of its time. */
const target = 1 / 0.65

experiment(__filename, question, async (report) => {
  const { rows, cols, k } = selfJoinShape
  const X = randomUnitRows(rows, cols, 1)
  const copy = { ...X, data: X.data.slice() }
  const itself = () => topK(X, X, { k, excludeSelf: true })
  const { own, other, wall, limit } = await interleave({
    own: () => cpuSeconds(itself),
    other: () => cpuSeconds(() => topK(X, copy, { k, excludeSelf: true })),
    wall: () => seconds(itself),
    limit: report.roofline.sample,
  })
  const job = `topK of a corpus among its own rows, ${rows} × ${cols}, k = ${k}`
  report.compareTime(`${job}, CPU time`, 'against a copy', own, other, target)
  report.compareRate(`${job}, each score counted once`, rows * rows * cols, wall, limit)
  if (!isTrial) for (const line of linesOf('native_self_join')) report.note(line)
})
