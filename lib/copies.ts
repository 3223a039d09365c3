// Support for several copies of this package in one process, such as two versions in node_modules, or a
// module registry that a test runner has reset. Objects of one copy are not instances of the other.
import { join } from 'node:path'
import { version } from './version'

const mark = Symbol.for('gemmine.copy')

const place = typeof __dirname === 'string' ? join(__dirname, '..') : 'a bundle'
const thisCopy = `${version} in ${place}`

/** Marks the objects of a class, so that other copies can name their copy. */
export function marked(Class: { readonly prototype: object }) {
  Object.defineProperty(Class.prototype, mark, { value: thisCopy })
}

/** A description of the copy that made an object; undefined for any other value. */
export const copyOf = (value: object): string | undefined =>
  (value as { readonly [mark]?: string })[mark]

/** The expectation in the error for an object of another copy. */
export const ofThisCopy = `made by this copy of gemmine (${thisCopy}; npm ls gemmine shows all)`
