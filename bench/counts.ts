// Sparse matrices of counts: words of texts, and draws from a topic model.
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { SparseMatrix } from '../lib/index'
import { sharedFile } from './data'
import { uniform } from './matrices'
import { scaled } from './shapes'

/** Rows of column → count; rows without a count are left out. */
function counted(rows: readonly ReadonlyMap<number, number>[], cols: number): SparseMatrix {
  const kept = rows.filter((row) => row.size > 0)
  const entries = kept.map((row) => [...row].sort(([a], [b]) => a - b))
  const indptr = new Int32Array(kept.length + 1)
  entries.forEach((row, i) => (indptr[i + 1] = indptr[i]! + row.length))
  return {
    indptr,
    indices: Int32Array.from(entries.flatMap((row) => row.map(([column]) => column))),
    values: Float32Array.from(entries.flatMap((row) => row.map(([, count]) => count))),
    rows: kept.length,
    cols,
  }
}

function addTo(counts: Map<number, number>, column: number | undefined) {
  if (column !== undefined) counts.set(column, (counts.get(column) ?? 0) + 1)
}

/** Counts of the words that occur in at least `least` texts and in fewer than a third of them. */
function wordCounts(texts: readonly string[], least: number): SparseMatrix {
  const documents = texts.map((text) => text.toLowerCase().match(/[a-z]{3,}/g) ?? [])
  const frequency = new Map<string, number>()
  for (const words of documents)
    for (const word of new Set(words)) frequency.set(word, (frequency.get(word) ?? 0) + 1)
  const kept = [...frequency].filter(([, n]) => n >= least && n < texts.length / 3)
  const columns = new Map(kept.map(([word], column) => [word, column]))
  const rows = documents.map((words) => {
    const counts = new Map<number, number>()
    for (const word of words) addTo(counts, columns.get(word))
    return counts
  })
  return counted(rows, kept.length)
}

/** Texts of about 60 words over 20 topics of 3000 words; each text has a few topics, each topic few words. */
export function plantedCounts(texts: number): SparseMatrix {
  const [words, topics] = [3000, 20]
  const random = uniform(41)
  const peaked = (count: number, power: number) => {
    const weights = Float64Array.from({ length: count }, () => random() ** power)
    let total = 0
    return weights.map((weight) => (total += weight))
  }
  const draw = (sums: Float64Array) => {
    const at = random() * sums.at(-1)!
    let [low, high] = [0, sums.length - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if (sums[middle]! < at) low = middle + 1
      else high = middle
    }
    return low
  }
  const ofTopics = Array.from({ length: topics }, () => peaked(words, 30))
  const rows = Array.from({ length: texts }, () => {
    const mixture = peaked(topics, 12)
    const counts = new Map<number, number>()
    for (let word = 40 + random() * 40; word > 0; word--)
      addTo(counts, draw(ofTopics[draw(mixture)]!))
    return counts
  })
  return counted(rows, words)
}

/** Word counts of a set of texts, one a line; undefined if the set is absent. */
export function textCounts(
  set: string,
  file: string,
  least: number,
  textOf: (line: string) => string,
): SparseMatrix | undefined {
  const path = sharedFile(set, file)
  if (path === undefined) return undefined
  const lines = gunzipSync(readFileSync(path)).toString().trimEnd().split('\n')
  return wordCounts(lines.slice(0, scaled(lines.length)).map(textOf), least)
}
