import { inTurns } from '../data/slices'
import type { TextNumbers } from '../data/text-numbers'
import { TextTable } from '../data/text-table'
import { invalid, invalidText } from '../errors'

export interface TextClasses {
  readonly queryTexts: Int32Array
  readonly corpusTexts: Int32Array
}

/** The class of an empty text, which equals no other text. */
const none = -1

/** Work for a text: a look-up, and its characters, in the units of a slice. */
export const unitsOf = (text: string): number => 64 + text.length / 8

/** @throws {TypeError} if `texts` is no array, or has another length than `count` if that is given. */
export function checkTexts(name: string, texts: readonly string[], count?: number) {
  if (!Array.isArray(texts)) throw invalid(name, 'an array of texts', texts)
  if (count !== undefined && texts.length !== count)
    throw invalidText(name, `${count} texts, one for each row`, `${texts.length} texts`)
}

/** @throws {TypeError} naming an element that is no text. */
export function textAt(name: string, texts: readonly string[], i: number): string {
  const text: unknown = texts[i]
  if (typeof text !== 'string') throw invalid(`${name}[${i}]`, 'a string', text)
  return text
}

/** The number of a text, and the place of the text among all that come. */
type NumberOf = (text: string, item: number) => number

const classesOf = (name: string, texts: readonly string[], first: number, numberOf: NumberOf) =>
  inTurns<Int32Array>(function* (slice) {
    const classes = new Int32Array(texts.length)
    for (let i = 0; i < classes.length; i++) {
      const text = textAt(name, texts, i)
      classes[i] = text === '' ? none : numberOf(text, first + i)
      if (slice.spend(unitsOf(text))) yield
    }
    return classes
  })

/** Numbers from 0 in the order in which texts come, first those of the corpus. */
function numbering(corpusTexts: readonly string[], queryTexts: readonly string[]): NumberOf {
  const { length } = corpusTexts
  const textOf = (item: number) => (item < length ? corpusTexts[item]! : queryTexts[item - length]!)
  const count = length + queryTexts.length
  const table = new TextTable(count, textOf)
  const numbers = new Int32Array(count)
  let size = 0
  return (text, item) => {
    const first = table.add(text, item)
    return (numbers[item] = first === item ? size++ : numbers[first]!)
  }
}

/**
 * Numbers for texts: equal numbers if the texts have the same characters; −1 for an empty text.
 *
 * @param known Texts that have numbers already; all others are added.
 */
export async function textClasses(
  queryTexts: readonly string[],
  corpusTexts: readonly string[],
  queries: number,
  corpus: number,
  known?: TextNumbers,
): Promise<TextClasses> {
  checkTexts('corpusTexts', corpusTexts, corpus)
  checkTexts('queryTexts', queryTexts, queries)
  const numberOf: NumberOf = known ? (text) => known.add(text) : numbering(corpusTexts, queryTexts)
  return {
    corpusTexts: await classesOf('corpusTexts', corpusTexts, 0, numberOf),
    queryTexts: await classesOf('queryTexts', queryTexts, corpus, numberOf),
  }
}
