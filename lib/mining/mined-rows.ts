// The options `exclude` and `allow` of mining: counts of rules and texts are those of one set for all queries.
import type { RowListsInput } from '../data/row-lists'
import { kindOf } from '../data/typed-array'
import { invalid, invalidText } from '../errors'
import { chosenRows, toRowChoices, type ChosenRows } from './row-choice'
import { copiedSet, RowSet } from './row-set'

interface GivenRows {
  readonly exclude: RowSet | Uint32Array | RowListsInput | undefined
  readonly allow: RowSet | Uint32Array | undefined
}

/** A bitmap of the caller, as a copy that cannot change. */
const copyOf = async (name: string, words: Uint32Array | undefined, corpus: number) =>
  words && (await copiedSet(name, words, corpus)).words

const isSet = (given: unknown): given is RowSet | Uint32Array =>
  given instanceof RowSet || kindOf(given) === 'Uint32Array'

/** Rows that queries must not get, and those that they may get: sets for all queries, or lists of the first. */
export async function minedRows(
  { exclude, allow }: GivenRows,
  queries: number,
  corpus: number,
): Promise<ChosenRows> {
  if (allow !== undefined && !isSet(allow))
    throw invalid(
      'allow',
      'a RowSet or a bitmap (a Uint32Array) for all queries; lists for each query are candidates',
      allow,
    )
  const choices = await toRowChoices({ exclude, allow }, queries, corpus)
  if (choices.exclude.of)
    throw invalidText(
      'exclude',
      'one RowSet for all queries, or a list of rows for each',
      'a RowSet for each query',
    )
  const [excluded, allowed] = await Promise.all([
    copyOf('exclude', choices.exclude.bitmap, corpus),
    copyOf('allow', choices.allow.bitmap, corpus),
  ])
  return chosenRows(choices, {
    exclude: choices.exclude.lists ?? excluded,
    allow: allowed,
  })
}

/**
 * The lists of a job on shards of a corpus.
 *
 * @throws {TypeError} for sets: they have the length of a whole corpus, which no shard knows.
 */
export function excludedLists({ exclude, allow }: GivenRows): RowListsInput | undefined {
  if (allow !== undefined)
    throw invalid('allow', 'none beside a corpus in shards, or candidates', allow)
  if (isSet(exclude))
    throw invalid('exclude', 'a list of rows for each query, as the corpus is in shards', exclude)
  return exclude
}
