/** A pair of texts: a short question and its answer. */
export interface DemoText {
  readonly name: string
  readonly query: string
  readonly document: string
}

/** Texts for both jobs of the demo, and the words for them in its output. */
export interface Collection {
  readonly texts: readonly DemoText[]
  /** Number, kind and source of the texts. */
  readonly origin: string
  /** The word for a query. */
  readonly query: string
  /** The word for a document; its plural ends in s. */
  readonly document: string
  readonly queryLabel: (text: DemoText) => string
  readonly positiveLabel: (text: DemoText) => string
  readonly documentLabel: (text: DemoText) => string
}

/** Characters of a text that fit in a line. */
const room = 72

function quoted(text: string): string {
  const line = text.trim().replace(/\s+/g, ' ')
  return `"${line.length > room ? `${line.slice(0, room - 1)}…` : line}"`
}

const packageLabel = ({ name, query }: DemoText) => `${name}: ${quoted(query)}`

/** A README is too long to quote, so the description of its package is used instead. */
export const packageCollection = (texts: readonly DemoText[]): Collection => ({
  texts,
  origin: `${texts.length} packages with a description and a README, from node_modules`,
  query: 'description',
  document: 'README',
  queryLabel: packageLabel,
  positiveLabel: ({ name }) => `README of ${name}`,
  documentLabel: packageLabel,
})

const factLabel = ({ name, document }: DemoText) => `${name}: ${quoted(document)}`

/** @param reason Reason for the choice of these texts. */
export const factCollection = (texts: readonly DemoText[], reason: string): Collection => ({
  texts,
  origin: `${texts.length} questions with their answers, which come with gemmine: ${reason}`,
  query: 'question',
  document: 'answer',
  queryLabel: ({ query }) => quoted(query),
  positiveLabel: factLabel,
  documentLabel: factLabel,
})
