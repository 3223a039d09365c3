// Searches of a part of a corpus, compared with a plain computation over the rows that are left.
import { describe, expect, it } from 'vitest'
import {
  Neighbours,
  prepareCorpus,
  prepareRowSet,
  rangeSearch,
  RowSet,
  topK,
  topKSync,
} from '../../lib/mining/index'
import { gaussian, random } from '../matrices'
import { canonicalScore } from '../reference/scores'

const metric = 'cosine'

/** The bitmap of some rows of a corpus. */
function bitmapOf(rows: readonly number[], corpus: number): Uint32Array {
  const words = new Uint32Array(Math.ceil(corpus / 32))
  for (const row of rows) words[row >>> 5]! |= 1 << (row & 31)
  return words
}

const share = (count: number, part: number, seed: number) => {
  const next = random(seed)
  return Array.from({ length: count }, (_, row) => row).filter(() => next() < part)
}
