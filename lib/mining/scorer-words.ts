// Texts and ids of pairs: what a scorer is told of a pair, and what a cache of answers belongs to.
import { createHash, type Hash } from 'node:crypto'
import { inTurns } from '../data/slices'
import { invalid } from '../errors'
import type { ScorerPair } from './scorer-answers'
import type { ScoredExtent, ScorerSettings } from './scorer-options'
import { textAt } from './text-classes'

type Words = Pick<ScorerSettings, 'queryTexts' | 'corpusTexts' | 'queryIds' | 'corpusIds'>

/** @throws {TypeError} naming an id that is none. */
function idAt(name: string, ids: readonly (string | number)[], i: number): string | number {
  const id: unknown = ids[i]
  if (typeof id === 'string' || Number.isFinite(id)) return id as string | number
  throw invalid(`${name}[${i}]`, 'a string or a finite number', id)
}

/** A pair in the form for the scorer, with the texts and ids that are given. */
export function describedPair(
  { queryTexts, corpusTexts, queryIds, corpusIds }: Words,
  { query, row }: Pick<ScorerPair, 'query' | 'row'>,
): ScorerPair {
  return {
    query,
    row,
    ...(queryTexts && { queryText: textAt('queryTexts', queryTexts, query) }),
    ...(corpusTexts && { corpusText: textAt('corpusTexts', corpusTexts, row) }),
    ...(queryIds && { queryId: idAt('queryIds', queryIds, query) }),
    ...(corpusIds && { corpusId: idAt('corpusIds', corpusIds, row) }),
  }
}

/** Work for a text, and for so many of its characters, in the units of a slice. */
const unitsOfText = 64
const charactersOfUnit = 4

const hashAll = (hash: Hash, count: number, wordAt: (i: number) => string) =>
  inTurns(function* (slice) {
    for (let i = 0; i < count; i++) {
      const word = wordAt(i)
      // In UTF-8 all lone surrogates would be one character.
      hash.update(`${word.length} `).update(word, 'utf16le')
      if (slice.spend(unitsOfText + word.length / charactersOfUnit)) yield
    }
  })

/**
 * A hash, in hexadecimal digits, of what gives the numbers of queries and rows their meaning, and of the
 * caller's name for the scorer.
 */
export async function scoredFingerprint(
  { cache, ...words }: Words & Pick<ScorerSettings, 'cache'>,
  { queries, corpus }: ScoredExtent,
): Promise<string> {
  const hash = createHash('sha256')
  hash.update(JSON.stringify([cache?.fingerprint ?? null, queries, corpus]))
  const { queryTexts, corpusTexts, queryIds, corpusIds } = words
  for (const [name, texts, count] of [
    ['queryTexts', queryTexts, queries],
    ['corpusTexts', corpusTexts, corpus],
  ] as const) {
    hash.update(`${name} ${texts ? count : 'none'} `)
    if (texts) await hashAll(hash, count, (i) => textAt(name, texts, i))
  }
  for (const [name, ids, count] of [
    ['queryIds', queryIds, queries],
    ['corpusIds', corpusIds, corpus],
  ] as const) {
    hash.update(`${name} ${ids ? count : 'none'} `)
    if (ids) await hashAll(hash, count, (i) => JSON.stringify(idAt(name, ids, i)))
  }
  return hash.digest('hex')
}
