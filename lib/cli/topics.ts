// gemmine topics: topics of documents with their words, from files to files.
import { Command, Option } from 'commander'
import { fileError } from '../data/file'
import { readTexts } from '../data/ids-and-texts'
import { toDenseView, type Matrix } from '../data/matrix'
import { matrixFile } from '../data/matrix-files'
import { writeLines } from '../data/mined-lines'
import { readInt32Npy, writeNpy } from '../data/npy'
import type { SparseMatrix } from '../data/sparse'
import { invalid } from '../errors'
import type { FactorizationModel } from '../factorization/factorization-model'
import { criteria } from '../factorization/rank-criteria'
import { nmfInits } from '../factorization/surveyed-models'
import { checkInteger } from '../options'
import { keyNmf, keyNmfDefaults, type KeyNmfOptions } from '../topics/key-nmf'
import { topicCoherence } from '../topics/measures'
import { topicDiversity, topicUbiquity, topWords, topWordsDefaults } from '../topics/reading'
import { semanticNmf, semanticNmfDefaults, type SemanticNmfOptions } from '../topics/semantic-nmf'
import {
  budgetOption,
  choiceOption,
  countOption,
  numberOption,
  pathOption,
  required,
  withCommonOptions,
  type CommonOptions,
} from './common-options'
import { optionsOf, scalarsOf } from './factorize-options'
import { optionOf } from './failure'
import { tellOfCheckpoint } from './interruption'
import { heading, runCommand, type Job } from './job'
import { matrixFiles, sparseOf, withDense, withSource } from './load'
import { ranksOf } from './numbers'
import { checkOutside } from './outputs'
import { perturbationOption, restartsOption } from './select-rank'

const models = ['semantic-nmf', 'key-nmf'] as const

/** The only place where the defaults of the command itself are written. */
const topicsDefaults = { model: 'semantic-nmf' } as const

interface Given extends CommonOptions {
  readonly model?: (typeof models)[number]
  readonly ranks?: SemanticNmfOptions['ranks']
  readonly rank?: number
  readonly semantics?: string
  readonly documents?: string
  readonly terms?: string
  readonly timeSlices?: string
  readonly vocabulary?: string
  readonly words?: number
  readonly checkpoint?: string
  readonly resume?: string
}

/** What either model finds. */
interface Found {
  readonly model: FactorizationModel
  readonly documents: Matrix
  readonly topics: Matrix
  readonly relativeError: number
  readonly seconds: number
  readonly warnings: readonly string[]
  readonly contexts?: Matrix
  readonly slices?: readonly Matrix[]
  /** Figures of this model alone, for the summary. */
  readonly figures: object
}

/** Options without a default in lib, or with arrays, that each model has; those of lib have the names of its defaults. */
const namesOf = {
  'semantic-nmf': new Set(['ranks', 'semantics', ...Object.keys(semanticNmfDefaults)]),
  'key-nmf': new Set(['rank', 'documents', 'terms', ...Object.keys(keyNmfDefaults)]),
}

function checkForeign(given: Given) {
  const { model = topicsDefaults.model } = given
  const other = models.find((name) => name !== model)!
  for (const [name, value] of Object.entries(given))
    if (value !== undefined && namesOf[other].has(name) && !namesOf[model].has(name))
      throw invalid(optionOf(name), `nothing (the model ${model} has no such option)`, value)
}

async function semantic(X: SparseMatrix, given: Given, job: Job): Promise<Found> {
  const path = required(given.semantics, '--semantics', 'the contexts of each term')
  const ranks = required(given.ranks, '--ranks', 'the ranks to survey, such as 2:10')
  const own = scalarsOf(Object.keys(semanticNmfDefaults), given)
  return withSource(
    path,
    job.options,
    () => {},
    async (semantics) => {
      const found = await job.progress.during('topics', (onProgress) =>
        semanticNmf(X, sparseOf(path, semantics), {
          ...{ ...own, ...job.options, ranks, onProgress },
        }),
      )
      const { chosen, criterion, isStable } = found
      const figures = { chosen, criterion, isStable, ranks: found.ranks.map(({ rank }) => rank) }
      return { ...found, figures }
    },
  )
}

/** Names both files: either may be the wrong one. */
function checkOneRowEach(
  what: 'document' | 'term',
  [embeddings, rows]: readonly [string, number],
  [path, expected]: readonly [string, number],
) {
  if (rows !== expected)
    throw fileError(
      embeddings,
      `expected ${expected} rows, one for each ${what} of ${path}, received ${rows}`,
    )
}

