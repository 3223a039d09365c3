// gemmine demo: both jobs of this package on text that is on every machine that got this far.
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Command } from 'commander'
import { fileError } from '../data/file'
import type { Matrix } from '../data/matrix'
import { minedLines, rejectedLines, writeLines } from '../data/mined-lines'
import { writeNpy } from '../data/npy'
import { nmf } from '../factorization/nmf'
import { truncatedSvd } from '../factorization/truncated-svd'
import { defaultRelativeMargin } from '../mining/ceiling-rules'
import { mineHardNegatives } from '../mining/mine-hard-negatives'
import { flagOption, helpOption, pathOption, required } from './common-options'
import { projected, spokenRows, takeRows } from './demo/embeddings'
import { describeNegatives } from './demo/negatives'
import { gatherPackages, type PackageTexts } from './demo/packages'
import { TfIdf } from './demo/tf-idf'
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

const fewest = 20

/** What the demo may leave: its embeddings too, which other commands read and so never replace. */
const demoFiles = ['queries.npy', 'corpus.npy', ...resultFiles]

const advice = 'run the demo in the folder of a project with more dependencies'

/** The nearest node_modules: that of the folder the demo runs in, or the one gemmine itself lies in or has. */
function nodeModules(): string {
  const places = [
    resolve('node_modules'),
    resolve(__dirname, '../../node_modules'),
    resolve(__dirname, '../../..'),
  ]
  const found = places.find((place) => place.endsWith('node_modules') && existsSync(place))
  if (found) return found
  throw fileError(
    'node_modules',
    `expected a folder of installed packages here, received none; ${advice}`,
  )
}

async function gather(): Promise<PackageTexts[]> {
  const folder = nodeModules()
  const packages = await gatherPackages(folder)
  if (packages.length >= fewest) return packages
  throw fileError(
    folder,
    `expected at least ${fewest} packages with a description and a README, received ${packages.length}; ${advice}`,
  )
}

const say = (...lines: string[]) => console.log(lines.join('\n'))

const job = { signal: interrupted }

/** Arithmetic done, and the time inside the solvers that it took. */
interface Effort {
  readonly work: number
  readonly seconds: number
}

const rate = ({ work, seconds }: Effort) => `${(work / seconds / 1e9).toFixed(1)} GFLOP/s`

async function findTopics(tfidf: TfIdf, packages: readonly PackageTexts[], progress: Progress) {
  const X = tfidf.documents
  const rank = Math.min(demoDefaults.topics, X.rows, X.cols)
  const model = await progress.during('topics', (onProgress) =>
    nmf(X, { rank, ...job, onProgress }),
  )
  const topics = topicsOf(model, tfidf, packages)
  const effort = { work: 4 * X.values.length * rank * model.iterations, seconds: model.seconds }
  say(
    `\nTopics: ${X.rows} READMEs × ${X.cols} words (${X.values.length} entries), NMF of rank ${rank}, ` +
      `${counted(model.iterations, 'iteration')}`,
    `relative error ${model.relativeError.toFixed(3)}: ‖X − WH‖ / ‖X‖, where 0 is a perfect copy and 1 explains nothing; ` +
      'so few topics cannot tell every word of a text',
    ...describeTopics(topics),
  )
  return { model, topics, effort }
}

async function embed(tfidf: TfIdf, packages: readonly PackageTexts[], progress: Progress) {
  const X = tfidf.documents
  const rank = Math.min(demoDefaults.dimensions, X.rows, X.cols)
  const { V } = await progress.during('embed', (onProgress) =>
    truncatedSvd(X, { rank, ...job, onProgress }),
  )
  const corpus = projected(X, V)
  const queries = projected(tfidf.transform(packages.map(({ description }) => description)), V)
  const rows = spokenRows(queries, corpus)
  if (rows.length <= demoDefaults.numNegatives)
    throw fileError(
      'node_modules',
      `expected more than ${demoDefaults.numNegatives} packages whose description and README share words with others, received ${rows.length}; ${advice}`,
    )
  return {
    pairs: rows.map((row) => packages[row]!),
    corpus: takeRows(corpus, rows),
    queries: takeRows(queries, rows),
  }
}

type Embeddings = Awaited<ReturnType<typeof embed>>

