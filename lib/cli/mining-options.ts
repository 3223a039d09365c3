// The options of gemmine mine, with their help texts.
import { Option, type Command } from 'commander'
import {
  incompleteModes,
  minedFormats,
  minedFormatTexts,
  type IncompleteMode,
  type MinedFormat,
} from '../data/mined-layouts'
import { minedLinesDefaults } from '../data/mined-lines'
import { rules, type CeilingName } from '../mining/ceiling-rules'
import {
  candidateModes,
  groupModes,
  mineHardNegativesDefaults as standard,
  references,
  type CandidateMode,
  type GroupMode,
  type ReferenceName,
} from '../mining/mining-options'
import { defaultPool, samplingNames, samplings, type SamplingChoice } from '../mining/samplings'
import { metrics, type Metric } from '../mining/metric'
import type { QueryShard } from '../mining/query-shard'
import { dryRunOption } from './dry-run'
import {
  budgetOption,
  choiceOption,
  countOption,
  flagOption,
  helpList,
  numberOption,
  pathOption,
  withCommonOptions,
  type CommonOptions,
} from './common-options'
import { optionOf } from './failure'
import { matrixFiles } from './load'
import { partOfAll, realOrNone } from './numbers'
import { excludeSelfOption, idOptions, unknownIdsOption, type PairOptions } from './pair-files'
import { rowFileOptions } from './row-files'
import { metricOption } from './topk'

/** The only place for the defaults of the command itself; other defaults are in lib. */
export const mineDefaults = { format: 'triplet' as MinedFormat } as const

/** A ceiling, or `none` to turn it off. */
type CeilingsGiven = { readonly [Name in CeilingName]?: number | 'none' }

type SamplingGiven = Partial<Omit<SamplingChoice, 'numNegatives' | 'seed'>>

export interface MineOptions extends CommonOptions, PairOptions, CeilingsGiven, SamplingGiven {
  readonly queries?: string
  readonly corpus?: string
  readonly positives?: string
  readonly candidates?: string
  readonly candidateMode?: CandidateMode
  readonly queryTexts?: string
  readonly corpusTexts?: string
  readonly queryGroups?: string
  readonly corpusGroups?: string
  readonly groups?: GroupMode
  readonly nearPositiveScore?: number
  readonly metric?: Metric
  readonly numNegatives?: number
  readonly minScore?: number
  readonly reference?: ReferenceName
  readonly skipRanks?: number
  readonly maxRank?: number
  readonly maxPositiveRank?: number
  readonly skipSurvivors?: number
  readonly explain?: number
  readonly shard?: QueryShard
  readonly checkpoint?: string
  readonly checkpointSeconds?: number
  readonly resume?: string
  readonly format?: MinedFormat
  readonly incomplete?: IncompleteMode
  readonly parquet?: boolean
}

const ceilingList = helpList(
  rules.map(([name, { value, ceiling }]) => [`${optionOf(name)} <${value}>`, ceiling]),
)

