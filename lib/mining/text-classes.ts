import { inTurns } from '../data/slices'
import { TextNumbers } from '../data/text-numbers'
import { invalid, invalidText } from '../errors'

export interface TextClasses {
  readonly queryTexts: Int32Array
  readonly corpusTexts: Int32Array
}

/** The class of an empty text, which equals no other text. */
const none = -1

/** Work for a text, and for so many of its characters, in the units of a slice. */
const unitsOfText = 64
const charactersOfUnit = 8

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

async function classesOf(
  name: string,
  texts: readonly string[],
  count: number,
  known: TextNumbers,
): Promise<Int32Array> {
  checkTexts(name, texts, count)
  const classes = new Int32Array(count)
  await inTurns(function* (slice) {
    for (let i = 0; i < count; i++) {
      const text = textAt(name, texts, i)
      classes[i] = text === '' ? none : known.add(text)
      if (slice.spend(unitsOfText + text.length / charactersOfUnit)) yield
    }
  })
  return classes
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
  known = new TextNumbers(),
): Promise<TextClasses> {
  return {
    corpusTexts: await classesOf('corpusTexts', corpusTexts, corpus, known),
    queryTexts: await classesOf('queryTexts', queryTexts, queries, known),
  }
}
