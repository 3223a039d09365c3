import { setImmediate } from 'node:timers/promises'
import { invalid, invalidText } from '../errors'

export interface TextClasses {
  readonly queryTexts: Int32Array
  readonly corpusTexts: Int32Array
}

/** Texts between two turns of the event loop, which must not wait for a million texts. */
const stride = 20_000

/** The class of an empty text, which equals no other text. */
const none = -1

function classOf(text: string, known: Map<string, number>): number {
  const found = known.get(text)
  if (found !== undefined) return found
  known.set(text, known.size)
  return known.size - 1
}

async function classesOf(
  name: string,
  texts: readonly string[],
  count: number,
  known: Map<string, number>,
) {
  if (!Array.isArray(texts)) throw invalid(name, 'an array of texts', texts)
  if (texts.length !== count)
    throw invalidText(name, `${count} texts, one for each row`, `${texts.length} texts`)
  const classes = new Int32Array(count)
  for (let i = 0; i < count; i++) {
    const text = texts[i]
    if (typeof text !== 'string') throw invalid(`${name}[${i}]`, 'a string', text)
    classes[i] = text === '' ? none : classOf(text, known)
    if (i % stride === stride - 1) await setImmediate()
  }
  return classes
}

/** Numbers for texts: equal numbers if the texts have the same characters; −1 for an empty text. */
export const textClasses = (
  queryTexts: readonly string[],
  corpusTexts: readonly string[],
  queries: number,
  corpus: number,
): Promise<TextClasses> => knownClasses(queryTexts, corpusTexts, queries, corpus, new Map())

/** The same, and fills `known` with the number of each text. */
export async function knownClasses(
  queryTexts: readonly string[],
  corpusTexts: readonly string[],
  queries: number,
  corpus: number,
  known: Map<string, number>,
): Promise<TextClasses> {
  return {
    corpusTexts: await classesOf('corpusTexts', corpusTexts, corpus, known),
    queryTexts: await classesOf('queryTexts', queryTexts, queries, known),
  }
}
