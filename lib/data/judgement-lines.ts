// The lines of a file of judgements, in which scorers' answers are kept between runs.
import { fileError, printable, shownJson } from './file'
import { FieldMistake, parseObjectLine, type Fields } from './json-line'
import type { LineReader } from './lines'

/** What a scorer may say of a candidate instead of a score, or beside one. */
export const verdictNames = ['keep', 'drop', 'positive'] as const
export type Verdict = (typeof verdictNames)[number]

/** A score, a verdict, or both. */
export interface Judgement {
  readonly score?: number | undefined
  readonly verdict?: Verdict | undefined
}

/** The inputs that a file of judgements belongs to. */
export interface JudgedInputs {
  readonly fingerprint: string
  /** Number of queries and of corpus rows. */
  readonly queries: number
  readonly corpus: number
}

const format = 'gemmine-judgements'
const version = 1

export const headerLine = ({ fingerprint }: JudgedInputs): string =>
  `${JSON.stringify({ format, version, fingerprint })}\n`

export const judgementLine = (query: number, row: number, { score, verdict }: Judgement): string =>
  `${JSON.stringify({ query, row, score, verdict })}\n`

const isVerdict = (value: unknown): value is Verdict => verdictNames.includes(value as Verdict)

const shownValue = (value: unknown) =>
  value === undefined ? 'none' : printable(shownJson(value), 40)

function numberOf(fields: Fields, name: string, count: number): number {
  const value = fields[name]
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) < count)
    return value as number
  throw new FieldMistake(`an integer in 0..${count - 1} as ${name}`, shownValue(value))
}

function judgementOf({ score, verdict, query, row, ...others }: Fields): Judgement {
  const [other] = Object.keys(others)
  if (other !== undefined)
    throw new FieldMistake('only query, row, score and verdict', `${printable(other, 40)} too`)
  if (score !== undefined && !Number.isFinite(score))
    throw new FieldMistake('a finite number as score', shownValue(score))
  if (verdict !== undefined && !isVerdict(verdict))
    throw new FieldMistake(`one of ${verdictNames.join(', ')} as verdict`, shownValue(verdict))
  if (score === undefined && verdict === undefined)
    throw new FieldMistake('a score or a verdict', 'neither')
  return { score: score as number | undefined, verdict }
}

type Take = (query: number, row: number, judgement: Judgement) => void

/**
 * Reads the lines of a file of judgements. A mistake in the last line is kept as {@link torn}, because a
 * process that was killed may have left a part of a line; one before that is an error.
 */
export class JudgementReader implements LineReader<{ readonly torn: FieldMistake | undefined }> {
  private pending: { readonly number: number; readonly mistake: FieldMistake } | undefined

  /** @param take Receives each judgement, in the order of the file. */
  constructor(
    private readonly path: string,
    private readonly inputs: JudgedInputs,
    private readonly take: Take,
  ) {}

  line(text: string, number: number) {
    this.throwPending()
    try {
      if (number === 1) this.header(text)
      else this.record(text)
    } catch (error) {
      if (!(error instanceof FieldMistake)) throw error
      this.pending = { number, mistake: error }
      // A first line is never torn, so the file is another one.
      if (number === 1) this.throwPending()
    }
  }

  finish() {
    return { torn: this.pending?.mistake }
  }

  /** @throws {GemmineError} if the last line has a mistake, although it is whole. */
  throwPending() {
    if (!this.pending) return
    const { number, mistake } = this.pending
    throw fileError(this.path, `line ${number}: ${mistake.message}`)
  }

  private header(text: string) {
    const fields = parseObjectLine(text)
    if (fields['format'] !== format)
      throw new FieldMistake('the first line of a file of judgements', printable(text, 60))
    if (fields['version'] !== version)
      throw new FieldMistake(`version ${version} of the format`, shownValue(fields['version']))
    const { fingerprint } = this.inputs
    if (fields['fingerprint'] !== fingerprint)
      throw fileError(
        this.path,
        `expected the judgements of these queries, documents and scorer (fingerprint ${fingerprint}), received those of others (${shownValue(fields['fingerprint'])})`,
      )
  }

  private record(text: string) {
    const fields = parseObjectLine(text)
    const query = numberOf(fields, 'query', this.inputs.queries)
    const row = numberOf(fields, 'row', this.inputs.corpus)
    this.take(query, row, judgementOf(fields))
  }
}