async function ofKeywords(X: SparseMatrix, path: string, given: Given, job: Job): Promise<Found> {
  const documents = required(given.documents, '--documents', 'the embeddings of the documents')
  const terms = required(given.terms, '--terms', 'the embeddings of the terms')
  const rank = required(given.rank, '--rank', 'the number of topics')
  const own = scalarsOf(Object.keys(keyNmfDefaults), given)
  const timeSlices = given.timeSlices && (await readInt32Npy(given.timeSlices))
  return withDense(documents, (D) =>
    withDense(terms, async (V) => {
      checkOneRowEach('document', [documents, toDenseView('documents', D).rows], [path, X.rows])
      checkOneRowEach('term', [terms, toDenseView('terms', V).rows], [path, X.cols])
      const { model, keywords, slices } = await job.progress.during('topics', (onProgress) =>
        keyNmf(D, V, X, {
          ...{ ...own, ...job.options, rank, onProgress },
          ...{ timeSlices: timeSlices || undefined },
        } as KeyNmfOptions),
      )
      const { W, H, relativeError, seconds, warnings, iterations, converged } = model
      const figures = { keywords: keywords.values.length, iterations, converged }
      const factors = { model, documents: W, topics: H, slices }
      return { ...factors, relativeError, seconds, warnings, figures }
    }),
  )
}

/** The word of each term; its number without a vocabulary. */
async function vocabularyOf(path: string | undefined, terms: number): Promise<string[]> {
  if (path === undefined) return Array.from({ length: terms }, (_, term) => String(term))
  const words = await readTexts(path, 'any', 'corpus')
  if (words.length === terms) return words
  throw fileError(path, `expected ${terms} words, one for each term, received ${words.length}`)
}

async function find(path: string, given: Given) {
  const { model = topicsDefaults.model, vocabulary, checkpoint, out } = given
  checkForeign(given)
  const count = given.words ?? topWordsDefaults.count
  checkInteger('--words', count, 1)
  if (checkpoint && out) checkOutside('--checkpoint', checkpoint, out)
  const { semantics, documents, terms, timeSlices, resume } = given
  const files = { semantics, documents, terms, timeSlices, vocabulary, resume }
  const own = { X: path, occurrences: path, ...files }
  await runCommand(given, own, (job) =>
    withSource(
      path,
      job.options,
      () => {},
      async (input) => {
        const X = sparseOf(path, input)
        const words = await vocabularyOf(vocabulary, X.cols)
        if (checkpoint) tellOfCheckpoint(checkpoint)
        const found = await (model === 'key-nmf'
          ? ofKeywords(X, path, given, job)
          : semantic(X, given, job))
        const listed = await topWords(found.topics, words, { count })
        return finished({ X, words, listed, found, given }, job)
      },
    ),
  )
}

interface Read {
  readonly X: SparseMatrix
  readonly words: readonly string[]
  readonly listed: readonly (readonly string[])[]
  readonly found: Found
  readonly given: Given
}

async function finished({ X, words, listed, found, given }: Read, job: Job) {
  const { topics, documents, model, relativeError, seconds, warnings, figures } = found
  // Words may repeat in a vocabulary: the coherence asks for terms.
  const isDistinct = new Set(words).size === words.length
  const coherence = isDistinct ? await topicCoherence(listed, X, words) : undefined
  const { dominant, mean } = await topicUbiquity(documents, topics)
  const lines = listed.map((ofTopic, topic) => ({
    topic,
    words: ofTopic,
    ...(coherence && { coherence: coherence[topic] }),
    dominant: dominant[topic],
    mean: mean[topic],
  }))
  await writeTopics(found, lines, job)
  const summary = {
    ...heading('topics'),
    model: given.model ?? topicsDefaults.model,
    shape: [X.rows, X.cols],
    rank: model.rank,
    ...figures,
    relativeError,
    coherence: coherence && Array.from(coherence, (each) => (Number.isNaN(each) ? null : each)),
    diversity: listed.flat().length > 0 ? topicDiversity(listed) : null,
    seconds,
    threads: job.threads,
    seed: given.seed ?? semanticNmfDefaults.seed,
    device: job.device,
    warnings,
  }
  const printed = listed.map((ofTopic, j) => `topic ${j}: ${ofTopic.join(', ')}\n`).join('')
  return { summary, outcome: `relative error ${relativeError.toPrecision(3)}`, printed }
}

