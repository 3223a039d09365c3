import { prepareCorpus, topK, type Neighbours } from '../lib/index'
import { exchangePath, handOver, randomUnitRows, readAnswer } from './data'
import { experiment, type Experiment } from './experiment'
import { interleave, median, seconds, type Turn } from './interleave'
import { Rival } from './rival'
import { topKShape } from './shapes'

const question = 'How near to a square sgemm does exact top-k come, and to faiss IndexFlatIP?'

const { queries: queryRows, corpus: corpusRows, cols, k } = topKShape

/** The target applies to both builds of faiss: with the kernels that it selects, and with the best ones. */
const faissEnvironments = [{}, { OPENBLAS_CORETYPE: 'SkylakeX' }] as Record<string, string>[]

async function startRivals(report: Experiment, arrays: Record<string, string>): Promise<Rival[]> {
  const rivals: Rival[] = []
  for (const env of faissEnvironments) {
    const rival = await Rival.start(report, 'faiss_flat', env)
    await rival?.call('load', { ...arrays, k })
    if (rival) rivals.push(rival)
  }
  return rivals
}

/** Counts the common rows of two results; float32 sums may order nearly equal scores differently. */
async function noteAgreement(report: Experiment, { indices }: Neighbours, rival: Rival) {
  const path = exchangePath('rows.npy')
  await rival.call('run')
  await rival.call('answer', { rows: path })
  const { data } = await readAnswer(path)
  let common = 0
  for (let query = 0; query < queryRows; query++) {
    const rows = new Set(data.subarray(query * k, (query + 1) * k))
    for (let place = 0; place < k; place++) common += Number(rows.has(indices[query * k + place]!))
  }
  report.note(`${common} of ${queryRows * k} rows are those of ${rival.name}`)
}

experiment(__filename, question, async (report) => {
  const queries = randomUnitRows(queryRows, cols, 1)
  const corpus = randomUnitRows(corpusRows, cols, 2)
  const arrays = {
    queries: await handOver('queries', queries),
    corpus: await handOver('corpus', corpus),
  }
  const rivals = await startRivals(report, arrays)
  const prepared = await prepareCorpus(corpus)
  const rivalTurns = Object.fromEntries(
    rivals.map((rival): [string, Turn] => [rival.name, () => rival.seconds('run')]),
  )
  const measured: Record<string, number[]> = await interleave<string>({
    prepared: () => seconds(() => topK(queries, prepared, { k })),
    preparing: () => seconds(async () => (await prepareCorpus(corpus)).dispose()),
    direct: () => seconds(() => topK(queries, corpus, { k })),
    limit: report.roofline.sample,
    ...rivalTurns,
  })

  const { prepared: times, preparing, direct, limit } = measured as Record<string, number[]>
  const job = `topK, ${queryRows} × ${corpusRows} × ${cols}, k = ${k}`
  const operations = 2 * queryRows * corpusRows * cols
  report.compareRate(`${job}, prepared corpus`, operations, times!, limit!, 0.85)
  report.compareRate(`${job}, preparing included`, operations, direct!, limit!)
  report.note(
    `prepareCorpus, ${corpusRows} × ${cols}: ${median(preparing!).toFixed(4)} s, ${prepared.bytes} bytes`,
  )
  for (const { name } of rivals) report.compareTime(job, name, times!, measured[name]!, 1)

  const answer = await topK(queries, prepared, { k })
  report.note(`${answer.certified} queries certified, ${answer.fallback} scanned again`)
  for (const rival of rivals) await noteAgreement(report, answer, rival)
  prepared.dispose()
})
