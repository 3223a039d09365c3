// gemmine audit: checks a file of mined examples, whoever wrote it.
import { Command } from 'commander'
import { readLayoutTexts } from '../data/mined-fields'
import { readIds, readTexts } from '../data/ids-and-texts'
import type { UnknownIds } from '../data/pairs'
import { auditMinedDefaults, auditNamed, type MinedAudit } from '../mining/audit-mined'
import { minedFaults } from '../mining/audit-findings'
import { jointReferences, type JointReferenceName } from '../mining/mining-options'
import { readQueries } from './audit-queries'
import {
  choiceOption,
  countOption,
  helpList,
  pathOption,
  required,
  computesNothing,
  idleWarnings,
  withCommonOptions,
  type CommonOptions,
} from './common-options'
import { Complaint, optionOf } from './failure'
import { counted, heading, runCommand, type Job } from './job'
import { unknownIdsOption } from './pair-files'

interface AuditOptions extends CommonOptions {
  readonly corpusIds?: string
  readonly positives?: string
  readonly queryIds?: string
  readonly corpusTexts?: string
  readonly queryTexts?: string
  readonly unknownIds?: UnknownIds
  readonly numNegatives?: number
  readonly reference?: JointReferenceName
}

async function audit(path: string, given: AuditOptions) {
  const idsPath = required(given.corpusIds, '--corpus-ids', 'a file with one id a line')
  const pairs = required(given.positives, '--positives', 'a file of query<TAB>corpus lines')
  const { queryIds, queryTexts, corpusTexts, numNegatives, reference } = given
  const files = { MINED: path, corpusIds: idsPath, positives: pairs }
  await runCommand(given, { ...files, queryIds, queryTexts, corpusTexts }, async (job) => {
    const start = performance.now()
    const corpusIds = await readIds(idsPath, 'any', 'corpus')
    const corpus = corpusIds.size
    const texts =
      corpusTexts === undefined ? undefined : await readTexts(corpusTexts, corpus, 'corpus')
    const { warnings, ...queries } = await readQueries(pairs, given, { corpus, corpusIds })
    const { signal } = job.options
    const options = { corpus, corpusIds, corpusTexts: texts, numNegatives, reference, signal }
    const count = queries.positives.indptr.length - 1
    const found = await job.progress.during('audit', (onProgress) =>
      auditNamed(path, { ...queries, ...options, queries: count, onProgress }, optionOf),
    )
    const skipped = ofSkipped(pairs, queries.positives.unknownIds)
    const all = [
      ...warnings,
      ...skipped,
      ...found.warnings,
      ...idleWarnings('audit', given, computesNothing),
    ]
    tellExamples(found, job)
    return finished(path, found, (performance.now() - start) / 1000, all)
  })
}

const ofSkipped = (path: string, count: number) =>
  count === 0 ? [] : [`${counted(count, 'pair')} of ${path} skipped: a side does not exist`]

function tellExamples({ examples, unit }: MinedAudit, { progress }: Job) {
  for (const { fault, line, text } of examples) progress.tell(`${fault}: ${unit} ${line}: ${text}`)
}

function finished(path: string, found: MinedAudit, seconds: number, warnings: readonly string[]) {
  const counts = Object.fromEntries(minedFaults.map((fault) => [fault, found[fault]]))
  const faults = minedFaults
    .filter((fault) => found[fault] > 0)
    .map((fault) => `${found[fault]} ${fault}`)
  const outcome = `${counted(found.lines, found.unit)} in the layout ${found.layout}, ${faults.join(', ') || 'clean'}`
  return {
    summary: {
      ...heading('audit'),
      layout: found.layout,
      lines: found.lines,
      ...counts,
      seconds,
      warnings,
    },
    outcome,
    complaint: found.isClean ? undefined : new Complaint(`${path}: ${faults.join(', ')}`),
  }
}

const footer = `
MINED holds one JSON object a line, also as .gz, or is a .parquet file with these
columns, in one of these layouts, whoever wrote it:
${helpList(readLayoutTexts)}
Lines may hold ids, texts (with --corpus-texts and --query-texts), or row numbers: a number is an id if
all ids are integers, else a row. The queries are those of --query-ids, else those of --positives.

A negative counts for the first of these faults, of which ten places each are told on stderr:
  unknownIds               a query, positive or negative that does not exist
  positivesAmongNegatives  a positive of the query, in --positives or in its line
  repeatedNegatives        the same negative again beside the same query and positives
  equalTexts               another row with the text of the query, of a positive of a query with this
                           text, or of a negative before it
and besides
  tooFew                   lines with fewer negatives than --num-negatives; that counts together the
                           triplets of a query and its positive, and the labeled pairs of a query
  scoresNotFinite          scores that are null, NaN, infinite or no numbers
  scoresAbovePositive      negatives that score above the --reference score of their positives

Writes summary.json. Exit code 0 if there is no fault, 1 if there is one.

Example:
  $ gemmine audit mined/negatives.jsonl --corpus-ids c.txt --positives qrels.tsv --json
  $ gemmine audit train.jsonl.gz --corpus-ids corpus.jsonl --corpus-texts corpus.jsonl \\
      --query-ids queries.jsonl --query-texts queries.jsonl --positives qrels.tsv --out audited
`

export const auditCommand = (): Command =>
  withCommonOptions(
    new Command('audit')
      .summary('check a file of mined examples')
      .description('Check a file of mined examples: unknown ids, positives among the negatives, ….')
      .argument('<mined>', 'the file, one JSON object a line, or Parquet')
      .addOption(
        pathOption(
          '--corpus-ids <FILE>',
          'ids of the corpus rows, one a line, or .jsonl with _id; required',
        ),
      )
      .addOption(
        pathOption(
          '--positives <FILE>',
          'lines of query<TAB>corpus, or qrels of BEIR or TREC; required',
        ),
      )
      .addOption(pathOption('--query-ids <FILE>', 'ids of the queries'))
      .addOption(
        pathOption(
          '--corpus-texts <FILE>',
          'texts of the corpus, one a line, or .jsonl with text and title',
        ),
      )
      .addOption(pathOption('--query-texts <FILE>', 'texts of the queries'))
      .addOption(unknownIdsOption())
      .addOption(
        countOption(
          '--num-negatives <K>',
          'negatives wanted in each line (default: the most in any line)',
        ),
      )
      .addOption(
        choiceOption(
          '--reference <NAME>',
          'score of several positives that negatives may reach',
          jointReferences,
          auditMinedDefaults.reference,
        ),
      ),
    computesNothing,
  )
    .addHelpText('after', footer)
    .action((path: string, options: AuditOptions) => audit(path, options))