async function writeTopics(found: Found, lines: readonly object[], { write }: Job) {
  const { model, documents, topics, contexts, slices = [] } = found
  const array = ({ data, rows, cols }: Matrix) => ({ data, shape: [rows, cols] })
  await write('W.npy', (to) => writeNpy(to, array(documents)))
  await write('H.npy', (to) => writeNpy(to, array(topics)))
  if (contexts) await write('contexts.npy', (to) => writeNpy(to, array(contexts)))
  if (slices.length > 0) {
    const { rows, cols } = topics
    const data = new Float32Array(slices.length * rows * cols)
    slices.forEach((slice, at) => data.set(slice.data, at * rows * cols))
    await write('slices.npy', (to) => writeNpy(to, { data, shape: [slices.length, rows, cols] }))
  }
  await write('model.safetensors', (to) => model.save(to))
  await write('topics.jsonl', (to) =>
    writeLines(
      to,
      lines.map((each) => JSON.stringify(each)),
    ),
  )
}

const footer = `
X [n x T] has one row a document and one column a term, no entry below 0, sparse:
${matrixFiles}.

semantic-nmf factorizes X (such as tf-idf) together with the contexts of the terms, [T x T], such as
shifted positive PMI, and chooses the number of topics as gemmine select-rank does. key-nmf factorizes
the keywords of documents: the terms that occur in a document, weighed by the cosines of embeddings.

Prints the words of each topic, and writes W.npy [n x K], H.npy [K x T], topics.jsonl (the words of each
topic, their coherence: the mean normalised pointwise mutual information, and the share of documents),
model.safetensors (for gemmine transform) and summary.json, for semantic-nmf contexts.npy [T x K], for
key-nmf with --time-slices slices.npy [slices x K x T], the topics in each slice.

Example:
  $ gemmine topics tf-idf.npz --semantics ppmi.npz --ranks 2:12 --vocabulary words.txt --out topics
  $ gemmine topics counts.npz --model key-nmf --rank 10 --documents documents.npy --terms terms.npy \\
      --vocabulary words.txt --out topics
`

function describeOwn(command: Command) {
  const { threshold, init } = semanticNmfDefaults
  command
    .addOption(choiceOption('--model <NAME>', 'how topics are found', models, topicsDefaults.model))
    .addOption(pathOption('--vocabulary <FILE>', 'the word of each term, one a line'))
    .addOption(countOption('--words <N>', 'words of a topic', topWordsDefaults.count))
    .addOption(
      pathOption('--semantics <FILE>', 'sparse [T x T]: contexts of the terms, for semantic-nmf'),
    )
    .addOption(
      new Option(
        '--ranks <RANKS>',
        'A:B, or a list such as 2,4,8: numbers of topics to survey, for semantic-nmf',
      ).argParser(ranksOf('--ranks')),
    )
    .addOption(
      numberOption('--weight <W>', 'how much contexts count beside X', semanticNmfDefaults.weight),
    )
    .addOption(restartsOption())
    .addOption(perturbationOption())
    .addOption(numberOption('--threshold <T>', 'silhouette of a stable topic', threshold))
    .addOption(choiceOption('--criterion <NAME>', 'what decides, see select-rank', criteria))
    .addOption(numberOption('--hold-out <S>', 'share of entries held out, see select-rank'))
    .addOption(choiceOption('--init <NAME>', 'where to start, see factorize', nmfInits, init))
    .addOption(countOption('--rank <K>', 'number of topics, for key-nmf'))
    .addOption(pathOption('--documents <FILE>', '[n x d]: embeddings of documents, for key-nmf'))
    .addOption(pathOption('--terms <FILE>', '[T x d]: embeddings of the terms, for key-nmf'))
    .addOption(
      countOption(
        '--top-terms <N>',
        'keywords of a document, for key-nmf',
        keyNmfDefaults.topTerms,
      ),
    )
    .addOption(
      pathOption('--time-slices <FILE>', '.npy [n] int32: slice of each document, for key-nmf'),
    )
}

export function topicsCommand(): Command {
  const command = new Command('topics')
    .summary('find topics of documents, and their words')
    .description('Find K topics of documents X [n x T], and the words of each.')
    .argument('<X>', `documents by terms: ${matrixFile}`)
  describeOwn(command)
  const taken = command.options.map((option) => option.attributeName())
  const both = { ...semanticNmfDefaults, ...keyNmfDefaults }
  for (const option of optionsOf(both, [...taken, 'mask', 'sampleWeight']))
    command.addOption(option)
  return withCommonOptions(command.addOption(budgetOption()))
    .addHelpText('after', footer)
    .action((path: string, options: Given) => find(path, options))
}
