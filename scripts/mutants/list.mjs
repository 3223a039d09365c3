/**
 * Bugs to plant. Each replaces `find`, which must occur once in `file`.
 *
 * @typedef {{ name: string, file: string, find: string, replace: string, suites: string[] }} Mutant
 */
import { scanMutants } from './scans.mjs'

/** @type {Mutant[]} */
export const mutants = [...scanMutants]
