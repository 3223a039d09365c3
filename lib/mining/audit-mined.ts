// Audits a file of mined examples, whoever wrote it.
import { stat } from 'node:fs/promises'
import { throwIfAborted } from '../cancellation'
import { readLines } from '../data/lines'
import { isParquetFile, readRows } from '../data/records'
import { toRowLists, type RowLists, type RowListsInput } from '../data/row-lists'
import { invalid } from '../errors'
import { working } from '../jobs'
import { jointReferences, type JointReferenceName } from './mining-options'
import {
  checkInteger,
  checkJob,
  checkOneOf,
  frozen,
  required,
  withDefaults,
  type JobOptions,
} from '../options'
import type { AuditExample, AuditFindings, MinedFault } from './audit-findings'
import { AuditReader } from './audit-lines'
import { KnownPositives } from './audit-positives'
import { openWords } from './audit-words'
import { checkStarts } from './corpus-shard'
import type { Naming } from './search-warnings'

/** What an audit compares the lines with. */
export interface AuditMinedOptions extends Pick<JobOptions, 'signal' | 'onProgress'> {
  /** Number of queries; to be given. */
  readonly queries: number
  /** Number of corpus rows; to be given. */
  readonly corpus: number
  /** The known positives of each query, [queries]; to be given. */
  readonly positives: RowListsInput
  /** The row of each query id (`readIds`); without it numbers in lines are rows; none unless given. */
  readonly queryIds?: ReadonlyMap<string, number> | undefined
  /** The row of each corpus id; without it numbers in lines are rows; none unless given. */
  readonly corpusIds?: ReadonlyMap<string, number> | undefined
  /** Text of each query, [queries]: lines may hold texts, and equal texts are found; none unless given. */
  readonly queryTexts?: readonly string[] | undefined
  /** Text of each corpus row, [corpus]; none unless given. */
  readonly corpusTexts?: readonly string[] | undefined
  /**
   * Negatives that a line must have; the largest number without a fault in any line unless given. Triplets
   * hold one in a line: a number given counts those of a query and a positive in all lines.
   */
  readonly numNegatives?: number | undefined
  /** The score of several positives that no negative may exceed; `min` unless given. */
  readonly reference?: JointReferenceName | undefined
}

/** The only place where the defaults of {@link auditMined} are written. */
export const auditMinedDefaults = frozen({ reference: 'min' as JointReferenceName })

const auditOptions = {
  queries: required,
  corpus: required,
  positives: required,
  queryIds: undefined,
  corpusIds: undefined,
  queryTexts: undefined,
  corpusTexts: undefined,
  numNegatives: undefined,
  ...auditMinedDefaults,
  signal: undefined,
  onProgress: undefined,
}

/**
 * The faults of a file of mined examples. A negative counts once: as unknown, else as a positive, else as
 * repeated, else for its text.
 */
export interface MinedAudit {
  /**
   * Layout of the lines: `triplet`, `n-tuple`, `labeled-pair`, `labeled`, `flag-embedding`, `tevatron` or
   * `nemo`.
   */
  readonly layout: string
  /** What the numbers of examples count: lines from 1, or rows of a Parquet file from 0. */
  readonly unit: 'line' | 'row'
  /** Lines that are not blank, or rows. */
  readonly lines: number
  /** Queries and documents in lines that do not exist. */
  readonly unknownIds: number
  /** Negatives that are positives of their query, in `positives` or in the line itself. */
  readonly positivesAmongNegatives: number
  /**
   * Negatives with the text of their query, of a positive of a query with this text, or of a negative before
   * them, which are other rows. Only with texts.
   */
  readonly equalTexts: number
  /** Negatives that stand twice beside one query and its positives. */
  readonly repeatedNegatives: number
  /** Lines with fewer negatives than `numNegatives`. */
  readonly tooFew: number
  /** Scores that are not finite numbers, null among them. */
  readonly scoresNotFinite: number
  /** Negatives with a score above the reference score of the positives in their line. */
  readonly scoresAbovePositive: number
  /** The first ten places of each fault, by fault. */
  readonly examples: readonly AuditExample[]
  /** Whether there is no fault. */
  readonly isClean: boolean
  /** Complete sentences about inputs that cannot give the intended answer. */
  readonly warnings: readonly string[]
}

/** Time between two calls of the listener, in milliseconds. */
const pause = 100

function checkedOptions(given: AuditMinedOptions) {
  const options = withDefaults<typeof auditOptions, AuditMinedOptions>(auditOptions, given)
  for (const name of ['queries', 'corpus'] as const) checkInteger(name, options[name], 0)
  for (const name of ['queryIds', 'corpusIds'] as const)
    if (options[name] !== undefined && typeof options[name]?.get !== 'function')
      throw invalid(name, 'a Map of ids to rows, which readIds() makes', options[name])
  if (options.numNegatives !== undefined) checkInteger('numNegatives', options.numNegatives, 1)
  checkOneOf('reference', options.reference, jointReferences)
  const { signal, onProgress } = options
  return { ...options, ...checkJob({ signal, onProgress }) }
}

