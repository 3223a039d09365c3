// One JSON object a line, as several programs write it.
import { printable, shownJson } from './file'
import { members } from './json-members'

export type Fields = Readonly<Record<string, unknown>>

/** A mistake in a line. */
export class FieldMistake extends Error {
  constructor(
    readonly expected: string,
    readonly received: string,
  ) {
    super(`expected ${expected}, received ${received}`)
  }
}

/** The position after the string that begins at `start`, or the end of the text. */
function afterString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let first = at
    while (text[first - 1] === '\\') first--
    if ((at - first) % 2 === 0) return at + 1
  }
  return text.length
}

/** Numbers that Python's json module writes although JSON has none of them. */
const pythonNumbers = /-?Infinity|NaN/g

/** Replaces the numbers of Python by null. Regular expressions over whole lines could run out of stack. */
function plainJson(text: string): string {
  const parts: string[] = []
  for (let at = 0; at < text.length;) {
    const quote = text.indexOf('"', at)
    const begin = quote === -1 ? text.length : quote
    const end = quote === -1 ? begin : afterString(text, quote)
    parts.push(text.slice(at, begin).replace(pythonNumbers, 'null'), text.slice(begin, end))
    at = end
  }
  return parts.join('')
}

/** @throws {SyntaxError} if the text is no JSON even with null in place of Python's NaN and Infinity. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const plain = plainJson(text)
    if (plain === text) throw error
    return JSON.parse(plain)
  }
}

/** A field of the outermost object that stands in it twice. */
function repeatedField(text: string): string | undefined {
  const seen = new Set<string>()
  for (const { name } of members(Buffer.from(text))) {
    if (seen.has(name)) return name
    seen.add(name)
  }
  return undefined
}

/** Whether some field may stand twice: its quoted name does, which may also be a value. */
function mayRepeat(text: string, fields: Fields): boolean {
  return Object.keys(fields).some((name) => {
    const quoted = JSON.stringify(name)
    const first = text.indexOf(quoted)
    return first === -1 || text.includes(quoted, first + 1)
  })
}

/**
 * Parses a line with one JSON object. NaN and infinities of Python become null.
 *
 * @throws {FieldMistake} if the line holds no object, or a field of it twice.
 */
export function parseObjectLine(text: string): Fields {
  let value: unknown
  try {
    value = parsed(text)
  } catch {
    throw new FieldMistake('a JSON object', printable(text))
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new FieldMistake('a JSON object', shownJson(value))
  const fields = value as Fields
  const repeated = mayRepeat(text, fields) ? repeatedField(text) : undefined
  if (repeated !== undefined)
    throw new FieldMistake('every field once', `${printable(repeated)} twice`)
  return fields
}
