// Seeded damage to files: for any bytes, a parser returns a well-formed value or throws one sentence.
import { expect } from 'vitest'
import { GemmineError, isMistake } from '../../lib/errors'

/** How many mutations each parser must survive, unless each takes long. */
export const mutationCount = 20_000

/** No refused or accepted file of a few kilobytes may ask for more memory than this. */
const memoryLimit = 2 ** 28

const timeLimit = 2_000

/** A stream of integers below a bound that is the same on every machine (mulberry32). */
export function mulberry32(seed: number): (bound: number) => number {
  let state = seed >>> 0
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * bound)
  }
}

type Next = (bound: number) => number
type Mutation = (bytes: Buffer, next: Next) => Buffer

const position = (bytes: Buffer, next: Next) => next(bytes.length + 1)

function range(bytes: Buffer, next: Next): [start: number, end: number] {
  const [a, b] = [position(bytes, next), position(bytes, next)]
  return [Math.min(a, b), Math.max(a, b)]
}

const fields = [
  0n,
  1n,
  2n,
  0x7fn,
  0xffn,
  0xffffn,
  0x7fffffffn,
  0xffffffffn,
  1n << 40n,
  (1n << 64n) - 1n,
]

const numbers = ['0', '-1', '1', '255', '65536', '2147483647', '2147483648', '4294967296']
const largeNumbers = [
  '9007199254740993',
  '1e9',
  '1000000000000',
  '99999999999999999999',
  'NaN',
  '0x10',
]

const texts = [
  '\n',
  '\r\n',
  '\t',
  '"',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '\\',
  '\u0000',
  '\ufeff',
  '%',
  '__proto__',
]

function spliced(bytes: Buffer, start: number, end: number, inserted: Uint8Array) {
  return Buffer.concat([bytes.subarray(0, start), inserted, bytes.subarray(end)])
}

const mutations: Record<string, Mutation> = {
  bitFlip(bytes, next) {
    if (bytes.length > 0) bytes[next(bytes.length)]! ^= 1 << next(8)
    return bytes
  },
  byte(bytes, next) {
    if (bytes.length > 0) bytes[next(bytes.length)] = next(256)
    return bytes
  },
  truncation: (bytes, next) => bytes.subarray(0, position(bytes, next)),
  removal(bytes, next) {
    const [start, end] = range(bytes, next)
    return spliced(bytes, start, end, Buffer.alloc(0))
  },
  repetition(bytes, next) {
    const [start, end] = range(bytes, next)
    return spliced(bytes, start, start, bytes.subarray(start, Math.min(end, start + 256)))
  },
  splice(bytes, next) {
    const [start, end] = range(bytes, next)
    const to = position(bytes, next)
    return spliced(bytes, to, Math.min(to + end - start, bytes.length), bytes.subarray(start, end))
  },
  noise(bytes, next) {
    const at = position(bytes, next)
    return spliced(
      bytes,
      at,
      at,
      Buffer.from(Array.from({ length: 1 + next(16) }, () => next(256))),
    )
  },
  text(bytes, next) {
    const at = position(bytes, next)
    return spliced(bytes, at, at, Buffer.from(texts[next(texts.length)]!))
  },
  /** A little-endian length, size or offset. */
  field(bytes, next) {
    const size = [1, 2, 4, 8][next(4)]!
    if (bytes.length < size) return bytes
    const at = next(bytes.length - size + 1)
    const value = BigInt.asUintN(8 * size, fields[next(fields.length)]! + BigInt(next(3)) - 1n)
    for (let i = 0; i < size; i++) bytes[at + i] = Number((value >> BigInt(8 * i)) & 0xffn)
    return bytes
  },
  /** A number that stands as text. */
  number(bytes, next) {
    const runs = [...bytes.toString('latin1').matchAll(/\d+/g)]
    const run = runs[next(Math.max(1, runs.length))]
    if (!run) return bytes
    const choices = [
      ...numbers,
      ...largeNumbers,
      String(Number(run[0]) + 1),
      String(Number(run[0]) - 1),
    ]
    const text = Buffer.from(choices[next(choices.length)]!)
    return spliced(bytes, run.index, run.index + run[0].length, text)
  },
}

const kinds = Object.values(mutations)

function mutated(original: Uint8Array, next: Next): Buffer {
  let bytes = Buffer.from(original)
  for (let left = 1 + next(3); left > 0; left--)
    bytes = Buffer.from(kinds[next(kinds.length)]!(bytes, next))
  return bytes.subarray(0, 1 << 16)
}

function expectRefusal(error: unknown, path: string) {
  if (isMistake(error)) return
  if (!(error instanceof GemmineError)) throw error
  const oneLine =
    error.message.startsWith(`${path}: `) && !/[\u0000-\u001f\u2028\u2029]/.test(error.message)
  if (error.code !== 'ERR_GEMMINE_FILE' || !oneLine || error.message.length > 400)
    throw new Error(
      `expected one sentence that begins with ${path}, received ${JSON.stringify(error.message)}`,
    )
}

/**
 * Parses damaged versions of well-formed files.
 *
 * @param check Throws if a value that was returned is not well-formed.
 */
export async function expectSurvival<T>(
  path: string,
  originals: readonly Uint8Array[],
  parse: (bytes: Uint8Array) => T | Promise<T>,
  check: (value: T, bytes: Uint8Array) => void,
  count = mutationCount,
) {
  const next = mulberry32(20_000)
  let accepted = 0
  for (let i = 0; i < count; i++) {
    const bytes = mutated(originals[i % originals.length]!, next)
    const { arrayBuffers } = process.memoryUsage()
    const start = performance.now()
    try {
      check(await parse(bytes), bytes)
      accepted++
    } catch (error) {
      expectRefusal(error, path)
    }
    const [time, memory] = [
      performance.now() - start,
      process.memoryUsage().arrayBuffers - arrayBuffers,
    ]
    if (time > timeLimit || memory > memoryLimit)
      throw new Error(`mutation ${i} took ${time.toFixed()} ms and ${memory} bytes`)
  }
  // Both outcomes must be common, or the damage is too light or too heavy to mean anything.
  expect(accepted).toBeGreaterThan(count / 100)
  expect(accepted).toBeLessThan(count)
}