const footer = `
A dense matrix is ${matrixFiles}.

The ceiling of a query is the lowest of these, where p is the score of its positive:
${ceilingList}
What scores above it is probably an unlabelled positive and is dropped; the best that remain
are its negatives, however deep they lie. Dropped are, in this order: the query itself, its positives,
excluded rows, rows barred by their group, rows with the text of the query, of a positive (of any query
with its text) or of a better candidate, rows near a positive, rows above the ceiling, below the floor,
and outside the ranks asked for. With --candidates the rows of a query's list are its only candidates:
gemmine scores them itself, and ranks and counts are those within the list; with --candidate-mode beside
they join the pool of the best of all rows.

Samplings, which take K of the survivors (of the best M of them, the pool):
${helpList(samplingNames.map((name) => [name, samplings[name].taken] as const))}

Files of ids, texts and pairs may also be .parquet, with columns named as in BEIR: _id, title, text;
query-id, corpus-id, score. FILE:NAME names another column of ids or of texts.

Layouts of negatives.jsonl, the first three for the trainers of sentence-transformers:
${helpList(minedFormatTexts)}
Lines hold texts with --query-texts and --corpus-texts; without them ids, or row numbers, which no
trainer can read as texts. --parquet writes the same fields as columns; ids that were read from integers
of a Parquet file are 64-bit integers there, as row numbers are.

Writes indices.npy and scores.npy [queries x K] (-1 and NaN where there are fewer), counts.npy,
negatives.jsonl or negatives.parquet, with --explain rejected.jsonl, with --shard part.safetensors, and
summary.json. With --reference each the arrays have a row for each pair of query and positive, in the
order of queries and of the rows of their positives, and one for a query without positives; lines have
one positive each. A shard takes the files of the whole job and writes lines; gemmine merge puts shards
together, with --parquet to negatives.parquet.

Example:
  $ printf '0\\t3\\n1\\t7\\n' > positives.tsv
  $ gemmine mine --queries questions.npy --corpus docs.npy --positives positives.tsv --out mined
  $ gemmine mine --queries q.npy --corpus c.npy --positives qrels.tsv --query-ids q.txt \\
      --corpus-ids c.txt --num-negatives 8 --relative-margin 0.1 --format n-tuple --out mined
`

const inputs = () => [
  pathOption('--queries <FILE>', 'dense matrix, one query a row; required'),
  pathOption('--corpus <FILE>', 'dense matrix, one document a row; required'),
  pathOption(
    '--positives <FILE>',
    'lines of query<TAB>corpus, or qrels of BEIR or TREC, or .parquet; rows, or ids with the next two; required',
  ),
  ...idOptions(),
  unknownIdsOption(),
  pathOption(
    '--candidates <FILE>',
    'lines of query<TAB>corpus, with a score or without, or a run of TREC: only these rows are candidates',
  ),
  choiceOption(
    '--candidate-mode <NAME>',
    'what --candidates are: the only candidates, or beside those of the pool',
    candidateModes,
    standard.candidateMode,
  ),
  pathOption(
    '--query-texts <FILE>',
    'texts of the queries, one a line, or .jsonl with text and title',
  ),
  pathOption('--corpus-texts <FILE>', 'the same for the corpus; equal texts are no negatives'),
]

/** `0.05 for cosine and dot, none for l2`. */
function byMetric(standard: Readonly<Partial<Record<Metric, number>>>): string {
  const values = new Set(metrics.map((metric) => standard[metric]))
  return [...values]
    .map((value) => {
      const having = metrics.filter((metric) => standard[metric] === value)
      return `${value ?? 'none'} for ${having.join(' and ')}`
    })
    .join(', ')
}

const ceilingOptions = () =>
  rules.map(([name, { value, ceiling, standard }]) => {
    const option = optionOf(name)
    const meaning = `a negative scores at most ${ceiling}`
    if (!standard) return numberOption(`${option} <${value}>`, meaning)
    const off = `; none turns it off (default: ${byMetric(standard)})`
    return new Option(`${option} <${value}>`, meaning + off).argParser(realOrNone(option))
  })

const ceilings = () => [
  metricOption(),
  ...ceilingOptions(),
  numberOption('--min-score <S>', 'a negative scores at least S'),
  choiceOption(
    '--reference <NAME>',
    'p of several positives; each gives every pair of query and positive its own negatives',
    references,
    standard.reference,
  ),
]

const ranks = () => [
  countOption(
    '--skip-ranks <N>',
    'skip the N best candidates, those above the ceiling counted',
    standard.skipRanks,
  ),
  countOption('--max-rank <N>', 'only candidates among the N best'),
  countOption(
    '--max-positive-rank <N>',
    'leave out a query whose p is beaten by N candidates or more',
  ),
  countOption(
    '--skip-survivors <N>',
    'skip the N best that survive every other rule',
    standard.skipSurvivors,
  ),
]

