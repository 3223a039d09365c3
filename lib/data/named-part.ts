import { existsSync } from 'node:fs'

/** A file, and the name of an array or a column in it. */
export interface Part {
  readonly path: string
  readonly name: string | undefined
}

/**
 * Splits `file:name`, which names an array or a column of a file, unless a file of that full name exists. Both may contain
 * colons: the file is the longest that exists.
 */
export function partOf(given: string): Part {
  const whole = { path: given, name: undefined }
  if (existsSync(given)) return whole
  const before = (end: number) => given.lastIndexOf(':', end)
  for (let colon = before(given.length - 2); colon > 0; colon = before(colon - 1)) {
    const path = given.slice(0, colon)
    if (existsSync(path)) return { path, name: given.slice(colon + 1) }
  }
  return whole
}
