// The options `allow` and `exclude` of searches: sets for all queries or for each, or lists of rows.
import { toRowLists, type RowLists, type RowListsInput } from '../data/row-lists'
import { borrowable, kindOf } from '../data/typed-array'
import { invalid } from '../errors'
import { checkBitmap, RowSet } from './row-set'

/**
 * Rows of a corpus for the queries of a search: a {@link RowSet} or a bitmap for all queries (a Uint32Array, bit
 * i % 32 of word i >> 5 is row i); an array with a RowSet for each query, undefined for none; or {@link
 * RowListsInput}, a list of rows for each query.
 */
export type RowChoiceInput = RowSet | Uint32Array | readonly (RowSet | undefined)[] | RowListsInput

/** A checked {@link RowChoiceInput}: lists, a bitmap of the caller, or sets. */
export interface RowChoice {
  readonly lists?: RowLists | undefined
  readonly bitmap?: Uint32Array | undefined
  readonly sets?: readonly Uint32Array[] | undefined
  /** The set of each query, −1 for none; undefined: the first for all. */
  readonly of?: Int32Array | undefined
}

function wordsOf(name: string, set: RowSet, corpus: number): Uint32Array {
  if (set.corpusRows === corpus) return set.words
  throw invalid(name, `a set of rows of a corpus of ${corpus} rows`, set.corpusRows)
}

const isSets = (input: unknown): input is readonly (RowSet | undefined)[] =>
  Array.isArray(input) &&
  input.length > 0 &&
  (input.some((each) => each instanceof RowSet) || input.every((each) => each === undefined))

const isLists = (input: unknown) =>
  Array.isArray(input) ||
  kindOf(input) === 'Int32Array' ||
  (typeof input === 'object' && input !== null && 'indptr' in input)

function fromSets(
  name: string,
  given: readonly (RowSet | undefined)[],
  queries: number,
  corpus: number,
): RowChoice {
  if (given.length !== queries)
    throw invalid(name, `${queries} sets of rows, one for each query`, given.length)
  const numbers = new Map<RowSet, number>()
  const of = new Int32Array(queries).fill(-1)
  for (let query = 0; query < queries; query++) {
    const set = given[query]
    if (set === undefined) continue
    if (!(set instanceof RowSet)) throw invalid(`${name}[${query}]`, 'a RowSet, as the others', set)
    if (!numbers.has(set)) numbers.set(set, numbers.size)
    of[query] = numbers.get(set)!
  }
  return { sets: [...numbers.keys()].map((set) => wordsOf(name, set, corpus)), of }
}

/**
 * Checks which rows queries may get, or must not get. Lists of some forms are copied in pieces, and are
 * returned as a promise ({@link toRowLists}).
 *
 * @throws {TypeError | RangeError} naming what does not match the queries or the corpus.
 */
export function toRowChoice(
  name: string,
  input: RowChoiceInput | undefined,
  queries: number,
  corpus: number,
): RowChoice | Promise<RowChoice> {
  if (input === undefined) return {}
  if (input instanceof RowSet) return { sets: [wordsOf(name, input, corpus)] }
  if (kindOf(input) === 'Uint32Array') {
    checkBitmap(name, input as Uint32Array, corpus)
    return { bitmap: borrowable(input as Uint32Array) }
  }
  if (isSets(input)) return fromSets(name, input, queries, corpus)
  if (!isLists(input))
    throw invalid(
      name,
      'a RowSet, a bitmap (a Uint32Array), an array of sets or of rows for each query, an Int32Array, or { indptr, indices }',
      input,
    )
  const lists = toRowLists(name, input as RowListsInput, queries, corpus)
  return lists instanceof Promise ? lists.then((all) => ({ lists: all })) : { lists }
}

/** What queries must not get, and what they may get. */
export interface RowChoices {
  readonly exclude: RowChoice
  readonly allow: RowChoice
}

/** Checks both options of a search, as {@link toRowChoice} does. */
export function toRowChoices(
  given: {
    readonly exclude: RowChoiceInput | undefined
    readonly allow: RowChoiceInput | undefined
  },
  queries: number,
  corpus: number,
): RowChoices | Promise<RowChoices> {
  const exclude = toRowChoice('exclude', given.exclude, queries, corpus)
  const allow = toRowChoice('allow', given.allow, queries, corpus)
  if (!(exclude instanceof Promise) && !(allow instanceof Promise)) return { exclude, allow }
  return Promise.all([exclude, allow]).then(([excluded, allowed]) => ({
    exclude: excluded,
    allow: allowed,
  }))
}

/** Whether queries may get different rows. */
export const differ = ({ exclude, allow }: RowChoices) =>
  [exclude.of, allow.of, allow.lists].some((each) => each !== undefined)

/** What of a choice is the caller's memory. */
export const lentOf = ({ lists, bitmap }: RowChoice) => lists ?? bitmap

/** The same of both choices. */
export const lentChoices = ({ exclude, allow }: RowChoices) => ({
  exclude: lentOf(exclude),
  allow: lentOf(allow),
})

/** The arrays of {@link lentOf}, by their names in messages. */
export const arraysOfChoice = (name: string, { lists, bitmap }: RowChoice) => ({
  [`${name}.indptr`]: lists?.indptr,
  [`${name}.indices`]: lists?.indices,
  [name]: bitmap,
})

/** The fields of a search for the addon: `exclude` and `allow` are lists. */
export interface ChosenRows {
  readonly exclude?: RowLists | undefined
  readonly excludeSets?: readonly Uint32Array[] | undefined
  readonly excludeOf?: Int32Array | undefined
  readonly allow?: RowLists | undefined
  readonly allowSets?: readonly Uint32Array[] | undefined
  readonly allowOf?: Int32Array | undefined
}

type Lent = RowLists | Uint32Array | undefined

const setsOf = ({ bitmap, sets }: RowChoice, lent: Lent) =>
  bitmap ? [lent as Uint32Array] : sets && sets.length > 0 ? sets : undefined

const listsOf = ({ lists }: RowChoice, lent: Lent) => lists && (lent as RowLists)

/** Both choices for the addon, after the caller's memory was lent or copied. */
export const chosenRows = (
  { exclude, allow }: RowChoices,
  lent: { readonly exclude?: Lent; readonly allow?: Lent },
): ChosenRows => ({
  exclude: listsOf(exclude, lent.exclude),
  excludeSets: setsOf(exclude, lent.exclude),
  excludeOf: exclude.of,
  allow: listsOf(allow, lent.allow),
  allowSets: setsOf(allow, lent.allow),
  allowOf: allow.of,
})
