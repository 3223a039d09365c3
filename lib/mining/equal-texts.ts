// The first row with each text, in tables whose sizes are known before.
import { inTurns } from '../data/slices'
import { TextTable } from '../data/text-table'
import { checkTexts, textAt, unitsOf } from './text-classes'

interface NamedTexts {
  readonly name: string
  readonly texts: readonly string[]
}

/**
 * For each text of `asked` the first row of `known` with the same text, or −1: [asked]. An empty text equals
 * none.
 *
 * @throws {TypeError} naming an element of either that is no text.
 */
export const firstEqual = (known: NamedTexts, asked: NamedTexts): Promise<Int32Array> =>
  inTurns<Int32Array>(function* (slice) {
    checkTexts(known.name, known.texts)
    checkTexts(asked.name, asked.texts)
    const table = new TextTable(known.texts.length, (row) => known.texts[row]!)
    for (let row = 0; row < known.texts.length; row++) {
      const text = textAt(known.name, known.texts, row)
      if (text !== '') table.add(text, row)
      if (slice.spend(unitsOf(text))) yield
    }
    const rows = new Int32Array(asked.texts.length)
    for (let row = 0; row < rows.length; row++) {
      const text = textAt(asked.name, asked.texts, row)
      rows[row] = text === '' ? -1 : table.find(text)
      if (slice.spend(unitsOf(text))) yield
    }
    return rows
  })
