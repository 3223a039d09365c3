// Parses numbers of options. Their bounds are checked in lib.
import { invalid } from '../errors'

const decimal = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i

function parsed(option: string, expected: string, text: string): number {
  const value = decimal.test(text) ? Number(text) : NaN
  if (Number.isFinite(value)) return value + 0
  throw invalid(option, expected, text)
}

/** Parses a whole number. Accepts 2.5: the check in lib refuses it with a message that has the bounds. */
export const integer = (option: string) => (text: string) => {
  const value = parsed(option, 'an integer', text)
  if (Math.abs(value) <= Number.MAX_SAFE_INTEGER) return value
  throw invalid(option, `an integer up to ${Number.MAX_SAFE_INTEGER}`, text)
}

export const real = (option: string) => (text: string) => parsed(option, 'a number', text)

const unitBytes: Readonly<Record<string, number>> = {
  '': 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
}

/** Parses a number of bytes, possibly with a unit: `512MiB`. */
export const bytesOf = (option: string) => (text: string) => {
  const [, number, unit] = /^(\d{1,15}(?:\.\d{1,6})?) ?(|KiB|MiB|GiB)$/.exec(text) ?? []
  const bytes = Math.round(Number(number) * unitBytes[unit ?? '']!)
  if (Number.isSafeInteger(bytes)) return bytes
  throw invalid(option, 'a number of bytes, or of KiB, MiB or GiB, such as 512MiB', text)
}

/** Parses a part and the number of parts: `0/4` is the first of four. */
export const partOfAll = (option: string) => (text: string) => {
  const [, index, count] = /^(\d{1,15})\/(\d{1,15})$/.exec(text) ?? []
  if (count !== undefined && Number(index) < Number(count))
    return { index: Number(index), count: Number(count) }
  throw invalid(option, 'I/N with I from 0 to N - 1, such as 0/4', text)
}

/** A number, or a word that turns the option off. */
export const realOrNone = (option: string) => (text: string) =>
  text === 'none' ? text : parsed(option, 'a number, or none', text)

/** Parses a range A:B, or a list A,B,C, of whole numbers. */
export const ranksOf = (option: string) => (text: string) => {
  const numbers = text.split(/[:,]/).map((each) => (/^\d{1,15}$/.test(each) ? Number(each) : NaN))
  const [from, to] = numbers as [number, number]
  if (!numbers.some(Number.isNaN) && /^\d+:\d+$/.test(text)) return { from, to }
  if (!numbers.some(Number.isNaN) && !text.includes(':')) return numbers
  throw invalid(option, 'a range A:B, such as 2:10, or a list, such as 2,4,8', text)
}

/** Parses a list A,B,C of whole numbers. */
export const countsOf = (option: string) => (text: string) => {
  if (/^\d{1,15}(,\d{1,15})*$/.test(text)) return text.split(',').map(Number)
  throw invalid(option, 'a list of whole numbers, such as 64,16', text)
}