async function mineNegatives(
  { queries, corpus, pairs }: Embeddings,
  leftOut: number,
  progress: Progress,
) {
  const positives = Int32Array.from(pairs.keys())
  const options = { numNegatives: demoDefaults.numNegatives, explain: 4 }
  const mined = await progress.during('mine', (onProgress) =>
    mineHardNegatives(queries, corpus, positives, { ...options, ...job, onProgress }),
  )
  const effort = { work: 2 * queries.rows * corpus.rows * corpus.cols, seconds: mined.seconds }
  say(
    `\nHard negatives: description → README, ${queries.rows} queries × ${corpus.rows} READMEs × ${corpus.cols} dimensions, ` +
      `${counted(mined.found, 'negative')}, ${counted(mined.dropped.ceiling, 'candidate')} above the ceiling`,
    ...(leftOut > 0
      ? [
          `${counted(leftOut, 'package')} left out: the description or the README has no word that READMEs share`,
        ]
      : []),
    `Some of the best-scored pairs; the ceiling is ${100 * (1 - defaultRelativeMargin)} % of the positive's score, and what scores above it may well be right too`,
    ...describeNegatives(mined, pairs, demoDefaults.examples),
  )
  return { mined, effort }
}

type Results = Omit<Awaited<ReturnType<typeof findTopics>>, 'effort'> &
  Omit<Awaited<ReturnType<typeof mineNegatives>>, 'effort'> &
  Embeddings

async function write(
  outputs: Outputs,
  packages: readonly PackageTexts[],
  { model, topics, mined, queries, corpus, pairs }: Results,
) {
  const words = {
    query: (row: number) => pairs[row]!.description,
    document: (row: number) => pairs[row]!.readme.trim().slice(0, 1000),
  }
  const names = {
    query: (row: number) => pairs[row]!.name,
    document: (row: number) => pairs[row]!.name,
  }
  const matrices: Record<string, Matrix> = { W: model.W, H: model.H, queries, corpus }
  for (const [name, { data, rows, cols }] of Object.entries(matrices))
    await outputs.write(`${name}.npy`, (path) => writeNpy(path, { data, shape: [rows, cols] }))
  await outputs.write('negatives.jsonl', (path) =>
    writeLines(path, minedLines('triplet', mined, words), job),
  )
  await outputs.write('rejected.jsonl', (path) =>
    writeLines(path, rejectedLines(mined.rejected, names), job),
  )
  const summary = {
    packages: packages.length,
    pairs: pairs.length,
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

async function demonstrate(outputs: Outputs) {
  const started = performance.now()
  // Also where stderr is no terminal: a demo shows what happens.
  const progress = new Progress({ lines: !process.stderr.isTTY })
  const packages = await progress.during('gather', gather)
  const tfidf = new TfIdf(packages.map(({ readme }) => readme))
  say(
    `gemmine demo: ${packages.length} packages with a description and a README, out of node_modules`,
  )
  const topics = await findTopics(tfidf, packages, progress)
  const embeddings = await embed(tfidf, packages, progress)
  const mining = await mineNegatives(
    embeddings,
    packages.length - embeddings.pairs.length,
    progress,
  )
  await write(outputs, packages, { ...topics, ...mining, ...embeddings })
  const effort = {
    work: topics.effort.work + mining.effort.work,
    seconds: topics.effort.seconds + mining.effort.seconds,
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(2)
  say(
    `\nDone in ${seconds} s`,
    `Topics and mining: ${rate(effort)}, billions of floating-point operations a second; ` +
      'matrices this small end before a processor is at full speed',
    `Wrote ${outputs}`,
  )
}

interface DemoOptions {
  readonly out?: string
  readonly force?: boolean
}

async function demo({ out = demoDefaults.out, force = false }: DemoOptions) {
  required(out, '--out', 'a folder for the results')
  // Its own folder is nobody else's, and a second run needs no option.
  const outputs = Outputs.open(out, force || out === demoDefaults.out, demoFiles)
  try {
    await demonstrate(outputs)
  } finally {
    outputs.discard()
  }
}

const footer = `
Writes W.npy and H.npy (topics), queries.npy and corpus.npy (embeddings of descriptions and READMEs),
negatives.jsonl (triplets for training), rejected.jsonl and summary.json.

Example:
  $ gemmine demo
  $ gemmine topk --queries ${demoDefaults.out}/queries.npy --corpus ${demoDefaults.out}/corpus.npy --k 3 --out nearest
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
