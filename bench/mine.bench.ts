import { mineHardNegatives, writeNpy, type Matrix, type MinedNegatives } from '../lib/index'
import { AdmissibleSearch } from './admissible'
import { exchangePath, handOver, readMatrix, readPairsWithin, sharedFile } from './data'
import { experiment, type Experiment } from './experiment'
import { interleave, times, type Times } from './interleave'
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

/** What mines the same arrays: a program, the arguments of its run, and how many times as fast gemmine should be. */
const rivals = [
  { script: 'sentence_transformers_mine', values: {}, label: '', target: 8 },
  {
    script: 'sentence_transformers_mine',
    values: { use_faiss: true },
    label: ' with use_faiss',
    target: 5,
  },
  { script: 'hard_negatives_search', values: {}, label: '', target: 1 },
] as const

interface Running {
  readonly name: string
  readonly target: number
  times(): Promise<Times>
  complete(): Promise<unknown>
}

/** Starts each program once; one that lacks its libraries is noted as not run. */
async function startRivals(report: Experiment, queries: Matrix, corpus: Matrix, pairs: Int32Array) {
  const path = exchangePath('pairs.npy')
  await writeNpy(path, { data: pairs, shape: [pairs.length / 2, 2] })
  const arrays = {
    queries: await handOver('queries', queries),
    corpus: await handOver('corpus', corpus),
    pairs: path,
  }
  const options = { num_negatives: numNegatives, relative_margin: relativeMargin }
  const programs = new Map<string, Rival | undefined>()
  const running: Running[] = []
  for (const { script, values, label, target } of rivals) {
    if (!programs.has(script)) {
      const rival = await Rival.start(report, script)
      await rival?.call('load', { ...arrays, ...options })
      programs.set(script, rival)
    }
    const rival = programs.get(script)
    if (rival)
      running.push({
        name: rival.name + label,
        target,
        times: () => rival.times('run', values),
        complete: async () => (await rival.call('run', values))['complete'],
      })
  }
  return running
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
  const running = await startRivals(report, queries, corpus, pairs)

  const mine = () => mineHardNegatives(queries, corpus, positives, { numNegatives, relativeMargin })
  const mineTuples = async () => [...(await mine()).nTuples()]
  const turns = running.map(({ name, times: run }) => [name, run])
  const limits: number[] = []
  const { own, limit, ...theirs } = await interleave<string, Times>({
    own: () => times(mineTuples),
    limit: () => times(async () => limits.push(await report.roofline.sample())),
    ...(Object.fromEntries(turns) as Record<string, () => Promise<Times>>),
  })

  const job = `mineHardNegatives, ${set} ${queries.rows} × ${corpus.rows} × ${corpus.cols}, k = ${numNegatives}`
  report.compareRate(
    job,
    2 * queries.rows * corpus.rows * corpus.cols,
    own!.map(({ seconds }) => seconds),
    // The first round is not counted.
    limits.slice(-limit!.length),
  )
  for (const { name, target } of running)
    report.compareTimes(job, name, own!, theirs[name]!, target)

  const total = pairs.length / 2
  report.note(`gemmine: complete tuples for ${(await mineTuples()).length} of ${total} pairs`)
  for (const { name, complete } of running)
    report.note(`${name}: complete tuples for ${await complete()} of ${total} pairs`)
  noteCompleteness(
    report,
    await mine(),
    new AdmissibleSearch(queries, corpus, positives, relativeMargin),
  )
})
