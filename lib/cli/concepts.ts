// gemmine concepts: parts of activations that a person can read, from a file to a page.
import { writeFile } from 'node:fs/promises'
import { Command } from 'commander'
import { conceptPage } from '../concepts/concept-page'
import { readContexts } from '../concepts/contexts'
import { describeConcepts, type Concept, type ConceptContext } from '../concepts/describe-concepts'
import { fitReducer, reducerDefaults, type Reducer, type ReducerName } from '../concepts/reducer'
import { fileError, printable } from '../data/file'
import { matrixFile } from '../data/matrix-files'
import { writeLines } from '../data/mined-lines'
import { writeNpy } from '../data/npy'
import { readTexts } from '../data/ids-and-texts'
import type { MatrixInput } from '../data/matrix'
import { sidesOf, type SourceInput } from '../data/source'
import { invalidText } from '../errors'
import { checkInteger } from '../options'
import { required, withCommonOptions } from './common-options'
import { describeOptions, fitDefaultsOf, fitOf, type ConceptsOptions } from './concepts-options'
import { heading, runCommand, type Job } from './job'
import { matrixFiles, shapeOf, withDense, withSource, type Shape } from './load'

/** Contexts of each concept on stdout; the files have all. */
const printedContexts = 3

/** Characters of a context on either side of its token there. */
const printedLetters = 60

/** Checks that need only the shape of X. */
function checkRank(rank: number, model: ReducerName, { rows, cols }: Shape) {
  const small = Math.min(rows, cols)
  const limits: Partial<Record<ReducerName, number>> = {
    kmeans: rows,
    svd: small,
    'semi-orthogonal-nmf': small,
    'separable-nmf': small,
    'convex-nmf': rows,
    'archetypal-analysis': rows,
  }
  checkInteger('rank', rank, 1, limits[model])
}

function checkTogether({ unembedding, vocabulary, outputWeights }: ConceptsOptions) {
  if ((unembedding === undefined) !== (vocabulary === undefined))
    throw unembedding === undefined
      ? invalidText('--vocabulary', '--unembedding beside it', 'none')
      : invalidText('--unembedding', '--vocabulary beside it', 'none')
  if (outputWeights !== undefined && unembedding === undefined)
    throw invalidText('--output-weights', '--unembedding beside it', 'none')
}

/** Reads the files of a vocabulary, if they are given, and closes them after use. */
async function withVocabulary<T>(
  { unembedding, vocabulary, outputWeights }: ConceptsOptions,
  use: (vocabulary?: {
    unembedding: MatrixInput
    words: string[]
    output?: MatrixInput
  }) => Promise<T>,
): Promise<T> {
  if (unembedding === undefined) return use()
  const { rows } = await shapeOf(unembedding)
  const words = await readTexts(vocabulary!, 'any', 'corpus')
  if (words.length !== rows)
    throw fileError(
      vocabulary!,
      `expected ${rows} tokens, one for each row of ${unembedding}, received ${words.length}`,
    )
  return withDense(unembedding, (matrix) => {
    if (outputWeights === undefined) return use({ unembedding: matrix, words })
    return withDense(outputWeights, (output) => use({ unembedding: matrix, words, output }))
  })
}

async function find(path: string, given: ConceptsOptions) {
  const rank = required(given.rank, '--rank', 'the number of concepts')
  const { model = reducerDefaults.model, contexts: place, unembedding, vocabulary } = given
  const { count, window, repeatSamples, features, collinearAt, outputWeights } = given
  const fit = fitOf(given)
  checkTogether(given)
  // The names of arguments in lib for files of the vocabulary.
  const aliases = { corpus: unembedding, output: outputWeights }
  const own = { X: path, contexts: place, unembedding, vocabulary, outputWeights }
  const describe = async (X: SourceInput, job: Job) => {
    const { rows } = sidesOf('X', X)
    const contexts = place === undefined ? undefined : await readContexts(place, rows)
    return withVocabulary(given, async (words) => {
      const reducer = await job.progress.during('concepts', (onProgress) =>
        fitReducer(X, { model, rank, fit, ...job.options, onProgress }),
      )
      const shown = { count, window, repeatSamples, features, collinearAt }
      const concepts = await describeConcepts(reducer, {
        ...{ ...shown, contexts, ...job.options },
        ...(words && { vocabulary: words }),
      })
      const summary = summaryOf(X, reducer, { concepts, fit }, job)
      await writeConcepts({ reducer, concepts, path }, job)
      const outcome = `relative error ${reducer.relativeError.toPrecision(3)}`
      return { summary, outcome, printed: concepts.map(printedOf).join('\n') }
    })
  }
  await runCommand(given, { ...own, ...aliases }, (job) =>
    withSource(
      path,
      job.options,
      (shape) => checkRank(rank, model, shape),
      (X) => describe(X, job),
    ),
  )
}

