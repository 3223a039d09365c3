// The layouts of lines with mined examples, as they are read: whose fields hold what.
import { shownJson } from './file'
import { FieldMistake, type Fields } from './json-line'

/** A text or an id, or a number. */
type Name = string | number

/** A query or a document in a line: a text or an id, a number, or both an id and a text. */
export type Word = string | number | { readonly id: Name; readonly text: Name }

/** A document with its score, if the line has scores. */
export interface ScoredWord {
  readonly word: Word
  /** Any JSON value; undefined if the line has no scores. */
  readonly score: unknown
}

/** What a line says about one query. */
export interface MinedExample {
  readonly query: Word
  readonly positives: readonly ScoredWord[]
  readonly negatives: readonly ScoredWord[]
  /** Documents that the line does not tell apart: those that are no known positives are negatives. */
  readonly unlabeled?: readonly ScoredWord[]
}

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** JSON has no NaN. */
const shownField = (value: unknown) =>
  value === undefined ? 'nothing' : Number.isNaN(value) ? 'NaN' : shownJson(value)

const isName = (value: unknown): value is Name =>
  typeof value === 'string' || Number.isSafeInteger(value)

/** An object of Tevatron or NeMo for a document: an id (`docid`, `id`), a text with its title, or both. */
function passageWord(value: Fields, field: string): Word {
  const id = value.docid ?? value.id
  const { title, text } = value
  const isTitled = typeof text === 'string' && typeof title === 'string' && title !== ''
  const whole = isTitled ? `${title} ${text}` : isName(text) ? text : undefined
  if (isName(id) && id !== '') return whole === undefined ? id : { id, text: whole }
  if (whole !== undefined) return whole
  throw new FieldMistake(`an object with a docid, an id or a text in ${field}`, shownJson(value))
}

function wordOf(value: unknown, field: string): Word {
  if (isName(value)) return value
  if (isObject(value)) return passageWord(value, field)
  throw new FieldMistake(`a text, an id or a row in ${field}`, shownField(value))
}

function listOf(value: unknown, field: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw new FieldMistake(`an array in ${field}`, shownField(value))
}

function checkScores(scores: readonly unknown[], values: readonly unknown[], field: string) {
  if (scores.length === values.length) return
  const expected = `${values.length} scores in ${field}, one for each document`
  throw new FieldMistake(expected, `${scores.length}`)
}

/** Documents with the scores beside them; `null` in place of the scores means that there are none. */
function scored(
  values: readonly unknown[],
  field: string,
  scores: unknown,
  scoresField: string,
): ScoredWord[] {
  if (scores === undefined || scores === null)
    return values.map((value) => ({
      word: wordOf(value, field),
      score: isObject(value) ? value.score : undefined,
    }))
  const list = listOf(scores, scoresField)
  checkScores(list, values, scoresField)
  return values.map((value, i) => ({ word: wordOf(value, field), score: list[i] }))
}

interface Reader {
  /** Fields that every line has. */
  readonly needs: readonly string[]
  read(fields: Fields): MinedExample
}

const numbered = /^negative_\d+$/

const byNumber = (a: string, b: string) => Number(a.slice(9)) - Number(b.slice(9))

/** Fields of triplets and n-tuples besides the anchor and the positive. */
const isBeside = (name: string) => /^(?:negative(?:_\d+)?|scores?|labels?)$/.test(name)

/**
 * Triplets and n-tuples. sentence-transformers keeps the names of the columns that it was given: without
 * `anchor` and `positive` they are the first two. A negative that is null is missing.
 */
function columnReader(first: Fields, isNegative: (name: string) => boolean): Reader {
  const others = Object.keys(first).filter((name) => !isBeside(name))
  const anchor = 'anchor' in first ? 'anchor' : others.find((name) => name !== 'positive')
  const positive = 'positive' in first ? 'positive' : others.find((name) => name !== anchor)
  if (anchor === undefined || positive === undefined)
    throw new FieldMistake('an anchor and a positive beside the negatives', namesOf(first))
  const read = (fields: Fields) => {
    const names = Object.keys(fields).filter(isNegative).sort(byNumber)
    const [field, scores] = 'scores' in fields ? ['scores', fields.scores] : ['score', fields.score]
    const values = [fields[positive], ...names.map((name) => fields[name])]
    const all = columns(values, [positive, ...names], scores, field)
    return {
      query: wordOf(fields[anchor], anchor),
      positives: all.slice(0, 1) as ScoredWord[],
      negatives: all.slice(1).filter((each) => each !== undefined),
    }
  }
  return { needs: [anchor, positive], read }
}