const lists = () => [
  excludeSelfOption(),
  pathOption('--exclude <FILE>', 'more rows a query must not get: lines of query<TAB>corpus'),
  ...rowFileOptions(),
  numberOption(
    '--near-positive-score <T>',
    'drop a row that scores T or more with a positive of the query',
  ),
  pathOption('--query-groups <FILE>', 'group of each query, .npy of int32; -1 is no group'),
  pathOption('--corpus-groups <FILE>', 'group of each corpus row'),
  choiceOption('--groups <NAME>', 'take negatives from groups that are', groupModes),
]

const results = () => [
  countOption('--num-negatives <K>', 'negatives wanted for each query', standard.numNegatives),
  choiceOption(
    '--format <NAME>',
    'layout of negatives.jsonl, explained below',
    minedFormats,
    mineDefaults.format,
  ),
  choiceOption(
    '--incomplete <NAME>',
    'what negatives.jsonl does with queries that have fewer than K negatives',
    incompleteModes,
    minedLinesDefaults.incomplete,
  ),
  flagOption('--parquet', 'write negatives.parquet in place of negatives.jsonl'),
  countOption(
    '--explain <M>',
    'also write rejected.jsonl: the M best dropped of each query, and why',
  ),
  new Option(
    '--shard <I/N>',
    'mine part I (from 0) of N of the queries, and write part.safetensors for gemmine merge',
  ).argParser(partOfAll('--shard')),
  pathOption(
    '--checkpoint <FILE>',
    'where the run keeps the queries that are done, outside --out: from time to time, when interrupted and at the end',
  ),
  numberOption(
    '--checkpoint-seconds <S>',
    'seconds between two checkpoints',
    standard.checkpointSeconds,
  ),
  pathOption('--resume <FILE>', 'a checkpoint whose queries are not mined again'),
]

const choices = () => [
  choiceOption(
    '--sampling <NAME>',
    'choice of survivors, explained below',
    samplingNames,
    standard.sampling,
  ),
  countOption(
    '--pool <M>',
    'best survivors to take from (with stride N*K if that is more), at least K',
    `max(${defaultPool.least}, ${defaultPool.times}K)`,
  ),
  numberOption('--temperature <T>', 'of weighted', standard.temperature),
  numberOption('--simans-a <A>', 'of simans', standard.simansA),
  numberOption('--simans-b <B>', 'of simans', standard.simansB),
  numberOption(
    '--distance-cutoff <D>',
    'of distance-weighted: nearer rows count as this far',
    standard.distanceCutoff,
  ),
  numberOption(
    '--distance-limit <D>',
    'of distance-weighted: no row this far or farther',
    standard.distanceLimit,
  ),
  countOption('--stride <N>', 'of stride', standard.stride),
  countOption('--bins <N>', 'of bins', standard.bins),
  numberOption(
    '--mmr-lambda <L>',
    'of mmr: 1 for scores alone, 0 for difference from each other alone',
    standard.mmrLambda,
  ),
  numberOption(
    '--near-duplicate-score <T>',
    'skip a survivor that scores T or more with a negative taken before it',
  ),
  countOption(
    '--hub-cap <N>',
    'queries that may get the same row at most; it stays with those that score it highest',
  ),
]

const sections = {
  'Files:': inputs,
  'Results:': results,
  'Choice of negatives:': choices,
  'Scores (p is the score of the positive):': ceilings,
  'Ranks (among the candidates that no list and no group bars):': ranks,
  'Exclusions:': lists,
}

/** Gives the command its description and every option. */
export function describeMine(command: Command): Command {
  command
    .summary('find hard negatives for pairs of query and positive')
    .description(
      'Find, for each query, the hardest corpus rows that are not likely to be positives.',
    )
  for (const [title, options] of Object.entries(sections)) {
    command.optionsGroup(title)
    for (const option of options()) command.addOption(option)
  }
  return withCommonOptions(command.addOption(budgetOption()).addOption(dryRunOption())).addHelpText(
    'after',
    footer,
  )
}