type CheckedOptions = ReturnType<typeof checkedOptions>

async function listsOf({ positives, queries, corpus }: CheckedOptions): Promise<RowLists> {
  const lists = await toRowLists('positives', positives, queries, corpus)
  await checkStarts('positives', lists)
  const { indptr, indices } = lists
  if (indptr[queries] !== indices.length)
    throw invalid(
      `positives.indptr[${queries}]`,
      `${indices.length}, the number of rows listed`,
      indptr[queries],
    )
  return lists
}

async function knowledgeOf(options: CheckedOptions) {
  const { queries, corpus, queryIds, corpusIds, queryTexts, corpusTexts, signal } = options
  const lists = await listsOf(options)
  const words = await openWords(
    { count: queries, ids: queryIds, texts: queryTexts },
    { count: corpus, ids: corpusIds, texts: corpusTexts },
    signal,
  )
  return { words, positives: await KnownPositives.open(words, lists, corpus, signal), corpus }
}

/** Reports the bytes that were read. */
async function listening(path: string, { onProgress }: CheckedOptions) {
  const { size } = await working(stat(path)).catch(() => ({ size: 0 }))
  let done = 0
  let last = -Infinity
  return {
    onBytes(bytes: number) {
      done += bytes
      const now = performance.now()
      if (now - last < pause) return
      last = now
      onProgress?.({ phase: 'audit', done, total: Math.max(done, size) })
    },
    finish() {
      onProgress?.({ phase: 'audit', done, total: done })
    },
  }
}

function warningsOf(findings: AuditFindings, options: CheckedOptions, name: Naming): string[] {
  const sides = [
    ['query', 'queryIds', 'queryTexts'],
    ['document', 'corpusIds', 'corpusTexts'],
  ] as const
  return sides
    .filter(([side]) => findings.knowsNone(side))
    .map(([side, ids, texts]) => {
      const remedy =
        options[texts] === undefined
          ? `if the lines hold texts, ${name(texts)} names them`
          : `${name(ids)} and ${name(texts)} may be those of other data`
      return `No ${side} of the lines is known: ${remedy}`
    })
}

/** @param name Names of options in warnings. */
export async function auditNamed(
  path: string,
  given: AuditMinedOptions,
  name: Naming,
): Promise<MinedAudit> {
  const options = checkedOptions(given)
  const { signal, numNegatives, reference } = options
  throwIfAborted(signal)
  const known = await knowledgeOf(options)
  const { onBytes, finish } = await listening(path, options)
  const reader = new AuditReader(path, known, { numNegatives, reference })
  const isParquet = await isParquetFile(path)
  if (isParquet)
    await readRows(path, (row, number) => reader.record(row, number), { signal, onBytes })
  const findings = isParquet ? reader.finish() : await readLines(path, reader, { signal, onBytes })
  finish()
  await findings.settleCounts()
  return {
    layout: findings.layout,
    unit: isParquet ? 'row' : 'line',
    lines: findings.lines,
    ...(findings.counts as Readonly<Record<MinedFault, number>>),
    examples: findings.allExamples(),
    isClean: Object.values(findings.counts).every((count) => count === 0),
    warnings: warningsOf(findings, options, name),
  }
}

/**
 * Audits a file of mined examples, in any layout of {@link minedLines}, of Tevatron or of NeMo Automodel's
 * inline data, whoever wrote it. The layout is recognised by the fields of the first line; fields besides
 * those of the layout are not read. The file is read in pieces, may be packed by gzip and may be of any
 * size; a file of triplets or labeled pairs needs about 100 bytes of memory for each line, other layouts none.
 * A Parquet file has the fields of a layout as columns; columns of types that no layout has are passed over.
 *
 * A string in a line is an id or a text, a number is an id if all ids are integers, else a row. Python's
 * NaN and Infinity are read and are scores that are not finite.
 *
 * @param path The file, one JSON object a line, or Parquet.
 * @throws {TypeError | RangeError} if an option is missing, wrong or unknown.
 * @throws {GemmineError} with `code` `ERR_GEMMINE_FILE`, naming the line, if a line is no such example, has
 *   a field twice or more than 32 MiB, or if there is no line; or the signal's reason.
 *
 * @example
 * const audit = await auditMined('negatives.jsonl', { queries: 1109, corpus: 5183, positives })
 * if (!audit.isClean) console.log(audit.examples)
 */
export const auditMined = (path: string, options: AuditMinedOptions): Promise<MinedAudit> =>
  auditNamed(path, options, String)
