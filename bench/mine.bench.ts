import { mineHardNegatives, writeNpy, type Matrix, type MinedNegatives } from '../lib/index'
import { AdmissibleSearch } from './admissible'
import { exchangePath, handOver, readMatrix, readPairsWithin, sharedFile } from './data'
import { experiment, type Experiment } from './experiment'
import { interleave, seconds, type Turn } from './interleave'
import { Rival } from './rival'
import { miningShape } from './shapes'

const question =
  'How fast are hard negatives mined over given embeddings, and do all admissible ones come?'

/** Converts alternating queries and corpus rows to a list per query. */
function listsOf(queries: number, pairs: Int32Array): number[][] {
  const lists: number[][] = Array.from({ length: queries }, () => [])
  for (let t = 0; t < pairs.length; t += 2) lists[pairs[t]!]!.push(pairs[t + 1]!)
  return lists
}

const { set, numNegatives, relativeMargin, checkedQueries } = miningShape

async function startRival(report: Experiment, queries: Matrix, corpus: Matrix, pairs: Int32Array) {
  const rival = await Rival.start(report, 'sentence_transformers_mine')
  const path = exchangePath('pairs.npy')
  await writeNpy(path, { data: pairs, shape: [pairs.length / 2, 2] })
  const arrays = {
    queries: await handOver('queries', queries),
    corpus: await handOver('corpus', corpus),
    pairs: path,
  }
  await rival?.call('load', {
    ...arrays,
    num_negatives: numNegatives,
    relative_margin: relativeMargin,
  })
  return rival
}

/** Queries spread evenly over all queries, and every query with too few negatives. */
function queriesToCheck({ queries, counts }: MinedNegatives): number[] {
  const step = Math.max(1, Math.floor(queries / checkedQueries))
  return Array.from(counts.keys()).filter(
    (query) => query % step === 0 || counts[query]! < numNegatives,
  )
}

function noteCompleteness(report: Experiment, mined: MinedNegatives, search: AdmissibleSearch) {
  const { indptr } = search.positives
  const checked = queriesToCheck(mined).filter((query) => indptr[query] !== indptr[query + 1])
  const wrong = checked.filter((query) => !search.isComplete(mined, query))
  report.note(
    `${mined.shortfall} queries have fewer than ${numNegatives} admissible negatives; ${mined.certified} certified, ${mined.fallback} scanned again`,
  )
  report.note(
    `checked in float64: ${checked.length} queries, all short ones among them; ${wrong.length} miss an admissible negative or hold another row`,
  )
}

experiment(__filename, question, async (report) => {
  const paths = ['queries.npy', 'docs.npy', 'positives.tsv'].map((file) => sharedFile(set, file))
  const [queryPath, corpusPath, pairsPath] = paths
  if (!queryPath || !corpusPath || !pairsPath) return report.notRun(set, 'the data set is absent')
  const queries = await readMatrix(queryPath)
  const corpus = await readMatrix(corpusPath)
  const pairs = readPairsWithin(pairsPath, queries.rows, corpus.rows)
  const { positives } = await mineHardNegatives(queries, corpus, listsOf(queries.rows, pairs))
  const rival = await startRival(report, queries, corpus, pairs)

  const mine = () => mineHardNegatives(queries, corpus, positives, { numNegatives, relativeMargin })
  const mineTuples = async () => [...(await mine()).nTuples()]
  const rivalTurns: Record<string, Turn> = rival ? { rival: () => rival.seconds('run') } : {}
  const measured: Record<string, number[]> = await interleave<string>({
    own: () => seconds(mineTuples),
    limit: report.roofline.sample,
    ...rivalTurns,
  })

  const job = `mineHardNegatives, ${set} ${queries.rows} × ${corpus.rows} × ${corpus.cols}, k = ${numNegatives}`
  report.compareRate(
    job,
    2 * queries.rows * corpus.rows * corpus.cols,
    measured['own']!,
    measured['limit']!,
  )
  if (rival) report.compareTime(job, rival.name, measured['own']!, measured['rival']!, 2.5)

  const total = pairs.length / 2
  report.note(`gemmine: complete tuples for ${(await mineTuples()).length} of ${total} pairs`)
  if (rival)
    report.note(
      `${rival.name}: complete tuples for ${(await rival.call('run'))['complete']} of ${total} pairs`,
    )
  noteCompleteness(
    report,
    await mine(),
    new AdmissibleSearch(queries, corpus, positives, relativeMargin),
  )
})
