/** Two texts that belong together: a short one that asks, and the one that answers it. */
export interface DemoText {
  readonly name: string
  readonly query: string
  readonly document: string
}

/** Texts to show both jobs on, and how the demo speaks of them. */
export interface Collection {
  readonly texts: readonly DemoText[]
  /** How many of what, and where they come from. */
  readonly origin: string
  /** What a query is. */
  readonly query: string
  /** What a document is; the plural has an s. */
  readonly document: string
  readonly queryLabel: (text: DemoText) => string
  readonly positiveLabel: (text: DemoText) => string
  readonly documentLabel: (text: DemoText) => string
}

/** Characters of a text that a line has room for. */
const room = 72

function quoted(text: string): string {
  const line = text.trim().replace(/\s+/g, ' ')
  return `"${line.length > room ? `${line.slice(0, room - 1)}…` : line}"`
}

const packageLabel = ({ name, query }: DemoText) => `${name}: ${quoted(query)}`

/** A README is too long to quote: the description of its package stands for it. */
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

/** @param reason Why it is these texts. */
export const factCollection = (texts: readonly DemoText[], reason: string): Collection => ({
  texts,
  origin: `${texts.length} questions with their answers, which come with gemmine: ${reason}`,
  query: 'question',
  document: 'answer',
  queryLabel: ({ query }) => quoted(query),
  positiveLabel: factLabel,
  documentLabel: factLabel,
})