function summaryOf(
  X: SourceInput,
  { model, rank, relativeError, warnings, seconds, fitted }: Reducer,
  { concepts, fit }: { concepts: readonly Concept[]; fit: Record<string, unknown> },
  { threads, device }: Job,
) {
  const { rows, cols } = sidesOf('X', X)
  const run =
    'iterations' in fitted ? { iterations: fitted.iterations, converged: fitted.converged } : {}
  return {
    ...heading('concepts'),
    model,
    shape: [rows, cols],
    rank,
    relativeError,
    ...run,
    shares: concepts.map(({ share }) => share),
    dead: concepts.filter(({ isDead }) => isDead).map(({ component }) => component),
    collinear: concepts
      .filter(({ collinear }) => collinear.length > 0)
      .map((each) => each.component),
    seconds,
    threads,
    seed: fit['seed'] ?? fitDefaultsOf(model)['seed'],
    device,
    warnings,
  }
}

interface Found {
  readonly reducer: Reducer
  readonly concepts: readonly Concept[]
  /** X as given. */
  readonly path: string
}

async function writeConcepts({ reducer, concepts, path }: Found, { write }: Job) {
  const { codes, components, fitted, model, relativeError } = reducer
  const { data, rows, cols } = components
  await write('W.npy', (to) => writeNpy(to, { data: codes.data, shape: codes.shape }))
  await write('H.npy', (to) => writeNpy(to, { data, shape: [rows, cols] }))
  if ('save' in fitted) await write('model.safetensors', (to) => fitted.save(to))
  await write('concepts.jsonl', (to) =>
    writeLines(
      to,
      concepts.map((each) => JSON.stringify(each)),
    ),
  )
  const facts = [
    ['X', `${path}, ${codes.shape[0]!.toLocaleString('en')} rows of ${cols} features`],
    ['model', `${model}, rank ${rows}, relative error ${relativeError.toPrecision(3)}`],
  ] as const
  await write('concepts.html', (to) => writeFile(to, conceptPage(concepts, { facts })))
}

/** A context on one line of a terminal, its token in brackets. */
function contextLine({ row, activation, before, token, after }: ConceptContext): string {
  const value = `  ${activation.toPrecision(3).padStart(9)}  `
  if (token === undefined) return `${value}row ${row}`
  const shown = (text: string) => (text === '' ? '' : printable(text, printedLetters))
  const isCut = before !== undefined && before.length > printedLetters
  const left = isCut ? `…${shown(before.slice(-printedLetters))}` : shown(before ?? '')
  return `${value}${left}[${shown(token)}]${shown(after ?? '')}`
}

function printedOf({ component, share, isDead, contexts }: Concept): string {
  const head = `concept ${component}, ${isDead ? 'dead: no energy' : `${(100 * share).toFixed(1)} % of the energy`}`
  return `${[head, ...contexts.slice(0, printedContexts).map(contextLine)].join('\n')}\n`
}

const footer = `
X has one row a token, a sample or a position: ${matrixFiles}.

--contexts is a file with a line for each row of X. With a name that ends in .tsv or .tsv.gz, lines are
sample<TAB>token, in reading order, and a row is shown as its token in its sample; ## continues a word,
Ġ and ▁ begin one. Otherwise a line is the text of its row (in a .jsonl an object with a text, and a
title).

Prints concepts with the rows that activate them most, and writes W.npy [n x K], the codes, H.npy
[K x d], concepts.jsonl, concepts.html (a page that loads nothing), summary.json and, for gemmine
transform, model.safetensors, except of kmeans and svd. Activations of kmeans are 1 / (1 + distance to
the centre / root mean square of these distances).

Without penalties the components of semi-nmf are not determined, and a concept may be a mixture: raise
--l1-w and --l2-h together until codes have many zeros (activeRows in concepts.jsonl) but no concept is
dead.

Example:
  $ gemmine concepts activations.npy --rank 50 --contexts tokens.tsv --out concepts
  $ gemmine concepts activations.npy --rank 50 --l1-w 1 --l2-h 1 --contexts tokens.tsv --out concepts
  $ gemmine concepts activations.npy --model snmf --rank 100 --sparsity 0.01 --out concepts
`

export function conceptsCommand(): Command {
  const command = new Command('concepts')
    .summary('find concepts in activations, and show what activates them')
    .description(
      'Find K concepts in activations X [n x d], and show the rows that activate each of them.',
    )
    .argument('<X>', `the activations: ${matrixFile}`)
  describeOptions(command)
  return withCommonOptions(command)
    .addHelpText('after', footer)
    .action((path: string, options: ConceptsOptions) => find(path, options))
}
