// What a scorer of the caller is asked and answers, and the checks of its answers.
import { verdictNames, type Judgement, type Verdict } from '../data/judgement-lines'
import { GemmineError, shown } from '../errors'

/** A pair of a query and a corpus row, with what the caller gave of both. */
export interface ScorerPair {
  /** Row of the query among all queries. */
  readonly query: number
  /** Row of the document in the corpus. */
  readonly row: number
  /** Present if `queryTexts` was given. */
  readonly queryText?: string
  /** Present if `corpusTexts` was given. */
  readonly corpusText?: string
  /** Present if `queryIds` was given. */
  readonly queryId?: string | number
  /** Present if `corpusIds` was given. */
  readonly corpusId?: string | number
}

/**
 * The answer to one pair: a finite score, larger for more relevant documents; `keep` for a true negative,
 * `drop`, or `positive` for a relevant document; a score and a verdict; or null for no answer.
 */
export type ScorerAnswer = number | Verdict | Judgement | null

/** Which batch a scorer is asked. */
export interface ScorerCall {
  /** Number of the batch, from 0. */
  readonly batch: number
  /** Number of the attempt, from 0: above 0 the scorer has failed at this batch before. */
  readonly attempt: number
}

/**
 * A scorer of pairs, such as a cross-encoder or a language model. It returns one answer for each pair, in
 * their order, as an array or a typed array of scores. To be stopped by an abort, it has to listen to the
 * caller's signal itself.
 */
export type Scorer = (
  pairs: readonly ScorerPair[],
  call: ScorerCall,
) => ArrayLike<ScorerAnswer> | PromiseLike<ArrayLike<ScorerAnswer>>

/** A batch in the words of a message. */
export interface BatchName {
  readonly batch: number
  readonly first: { readonly query: number; readonly row: number }
  readonly size: number
}

export const scorerError = (
  { batch, first, size }: BatchName,
  sentence: string,
  options?: { readonly cause?: unknown },
) =>
  new GemmineError(
    'ERR_GEMMINE_SCORER',
    `Batch ${batch} of the scorer (${size} pairs from query ${first.query}, row ${first.row}): ${sentence}`,
    options,
  )

const expected = `a finite score, one of ${verdictNames.join(', ')}, an object of score and verdict, or null`

const isVerdict = (value: unknown): value is Verdict => verdictNames.includes(value as Verdict)

/** A score without the sign of 0, which a file of judgements does not keep. */
const scoreOf = (value: unknown) => (Number.isFinite(value) ? (value as number) + 0 : undefined)

/** The answer in one form: null for none, undefined if it is of a wrong form. */
function judgementOf(answer: unknown): Judgement | null | undefined {
  if (answer === null) return null
  if (typeof answer === 'number') {
    const score = scoreOf(answer)
    return score === undefined ? undefined : { score }
  }
  if (isVerdict(answer)) return { verdict: answer }
  if (typeof answer !== 'object') return undefined
  // Read once: an object of the caller may answer differently the second time.
  const { score, verdict } = answer as { score?: unknown; verdict?: unknown }
  if (score === undefined && verdict === undefined) return undefined
  const [number, word] = [scoreOf(score), isVerdict(verdict) ? verdict : undefined]
  if ((score !== undefined && number === undefined) || (verdict !== undefined && !word))
    return undefined
  return { score: number, verdict: word }
}

function shownAnswer(answer: unknown): string {
  if (typeof answer !== 'object' || answer === null) return shown(answer)
  const { score, verdict } = answer as { score?: unknown; verdict?: unknown }
  return `score ${shown(score)} and verdict ${shown(verdict)}`
}

/**
 * The checked answers to a batch.
 *
 * @throws {GemmineError} `ERR_GEMMINE_SCORER`, naming the batch, the pair and what was received.
 */
export function checkedAnswers(
  answers: unknown,
  pairs: readonly { readonly query: number; readonly row: number }[],
  name: BatchName,
): (Judgement | null)[] {
  const isList = Array.isArray(answers) || (ArrayBuffer.isView(answers) && 'length' in answers)
  if (!isList)
    throw scorerError(
      name,
      `expected an array of ${pairs.length} answers, received ${shown(answers)}`,
    )
  const list = answers as ArrayLike<unknown>
  if (list.length !== pairs.length)
    throw scorerError(
      name,
      `expected ${pairs.length} answers, one for each pair, received ${list.length}`,
    )
  return pairs.map(({ query, row }, i) => {
    const answer = list[i]
    const judgement = judgementOf(answer)
    if (judgement !== undefined) return judgement
    throw scorerError(
      name,
      `expected ${expected} for query ${query}, row ${row}, received ${shownAnswer(answer)}`,
    )
  })
}
