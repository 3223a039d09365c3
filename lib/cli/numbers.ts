// Numbers as they are typed after an option. Their bounds are checked in lib, where they are known.
import { invalid } from '../errors'

const decimal = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i

function parsed(option: string, expected: string, text: string): number {
  const value = decimal.test(text) ? Number(text) : NaN
  if (Number.isFinite(value)) return value + 0
  throw invalid(option, expected, text)
}

/** Reads a whole number. 2.5 passes: the check in lib refuses it, and names the bounds too. */
export const integer = (option: string) => (text: string) => {
  const value = parsed(option, 'an integer', text)
  if (Math.abs(value) <= Number.MAX_SAFE_INTEGER) return value
  throw invalid(option, `an integer up to ${Number.MAX_SAFE_INTEGER}`, text)
}

export const real = (option: string) => (text: string) => parsed(option, 'a number', text)

/** A number, or a word that turns the option off. */
export const realOrNone = (option: string) => (text: string) =>
  text === 'none' ? text : parsed(option, 'a number, or none', text)
