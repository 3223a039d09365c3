// Two copies of this package in one process, as two versions in node_modules or a module registry that
// a test runner has emptied: objects of one are no objects of the other.
import { join } from 'node:path'
import { version } from './version'

const mark = Symbol.for('gemmine.copy')

const place = typeof __dirname === 'string' ? join(__dirname, '..') : 'a bundle'
const thisCopy = `${version} in ${place}`

/** Has the objects of a class tell other copies whose they are. */
export function marked(Class: { readonly prototype: object }) {
  Object.defineProperty(Class.prototype, mark, { value: thisCopy })
}

/** Which copy an object is of, in words; nothing for any other value. */
export const copyOf = (value: object): string | undefined =>
  (value as { readonly [mark]?: string })[mark]

/** What is expected of an object that was handed to another copy than its own. */
export const ofThisCopy = `made by this copy of gemmine (${thisCopy}; npm ls gemmine shows all)`
