// gemmine demo: both jobs of this package on the READMEs of packages, or on texts that come with it.
import { writeFile } from 'node:fs/promises'
import { Command } from 'commander'
import type { Matrix } from '../data/matrix'
import { minedLines, rejectedLines, writeLines } from '../data/mined-lines'
import { writeNpy } from '../data/npy'
import { nmf } from '../factorization/nmf'
import { truncatedSvd } from '../factorization/truncated-svd'
import { defaultRelativeMargin } from '../mining/ceiling-rules'
import { mineHardNegatives } from '../mining/mine-hard-negatives'
import { startFileThreads } from '../native'
import { flagOption, helpOption, pathOption, required } from './common-options'
import { chooseTexts, type Chosen } from './demo/choose'
import { projected, spokenRows, takeRows } from './demo/embeddings'
import { describeNegatives } from './demo/negatives'
import type { Collection } from './demo/texts'
import { describeTopics, topicsOf } from './demo/topics'
import { counted } from './job'
import { ignoreInterruptions, interrupted } from './interruption'
import { Outputs, resultFiles } from './outputs'
import { Progress } from './progress'

/** The only place where the defaults of the demo are written. */
const demoDefaults = {
  out: 'gemmine-demo',
  topics: 12,
  dimensions: 48,
  numNegatives: 3,
  examples: 5,
} as const

/** Every file that the demo may write. The embeddings are no results: other commands only read them. */
const demoFiles = ['queries.npy', 'corpus.npy', ...resultFiles]

const say = (...lines: string[]) => console.log(lines.join('\n'))

const job = { signal: interrupted }

async function findTopics({ collection, tfidf }: Chosen, progress: Progress) {
  const X = tfidf.documents
  const rank = Math.min(demoDefaults.topics, X.rows, X.cols)
  const model = await progress.during('topics', (onProgress) =>
    nmf(X, { rank, ...job, onProgress }),
  )
  const topics = topicsOf(model, tfidf, collection.texts)
  say(
    `\nTopics: NMF of ${X.rows} ${collection.document}s × ${X.cols} words into ${rank} topics, ${counted(model.iterations, 'iteration')}`,
    `For each topic: its share of all weight, its heaviest words, and below them the ${collection.document}s with most of it.`,
    ...describeTopics(topics),
    `  relative error ${model.relativeError.toFixed(3)} (0 is an exact copy, 1 tells nothing of X): ${rank} topics keep what texts share, not every word`,
  )
  return { model, topics }
}

/** Queries and documents as matrices, [pairs × dimensions] each, with the pairs that have words in both. */
async function embed({ collection, tfidf }: Chosen, progress: Progress) {
  const X = tfidf.documents
  const { texts } = collection
  const rank = Math.min(demoDefaults.dimensions, X.rows, X.cols)
  const { V } = await progress.during('embed', (onProgress) =>
    truncatedSvd(X, { rank, ...job, onProgress }),
  )
  const corpus = projected(X, V)
  const queries = projected(tfidf.transform(texts.map(({ query }) => query)), V)
  const rows = spokenRows(queries, corpus)
  return {
    pairs: { ...collection, texts: rows.map((row) => texts[row]!) },
    corpus: takeRows(corpus, rows),
    queries: takeRows(queries, rows),
  }
}

type Embeddings = Awaited<ReturnType<typeof embed>>

async function mineNegatives({ queries, corpus, pairs }: Embeddings, progress: Progress) {
  const positives = Int32Array.from(pairs.texts.keys())
  const options = { numNegatives: demoDefaults.numNegatives, explain: 4 }
  return progress.during('mine', (onProgress) =>
    mineHardNegatives(queries, corpus, positives, { ...options, ...job, onProgress }),
  )
}

type Mined = Awaited<ReturnType<typeof mineNegatives>>

function sayNegatives(mined: Mined, { pairs, corpus }: Embeddings, leftOut: number) {
  const { query, document } = pairs
  say(
    `\nHard negatives: each ${query} searches ${corpus.rows} ${document}s in ${corpus.cols} dimensions; its own ${document} is the positive`,
    ...(leftOut > 0
      ? [
          `${counted(leftOut, 'pair')} left out: the ${query} or the ${document} has no word that ${document}s share`,
        ]
      : []),
    `A hard negative is wrong and scores high: search models learn most from those. What scores above ${100 * (1 - defaultRelativeMargin)} % of the`,
    'positive (the ceiling) may be right too, so it is rejected. Examples, with the cosine as score:',
    ...describeNegatives(mined, pairs, demoDefaults.examples),
    `  in all ${counted(mined.found, 'negative')} for ${counted(mined.queries, 'query', 'queries')}; ${counted(mined.dropped.ceiling, 'candidate')} above the ceiling`,
  )
}

