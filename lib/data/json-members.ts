// The members of a large JSON object one by one, so that the event loop can run in between.

const [quote, backslash, colon, comma] = [0x22, 0x5c, 0x3a, 0x2c]
const [openBrace, closeBrace, openBracket, closeBracket] = [0x7b, 0x7d, 0x5b, 0x5d]

const isSpace = (byte: number | undefined) =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

function afterSpace(bytes: Buffer, from: number): number {
  let at = from
  while (isSpace(bytes[at])) at++
  return at
}

function afterString(bytes: Buffer, from: number): number {
  let at = from + 1
  while (at < bytes.length && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1
  return at + 1
}

/** The position of the byte that ends a name or a value: the colon, comma or bracket behind it. */
function endOf(bytes: Buffer, from: number): number {
  let depth = 0
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === quote) at = afterString(bytes, at) - 1
    else if (byte === openBrace || byte === openBracket) depth++
    else if (depth === 0 && (byte === colon || byte === comma || byte === closeBrace)) return at
    else if (byte === closeBrace || byte === closeBracket) depth--
  }
  throw new SyntaxError('no end')
}

interface Member {
  readonly name: string
  /** JSON, which may be wrong. */
  readonly value: Buffer
}

/** @throws {SyntaxError} if the bytes are no JSON object, apart from the values. */
export function* members(bytes: Buffer): Generator<Member, void> {
  let at = afterSpace(bytes, 0)
  if (bytes[at] !== openBrace) throw new SyntaxError('no object')
  const first = afterSpace(bytes, at + 1)
  if (bytes[first] === closeBrace) at = first
  while (bytes[at] !== closeBrace) {
    const colonAt = endOf(bytes, at + 1)
    const name: unknown = JSON.parse(bytes.toString('utf8', at + 1, colonAt))
    if (typeof name !== 'string' || bytes[colonAt] !== colon) throw new SyntaxError('no name')
    at = endOf(bytes, colonAt + 1)
    if (bytes[at] === colon) throw new SyntaxError('two colons')
    yield { name, value: bytes.subarray(colonAt + 1, at) }
  }
  if (afterSpace(bytes, at + 1) !== bytes.length) throw new SyntaxError('more than an object')
}
