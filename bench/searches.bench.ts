import { logSumExp, maxSim, mutualNeighbours, rangeSearch, reverseTopK, topK } from '../lib/index'
import { handOver, randomUnitRows } from './data'
import { experiment, type Experiment } from './experiment'
import { cpuSeconds, interleave, seconds, type Turn } from './interleave'
import { Rival } from './rival'
import { bothWaysShape, maxSimShape, rangeThreshold, temperature, topKShape } from './shapes'

const question =
  'How near to a square sgemm do the searches beside top-k come, and how fast are they beside rivals?'

/** Scores that the rival holds at a time for each query. */
const chunk = 4096

/** One job, and the same of a rival; counted are the products of all pairs. */
async function race(
  report: Experiment,
  job: string,
  operations: number,
  ours: () => Promise<unknown>,
  rival: Rival | undefined,
  theirs: Turn,
) {
  const turns: Record<string, Turn> = {
    ours: () => seconds(ours),
    limit: report.roofline.sample,
    ...(rival && { theirs }),
  }
  const { ours: times, limit, theirs: rivals } = await interleave<string>(turns)
  report.compareRate(job, operations, times!, limit!)
  if (rival) report.compareTime(job, rival.name, times!, rivals!)
}

async function bothWays(report: Experiment, faiss: Rival | undefined) {
  const { queries: nq, corpus: nc, cols, k } = bothWaysShape
  const [queries, corpus] = [randomUnitRows(nq, cols, 1), randomUnitRows(nc, cols, 2)]
  const size = `${nq} × ${nc} × ${cols}, k = ${k}`
  const paths = {
    queries: await handOver('rows', corpus),
    corpus: await handOver('asked', queries),
  }
  await faiss?.call('load', { ...paths, k })
  const operations = 2 * nq * nc * cols
  const reverse = () => reverseTopK(queries, corpus, { k })
  await race(report, `reverseTopK, ${size}`, operations, reverse, faiss, () =>
    faiss!.seconds('run'),
  )
  const { mutual, two } = await interleave({
    mutual: () => cpuSeconds(() => mutualNeighbours(queries, corpus, { k })),
    two: () =>
      cpuSeconds(async () => {
        await topK(queries, corpus, { k })
        await reverse()
      }),
  })
  report.compareTime(`mutualNeighbours, ${size}, CPU time`, 'topK and reverseTopK', mutual, two)
}

async function overBank(report: Experiment, faiss: Rival | undefined, numpy: Rival | undefined) {
  const { queries: nq, corpus: nc, cols } = topKShape
  const [queries, corpus] = [randomUnitRows(nq, cols, 1), randomUnitRows(nc, cols, 2)]
  const paths = {
    queries: await handOver('queries', queries),
    corpus: await handOver('corpus', corpus),
  }
  await faiss?.call('load', { ...paths, k: 1 })
  await numpy?.call('load', { ...paths, chunk })
  const operations = 2 * nq * nc * cols
  const range = () => rangeSearch(queries, corpus, { threshold: rangeThreshold })
  await race(report, `rangeSearch, ${nq} × ${nc} × ${cols}`, operations, range, faiss, () =>
    faiss!.seconds('range', { threshold: rangeThreshold }),
  )
  report.note(`rangeSearch at ${rangeThreshold} finds ${(await range()).indices.length} rows`)
  const sums = () => logSumExp(queries, corpus, { temperature })
  await race(report, `logSumExp, ${nq} × ${nc} × ${cols}`, operations, sums, numpy, () =>
    numpy!.seconds('log_sum_exp', { temperature }),
  )
  const widest = (await sums()).errorBounds.reduce((a, b) => Math.max(a, b))
  report.note(
    `logSumExp at the temperature ${temperature}: error bounds up to ${widest.toExponential(1)}`,
  )
}

const evenStarts = (texts: number, tokens: number) =>
  Int32Array.from({ length: texts + 1 }, (_, text) => text * tokens)

async function lateInteraction(report: Experiment, numpy: Rival | undefined) {
  const { queries: nq, queryTokens, documents: nd, documentTokens, cols, k } = maxSimShape
  const queries = {
    tokens: randomUnitRows(nq * queryTokens, cols, 3),
    starts: evenStarts(nq, queryTokens),
  }
  const documents = {
    tokens: randomUnitRows(nd * documentTokens, cols, 4),
    starts: evenStarts(nd, documentTokens),
  }
  await numpy?.call('load', {
    queries: await handOver('query-tokens', queries.tokens),
    corpus: await handOver('document-tokens', documents.tokens),
    chunk,
  })
  const ours = () => maxSim(queries, documents, { k })
  const job = `maxSim, ${nq} × ${queryTokens} by ${nd} × ${documentTokens} tokens × ${cols}, k = ${k}`
  const operations = 2 * queries.tokens.rows * documents.tokens.rows * cols
  await race(report, job, operations, ours, numpy, () =>
    numpy!.seconds('max_sim', {
      query_tokens: queryTokens,
      document_tokens: documentTokens,
      k,
    }),
  )
  const { certified, fallback } = await ours()
  report.note(`maxSim: ${certified} queries certified, ${fallback} scanned again`)
}

experiment(__filename, question, async (report) => {
  const faiss = await Rival.start(report, 'faiss_flat', { OPENBLAS_CORETYPE: 'SkylakeX' })
  const numpy = await Rival.start(report, 'numpy_scans')
  await bothWays(report, faiss)
  await overBank(report, faiss, numpy)
  await lateInteraction(report, numpy)
})
