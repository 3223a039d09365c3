import { describe, expect, it } from 'vitest'
import { keywordMatrix, topicCoherence, topicNovelty, topWords } from '../../lib/index'
import { matrixOf, uniform } from '../matrices'
import { denseOf, plantedDocuments, sparseOf } from './planted-topics'

const [k, size] = [4, 6]
const { counts } = plantedDocuments(80, k, size, 5)
const vocabulary = Array.from({ length: k * size }, (_, term) => `w${term}`)

/** From the definition, over all documents. */
function coherenceOf(words: readonly string[]): number {
  const dense = denseOf(counts)
  const has = (i: number, word: string) => dense[i]![vocabulary.indexOf(word)]! > 0
  const share = (...all: string[]) =>
    dense.filter((_, i) => all.every((word) => has(i, word))).length / dense.length
  const pairs = words.flatMap((b, at) => words.slice(0, at).map((a) => [a, b] as const))
  const values = pairs.map(([a, b]) => {
    const both = share(a, b)
    return both === 0 ? -1 : Math.log(both / share(a) / share(b)) / -Math.log(both)
  })
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

describe('topicCoherence', () => {
  it('is the mean of normalised pointwise mutual information over pairs of words', async () => {
    const planted = Array.from({ length: k }, (_, j) => vocabulary.slice(j * size, (j + 1) * size))
    const mixed = Array.from({ length: size }, (_, j) =>
      vocabulary.filter((_, t) => t % size === j),
    )
    const found = await topicCoherence([...planted, ...mixed], counts, vocabulary)
    for (const [j, words] of [...planted, ...mixed].entries())
      expect(found[j]).toBeCloseTo(coherenceOf(words), 12)
    expect(Math.min(...found.subarray(1, k))).toBeGreaterThan(Math.max(...found.subarray(k)))
  })

  it('has the values of its ends, and none for a topic of one word', async () => {
    const rows = [0, 1, 2, 3].map(
      (i) =>
        new Map([
          [0, 1],
          [1, 2],
          [2, i < 2 ? 1 : 0],
          [3, i < 2 ? 0 : 1],
          [4, i % 2],
        ] as const),
    )
    const occurrences = sparseOf(rows as never, 5)
    const words = [['a', 'b'], ['c', 'd'], ['c', 'e'], ['a']]
    const found = await topicCoherence(words, occurrences, ['a', 'b', 'c', 'd', 'e'])
    expect(Array.from(found)).toEqual([1, -1, 0, NaN])
  })

  it.each([
    [[['w0', 'none']], vocabulary, 'a word of the vocabulary for words[0][1], received none'],
    ['w0', vocabulary, 'an array with the words of each topic for words'],
    [[['w0'], 'ab'], vocabulary, 'an array of words for words[1], received'],
    [[['w0', 'w1', 'w0']], vocabulary, 'a word that is not in the topic already for words[0][2]'],
    [
      [['w0']],
      vocabulary.map((word, t) => (t === 7 ? 'w3' : word)),
      'a word that no earlier term has for vocabulary[7], received w3',
    ],
    [[['w0']], ['w0'], '24 words, one for each column of occurrences, for vocabulary'],
  ])('refuses %#', async (words, names, sentence) => {
    await expect(topicCoherence(words as never, counts, names)).rejects.toThrow(sentence)
  })

  it('is 1, not just below, for words that are in the same documents', async () => {
    for (let n = 2; n < 60; n++)
      for (let both = 1; both <= n; both += 3) {
        const rows = Array.from({ length: n }, (_, i) =>
          i < both
            ? new Map([
                [0, 1],
                [1, 1],
              ])
            : new Map<number, number>(),
        )
        const found = await topicCoherence([['a', 'b']], sparseOf(rows as never, 2), ['a', 'b'])
        expect(found[0]).toBe(1)
      }
  })

  it.each([NaN, Infinity])('refuses %s among the occurrences by its place', async (value) => {
    const values = counts.values.slice()
    const row = 7
    const place = Number(counts.indptr[row])
    values[place] = value
    const expected = `a finite number at row 7, column ${counts.indices[place]} of occurrences`
    await expect(topicCoherence([], { ...counts, values }, vocabulary)).rejects.toThrow(expected)
    const [D, V] = [matrixOf(80, 2, () => 1), matrixOf(k * size, 2, () => 1)]
    await expect(keywordMatrix(D, V, { ...counts, values })).rejects.toThrow(expected)
  })

  it('reads the words of topWords', async () => {
    const H = matrixOf(2, k * size, (j, t) => (Math.floor(t / size) === j + 1 ? 1 + t : 0))
    expect(await topicCoherence(await topWords(H, vocabulary), counts, vocabulary)).toHaveLength(2)
  })
})

describe('topicNovelty', () => {
  const next = uniform(3)
  const W = matrixOf(12, 3, () => next() + 0.1)

  it.each(['jensen-shannon', 'kullback-leibler'] as const)(
    'is the mean %s divergence from those before, and after',
    async (divergence) => {
      const shares = Array.from({ length: 12 }, (_, i) => {
        const row = Array.from(W.data.subarray(3 * i, 3 * i + 3))
        const sum = row.reduce((a, b) => a + b)
        return row.map((x) => x / sum)
      })
      const entropy = (p: readonly number[], q: readonly number[]) =>
        p.reduce((sum, x, j) => sum + x * Math.log2(x / q[j]!), 0)
      const apart = (p: readonly number[], q: readonly number[]) => {
        const middle = p.map((x, j) => (x + q[j]!) / 2)
        return divergence === 'kullback-leibler'
          ? entropy(p, q)
          : (entropy(p, middle) + entropy(q, middle)) / 2
      }
      const found = await topicNovelty(W, { window: 2, divergence })
      for (let i = 0; i < 12; i++) {
        const mean = (step: number) => {
          const [one, two] = [shares[i + step], shares[i + 2 * step]]
          return one && two ? (apart(shares[i]!, one) + apart(shares[i]!, two)) / 2 : NaN
        }
        const expected = [mean(-1), mean(1), mean(-1) - mean(1)]
        const { novelty, transience, resonance } = found
        for (const [at, value] of [novelty[i], transience[i], resonance[i]].entries())
          if (Number.isNaN(expected[at])) expect(value).toBeNaN()
          else expect(value).toBeCloseTo(expected[at]!, 12)
      }
    },
  )

  it('is large with little transience where new topics come and stay', async () => {
    const change = matrixOf(40, 2, (i, j) => (i < 20 === (j === 0) ? 1 : 0))
    const { novelty, transience, resonance } = await topicNovelty(change, { window: 5 })
    expect([novelty[20], transience[20], resonance[20]]).toEqual([1, 0, 1])
    expect([novelty[19], transience[19]]).toEqual([0, 1])
    const infinite = await topicNovelty(change, { window: 5, divergence: 'kullback-leibler' })
    expect(infinite.novelty[20]).toBe(Infinity)
  })

  it('has no resonance where novelty and transience are both infinite', async () => {
    const peak = matrixOf(3, 2, (i, j) => (i === 1 || j === 0 ? 1 : 0))
    const options = { window: 1, divergence: 'kullback-leibler' } as const
    const { novelty, transience, resonance } = await topicNovelty(peak, options)
    expect([novelty[1], transience[1], resonance[1]]).toEqual([Infinity, Infinity, NaN])
  })

  it('lets the event loop run inside a document with a large window', async () => {
    const wide = matrixOf(41, 2000, () => 1)
    let turns = 0
    const again = () => {
      turns++
      next = setImmediate(again)
    }
    let next = setImmediate(again)
    await topicNovelty(wide, { window: 20 })
    clearImmediate(next)
    // 840 comparisons, of which a few take a turn; there were as many turns as documents.
    expect(turns).toBeGreaterThan(100)
  })

  it('has no number beside documents without topics, and refuses what is no shares', async () => {
    const gap = matrixOf(5, 2, (i) => (i === 2 ? 0 : 1))
    const { novelty } = await topicNovelty(gap, { window: 1 })
    expect(Array.from(novelty)).toEqual([NaN, 0, NaN, NaN, 0])
    await expect(topicNovelty(W, { window: 0 })).rejects.toThrow('at least 1 for window')
    await expect(topicNovelty(W, { divergence: 'l2' as never })).rejects.toThrow('one of jensen')
    const negative = matrixOf(2, 2, () => -1)
    await expect(topicNovelty(negative)).rejects.toThrow('a number of at least 0')
  })
})