/** Documents of several fields, of which all but the first may be null. */
function columns(
  values: readonly unknown[],
  fields: readonly string[],
  scores: unknown,
  scoresField: string,
): (ScoredWord | undefined)[] {
  const list = Array.isArray(scores) ? scores : undefined
  if (list) checkScores(list, values, scoresField)
  return values.map((value, i) =>
    i > 0 && value === null
      ? undefined
      : { word: wordOf(value, fields[i]!), score: list ? list[i] : undefined },
  )
}

/** Parquet files can have NaN, which is neither a positive nor a negative. */
const isLabel = (label: unknown): label is number | boolean =>
  typeof label === 'boolean' || (typeof label === 'number' && !Number.isNaN(label))

/**
 * Lists of documents, with one label each. sentence-transformers writes scores in place of the labels if it
 * is asked for them; the first document is then the positive.
 */
function labeledReader(first: Fields): Reader {
  const names = Object.keys(first).filter((name) => !isBeside(name))
  const query = 'query' in first ? 'query' : names.find((name) => !Array.isArray(first[name]))
  const docs = 'docs' in first ? 'docs' : names.find((name) => Array.isArray(first[name]))
  if (query === undefined || docs === undefined)
    throw new FieldMistake('a query and a list of documents beside the labels', namesOf(first))
  const marks = 'labels' in first ? 'labels' : 'scores'
  const read = (fields: Fields) => {
    const all = scored(listOf(fields[docs], docs), docs, fields.scores, 'scores')
    const labels = marks === 'labels' ? listOf(fields.labels, marks) : all.map((_, i) => i === 0)
    if (labels.length !== all.length)
      throw new FieldMistake(
        `${all.length} labels, one for each document of ${docs}`,
        `${labels.length}`,
      )
    const isPositive = labels.map((label) => {
      if (isLabel(label)) return Number(label) > 0
      throw new FieldMistake('numbers in labels', shownField(label))
    })
    return {
      query: wordOf(fields[query], query),
      positives: all.filter((_, i) => isPositive[i]),
      negatives: all.filter((_, i) => !isPositive[i]),
    }
  }
  return { needs: [query, docs, marks], read }
}

/**
 * A query and one document, which is a positive or a negative. sentence-transformers writes a score in place of
 * the label if it is asked for one.
 */
function pairReader(first: Fields): Reader {
  const names = Object.keys(first).filter((name) => !isBeside(name))
  const query = 'query' in first ? 'query' : names[0]
  const passage = 'passage' in first ? 'passage' : names.find((name) => name !== query)
  if (query === undefined || passage === undefined)
    throw new FieldMistake('a query and a document beside the label', namesOf(first))
  const mark = 'label' in first ? 'label' : 'score'
  const read = (fields: Fields) => {
    const { label, score } = fields
    const document = { word: wordOf(fields[passage], passage), score }
    const word = wordOf(fields[query], query)
    if (mark === 'score')
      return { query: word, positives: [], negatives: [], unlabeled: [document] }
    if (!isLabel(label)) throw new FieldMistake('a number as label', shownField(label))
    const [positives, negatives] = Number(label) > 0 ? [[document], []] : [[], [document]]
    return { query: word, positives, negatives }
  }
  return { needs: [query, passage, mark], read }
}

/** Lists of positives and of negatives; the latter may be missing. */
const listReader = (
  positives: string,
  negatives: string,
  queryId: string,
  query: string,
): Reader => ({
  needs: [positives],
  read(fields) {
    const side = (name: string) =>
      scored(oneOrMore(fields[name] ?? [], name), name, fields[`${name}_scores`], `${name}_scores`)
    return {
      query: queryWord(fields, queryId, query),
      positives: side(positives),
      negatives: side(negatives),
    }
  },
})