interface Results extends Embeddings, Awaited<ReturnType<typeof findTopics>> {
  readonly mined: Mined
}

async function write(outputs: Outputs, collection: Collection, results: Results) {
  const { model, topics, mined, queries, corpus, pairs } = results
  const texts = {
    query: (row: number) => pairs.texts[row]!.query,
    document: (row: number) => pairs.texts[row]!.document.trim().slice(0, 1000),
  }
  const nameOf = (row: number) => pairs.texts[row]!.name
  const names = { query: nameOf, document: nameOf }
  const matrices: Record<string, Matrix> = { W: model.W, H: model.H, queries, corpus }
  for (const [name, { data, rows, cols }] of Object.entries(matrices))
    await outputs.write(`${name}.npy`, (path) => writeNpy(path, { data, shape: [rows, cols] }))
  await outputs.write('negatives.jsonl', (path) =>
    writeLines(path, minedLines('triplet', mined, texts), job),
  )
  await outputs.write('rejected.jsonl', (path) =>
    writeLines(path, rejectedLines(mined.rejected, names), job),
  )
  const summary = {
    texts: collection.texts.length,
    origin: collection.origin,
    pairs: pairs.texts.length,
    topics,
    relativeError: model.relativeError,
    found: mined.found,
    dropped: mined.dropped,
    seconds: { topics: model.seconds, mining: mined.seconds },
  }
  const text = `${JSON.stringify(summary, null, 2)}\n`
  await outputs.write('summary.json', (path) => writeFile(path, text))
  interrupted.throwIfAborted()
  outputs.commit()
  ignoreInterruptions()
}

const nextCommand = (out: string) =>
  `gemmine topk --queries ${out}/queries.npy --corpus ${out}/corpus.npy --k 3 --out nearest`

async function demonstrate(outputs: Outputs, out: string) {
  const started = performance.now()
  // A demo shows its progress also where stderr is no terminal.
  const progress = new Progress({ lines: !process.stderr.isTTY })
  const chosen = await progress.during('gather', chooseTexts)
  const { collection } = chosen
  say(`gemmine demo: ${collection.origin}`)
  const topics = await findTopics(chosen, progress)
  const embeddings = await embed(chosen, progress)
  const mined = await mineNegatives(embeddings, progress)
  sayNegatives(mined, embeddings, collection.texts.length - embeddings.pairs.texts.length)
  await write(outputs, collection, { ...topics, ...embeddings, mined })
  const seconds = ((performance.now() - started) / 1000).toFixed(2)
  say(
    `\nDone in ${seconds} s`,
    `Wrote ${outputs}`,
    `negatives.jsonl is ready for training. To search the same texts: ${nextCommand(out)}`,
  )
}

interface DemoOptions {
  readonly out?: string
  readonly force?: boolean
}

async function demo({ out = demoDefaults.out, force = false }: DemoOptions) {
  required(out, '--out', 'a folder for the results')
  startFileThreads()
  // The default folder belongs to the demo: a second run replaces its results without --force.
  const outputs = Outputs.open(out, force || out === demoDefaults.out, demoFiles)
  try {
    await demonstrate(outputs, out)
  } finally {
    outputs.discard()
  }
}

const footer = `
Where node_modules has too few packages, a hundred questions and answers that come with gemmine serve.

Writes W.npy and H.npy (topics), queries.npy and corpus.npy (embeddings of descriptions and READMEs, or
of questions and answers), negatives.jsonl (triplets for training), rejected.jsonl and summary.json.

Example:
  $ gemmine demo
  $ ${nextCommand(demoDefaults.out)}
`

export const demoCommand = (): Command =>
  new Command('demo')
    .summary('show both jobs on the READMEs in node_modules')
    .description(
      'Find topics and mine hard negatives in the READMEs of the packages in node_modules.',
    )
    .addOption(
      pathOption(
        '--out <DIR>',
        `folder for the results, made when absent (default: ${demoDefaults.out})`,
      ),
    )
    .addOption(
      flagOption(
        '--force',
        'replace or remove every result of any gemmine command that --out already holds, a model too; ' +
          'in the default folder that is always done',
      ),
    )
    .addHelpOption(helpOption())
    .addHelpText('after', footer)
    .action((options: DemoOptions) => demo(options))