/** NeMo takes one document in place of a list of one. */
const oneOrMore = (value: unknown, field: string) =>
  field.endsWith('_doc') && !Array.isArray(value) ? [value] : listOf(value, field)

function queryWord(fields: Fields, queryId: string, query: string): Word {
  const id = fields[queryId]
  const text = fields[query]
  if (isName(id) && isName(text)) return { id, text }
  return wordOf(text ?? id, query)
}

const namesOf = (fields: Fields) => `the fields ${shownNames(Object.keys(fields))}`
const shownNames = (names: readonly string[]) => (names.length === 0 ? 'none' : names.join(', '))

interface ReadLayout {
  readonly name: string
  /** Its fields, in the words of the help. */
  readonly described: string
  fits(fields: Fields): boolean
  reader(first: Fields): Reader
}

const firstColumns = 'without these names the first two columns count'

/** In the order in which they are tried. */
const layouts: readonly ReadLayout[] = [
  {
    name: 'labeled',
    described: 'query, docs, labels, scores',
    fits: ({ labels, scores, ...others }) =>
      Array.isArray(labels) || (Array.isArray(scores) && Object.values(others).some(Array.isArray)),
    reader: labeledReader,
  },
  {
    name: 'flag-embedding',
    described: 'query, pos, neg, pos_scores, neg_scores',
    fits: (fields) => 'pos' in fields,
    reader: () => listReader('pos', 'neg', 'query_id', 'query'),
  },
  {
    name: 'tevatron',
    described: 'query_id, query, positive_passages, negative_passages, of docid, title and text',
    fits: (fields) => 'positive_passages' in fields,
    reader: () => listReader('positive_passages', 'negative_passages', 'query_id', 'query'),
  },
  {
    name: 'nemo',
    described:
      'question or query, pos_doc, neg_doc, of texts or of objects with id, text and score',
    fits: (fields) => 'pos_doc' in fields,
    reader: (first) =>
      listReader('pos_doc', 'neg_doc', 'question_id', 'query' in first ? 'query' : 'question'),
  },
  {
    name: 'labeled-pair',
    described: `query, passage, label or score, one line for each document; ${firstColumns}`,
    fits: ({ label, score, ...others }) =>
      ['number', 'boolean'].includes(typeof (label ?? score)) &&
      !Object.keys(others).some((name) => name.startsWith('negative')) &&
      Object.keys(others).length >= 2,
    reader: pairReader,
  },
  {
    name: 'n-tuple',
    described: `anchor, positive, negative_1 to negative_K; ${firstColumns}`,
    fits: (fields) => Object.keys(fields).some((name) => numbered.test(name)),
    reader: (first) => columnReader(first, (name) => numbered.test(name)),
  },
  {
    name: 'triplet',
    described: `anchor, positive, negative; ${firstColumns}`,
    fits: (fields) => 'negative' in fields || ('anchor' in fields && 'positive' in fields),
    reader: (first) => columnReader(first, (name) => name === 'negative'),
  },
]

/** Every layout in the words of the help. */
export const readLayoutTexts: readonly (readonly [name: string, text: string])[] = layouts.map(
  ({ name, described }) => [name, described],
)

/** The layout of a file, by its first line. */
export interface FoundLayout {
  readonly name: string
  read(fields: Fields): MinedExample
}

/** @throws {FieldMistake} if the fields are those of no layout. */
export function layoutOf(first: Fields): FoundLayout {
  const layout = layouts.find(({ fits }) => fits(first))
  if (!layout)
    throw new FieldMistake(
      `the fields of one of the layouts ${layouts.map(({ name }) => name).join(', ')}`,
      namesOf(first),
    )
  const { needs, read } = layout.reader(first)
  return {
    name: layout.name,
    read(fields) {
      if (needs.every((name) => name in fields)) return read(fields)
      const expected = `the fields ${needs.join(', ')} of the layout ${layout.name}, as on the first line`
      throw new FieldMistake(expected, namesOf(fields))
    },
  }
}
