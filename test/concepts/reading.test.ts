// How components are read: top rows, overlap, directions, vocabulary, health.
import { describe, expect, it } from 'vitest'
import { conceptHealth } from '../../lib/concepts/concept-health'
import { differenceInMeans } from '../../lib/concepts/difference-in-means'
import { steeringVectors } from '../../lib/concepts/directions'
import { conceptOverlap, neuronReuse } from '../../lib/concepts/overlap'
import { topActivations, topConcepts } from '../../lib/concepts/top-activations'
import { vocabularyProjection } from '../../lib/concepts/vocabulary-projection'
import { gaussian, matrixOf, uniform } from '../matrices'
import { cosine, dot, rowOf } from '../reference/assignment'
import { meanOf, overlaps, rankedGroups, rankedRows } from '../reference/concepts'

describe('topActivations', () => {
  // Values of few digits, so that there are ties.
  const chance = uniform(5)
  const codes = matrixOf(300, 7, () => Math.max(0, Math.floor(chance() * 40) - 15) / 4)

  it.each([1, 5, 400])('gives the %d rows of a sort', async (count) => {
    const { rows, values } = await topActivations(codes, { count })
    for (let c = 0; c < 7; c++) {
      const ranked = rankedRows(codes, c, 0).slice(0, count)
      const padding = Array<number>(count - ranked.length)
      expect(Array.from(rows.subarray(c * count, (c + 1) * count))).toEqual([
        ...ranked,
        ...padding.fill(-1),
      ])
      expect(Array.from(values.subarray(c * count, (c + 1) * count))).toEqual([
        ...ranked.map((row) => codes.data[row * 7 + c]),
        ...padding.fill(NaN),
      ])
    }
  })

  it('gives each group its best row only', async () => {
    const groups = Int32Array.from({ length: 300 }, () => Math.floor(chance() * 25))
    const { rows } = await topActivations(codes, { count: 9, groups })
    for (let c = 0; c < 7; c++)
      expect(Array.from(rows.subarray(9 * c, 9 * c + 9))).toEqual(
        rankedGroups(rankedRows(codes, c, 0), groups).slice(0, 9),
      )
  })

  it('heeds a bound, a stride and leading dimensions', async () => {
    const { rows } = await topActivations({ data: codes.data, shape: [30, 10, 7] }, { above: 4 })
    expect(rows.subarray(0, 10)).toEqual(
      (await topActivations(codes, { above: 4 })).rows.subarray(0, 10),
    )
    const narrow = { data: codes.data, rows: 300, cols: 2, stride: 7 }
    expect((await topActivations(narrow)).rows).toEqual(
      (await topActivations(codes)).rows.subarray(0, 20),
    )
  })

  it('names what is wrong', async () => {
    await expect(topActivations(codes, { count: 0 })).rejects.toThrow('for count, received 0')
    await expect(topActivations(codes, { groups: [1] })).rejects.toThrow('300 numbers')
    await expect(
      topActivations({ data: new Float64Array(4) as never, shape: [2, 2] }),
    ).rejects.toThrow('a Float32Array for codes.data')
    await expect(topActivations({ data: new Float32Array(4), shape: [4] })).rejects.toThrow(
      'two dimensions or more, the last of them the features for codes.shape, received 1 of them',
    )
  })
})

describe('topConcepts', () => {
  it('gives the components of a sort of each row', async () => {
    const chance = uniform(6)
    const codes = matrixOf(60, 9, () => Math.max(0, Math.floor(chance() * 9) - 4))
    const turned = matrixOf(9, 60, (c, i) => codes.data[i * 9 + c]!)
    const tensor = { data: codes.data, shape: [6, 10, 9] }
    const { leading, components, values } = await topConcepts(tensor, { count: 4 })
    expect(leading).toEqual([6, 10])
    for (let i = 0; i < 60; i++) {
      const ranked = rankedRows(turned, i, 0).slice(0, 4)
      const missing = 4 - ranked.length
      expect([...components.subarray(4 * i, 4 * i + 4)]).toEqual([
        ...ranked,
        ...Array(missing).fill(-1),
      ])
      expect(values[4 * i]).toBe(ranked.length > 0 ? codes.data[i * 9 + ranked[0]!] : NaN)
    }
  })
})

describe('conceptOverlap', () => {
  it('is 0 for disjoint and 1 for identical sets', async () => {
    const { overlap, shared, sizes, mean } = await conceptOverlap([
      ['a', 'b'],
      ['b', 'a', 'a'],
      [7],
    ])
    expect(Array.from(overlap)).toEqual([1, 1, 0, 1, 1, 0, 0, 0, 1])
    expect(Array.from(shared)).toEqual([2, 2, 0, 2, 2, 0, 0, 0, 1])
    expect(Array.from(sizes)).toEqual([2, 2, 1])
    expect(mean).toBeCloseTo(2 / 6, 12)
  })

  it('gives what sets of JavaScript give, with empty ones and many words', async () => {
    const chance = uniform(8)
    const sets = [0, 3, 40, 200].map((size) =>
      Array.from({ length: size }, () => `w${Math.floor(chance() * 90)}`),
    )
    expect(Array.from((await conceptOverlap(sets)).overlap)).toEqual(overlaps(sets))
  })

  it('refuses what is no list of sets', async () => {
    await expect(conceptOverlap([])).rejects.toThrow('for sets')
    await expect(conceptOverlap(['dog'])).rejects.toThrow("for sets[0], received 'dog'")
  })
})

describe('neuronReuse', () => {
  it('counts the neurons that components share', async () => {
    const H = { data: Float32Array.of(1, -2, 0, 0, 0, 3, 4, 0, 0, 0, 0, 0), rows: 3, cols: 4 }
    const { shared, sizes, overlap } = await neuronReuse(H)
    expect(Array.from(shared)).toEqual([2, 1, 0, 1, 2, 0, 0, 0, 0])
    expect(Array.from(sizes)).toEqual([2, 2, 0])
    expect(Array.from(overlap)).toEqual([1, 0.5, 0, 0.5, 1, 0, 0, 0, 0])
  })

  it('takes a share of the neurons of largest magnitude', async () => {
    const H = gaussian(5, 70, 3)
    const supports = Array.from({ length: 5 }, (_, c) => {
      const row = rowOf(H, c)
      return [...row.keys()].sort((a, b) => Math.abs(row[b]!) - Math.abs(row[a]!)).slice(0, 7)
    })
    expect(Array.from((await neuronReuse(H, { share: 0.1 })).overlap)).toEqual(overlaps(supports))
    await expect(neuronReuse(H, { share: 0 })).rejects.toThrow('above 0, at most 1 for share')
  })
})

describe('differenceInMeans', () => {
  const X = gaussian(90, 11, 2)
  const labels = Array.from({ length: 90 }, (_, i) => (i % 7 === 0 ? -1 : i % 3 === 0 ? 1 : 0))

  it('is the difference of the two means, to round-off', async () => {
    const { difference, means, counts } = await differenceInMeans(X, labels)
    const expected = [0, 1].map((label) => meanOf(X, (row) => labels[row] === label))
    for (let j = 0; j < 11; j++) {
      expect(difference[j]).toBeCloseTo(expected[1]![j]! - expected[0]![j]!, 14)
      expect(means[0][j]).toBeCloseTo(expected[0]![j]!, 14)
    }
    expect(counts).toEqual([0, 1].map((label) => labels.filter((each) => each === label).length))
  })

  it('reads float16, leading dimensions and booleans', async () => {
    const halves = {
      data: Uint16Array.of(0x3c00, 0x4000, 0xc000, 0x0001),
      type: 'float16',
      shape: [2, 1, 2],
    }
    const { difference } = await differenceInMeans(halves as never, [false, true])
    expect(Array.from(difference)).toEqual([-3, 2 ** -24 - 2])
    const brain = {
      data: Uint16Array.of(0x3f80, 0xc000),
      type: 'bfloat16',
      rows: 2,
      cols: 1,
    } as const
    expect(Array.from((await differenceInMeans(brain, [0, 1])).difference)).toEqual([-3])
  })

  it('names what is wrong', async () => {
    await expect(differenceInMeans(X, [0, 1])).rejects.toThrow('90 labels, one for each row')
    await expect(differenceInMeans(X, Array(90).fill(1))).rejects.toThrow('none with label 0')
    await expect(differenceInMeans(X, Array(90).fill(2))).rejects.toThrow(
      'for labels[0], received 2',
    )
    const broken = { ...X, data: X.data.slice() }
    broken.data[12] = NaN
    await expect(differenceInMeans(broken, Array(90).fill(0))).rejects.toThrow(
      'a finite number at row 1, column 1 of X, received NaN',
    )
  })
})

describe('steeringVectors', () => {
  const H = gaussian(4, 9, 6)
  const output = gaussian(5, 9, 7)

  it('have length 1 and the direction of the components, or of what they write', async () => {
    const [own, written] = [await steeringVectors(H), await steeringVectors(H, { output })]
    expect([written.rows, written.cols]).toEqual([4, 5])
    for (let k = 0; k < 4; k++) {
      const f = Array.from({ length: 5 }, (_, i) => dot(rowOf(output, i), rowOf(H, k)))
      expect(cosine(rowOf(own, k), rowOf(H, k))).toBeCloseTo(1, 6)
      expect(cosine(rowOf(written, k), f)).toBeCloseTo(1, 6)
      for (const unit of [own, written])
        expect(dot(rowOf(unit, k), rowOf(unit, k))).toBeCloseTo(1, 6)
    }
  })

  it('are zeros for a component of zeros, and named when they do not fit', async () => {
    const dead = { data: new Float32Array(9), rows: 1, cols: 9 }
    expect((await steeringVectors(dead)).data).toEqual(dead.data)
    await expect(steeringVectors(H, { output: gaussian(5, 8, 1) })).rejects.toThrow(
      'Expected 9 columns, as in the components for output.cols, received 8',
    )
  })
})

describe('vocabularyProjection', () => {
  const [directions, unembedding] = [gaussian(3, 8, 21, 5), gaussian(50, 8, 22)]

  it('gives the tokens of the largest and the smallest logits of unit directions', async () => {
    const { top, bottom } = await vocabularyProjection(directions, unembedding, { count: 4 })
    for (let k = 0; k < 3; k++) {
      const f = rowOf(directions, k)
      const logits = Array.from(
        { length: 50 },
        (_, v) => dot(f, rowOf(unembedding, v)) / Math.sqrt(dot(f, f)),
      )
      const ranked = [...logits.keys()].sort((a, b) => logits[b]! - logits[a]!)
      expect(Array.from(top.tokens.subarray(4 * k, 4 * k + 4))).toEqual(ranked.slice(0, 4))
      expect(Array.from(bottom.tokens.subarray(4 * k, 4 * k + 4))).toEqual(
        ranked.reverse().slice(0, 4),
      )
      expect(top.logits[4 * k]).toBeCloseTo(Math.max(...logits), 5)
      expect(bottom.logits[4 * k]).toBeCloseTo(Math.min(...logits), 5)
    }
  })

  it('gives a direction of zeros no tokens', async () => {
    const zero = { data: new Float32Array(8), rows: 1, cols: 8 }
    const { top, bottom } = await vocabularyProjection(zero, unembedding, { count: 2 })
    expect([...top.tokens, ...bottom.tokens]).toEqual([-1, -1, -1, -1])
    expect([...top.logits]).toEqual([NaN, NaN])
  })

  it('names what is wrong', async () => {
    await expect(vocabularyProjection(directions, gaussian(9, 7, 1))).rejects.toThrow(
      'an integer in 1..9 for count, received 10',
    )
    await expect(vocabularyProjection(directions, gaussian(19, 7, 1))).rejects.toThrow(
      '8 columns, as in the directions for unembedding.cols, received 7',
    )
  })
})

describe('conceptHealth', () => {
  const H = gaussian(5, 12, 31)
  H.data.copyWithin(2 * 12, 0, 12)
  for (let j = 0; j < 12; j++) {
    H.data[2 * 12 + j]! *= 3
    H.data[3 * 12 + j] = -2 * H.data[12 + j]!
  }
  const chance = uniform(32)
  const codes = matrixOf(40, 5, (i, c) => (c === 4 || (i + c) % 3 === 0 ? 0 : chance()))

  it('finds energies, dead and collinear components', async () => {
    const { energy, share, activeRows, dead, collinear } = await conceptHealth({
      codes,
      components: H,
    })
    for (let c = 0; c < 5; c++) {
      const column = Array.from({ length: 40 }, (_, i) => codes.data[i * 5 + c]!)
      expect(energy[c]).toBeCloseTo(dot(column, column) * dot(rowOf(H, c), rowOf(H, c)), 8)
      expect(activeRows[c]).toBe(column.filter((code) => code !== 0).length)
    }
    expect(share.reduce((sum, each) => sum + each)).toBeCloseTo(1, 12)
    expect(dead).toEqual([4])
    expect(collinear.map(({ first, second }) => [first, second])).toEqual([
      [0, 2],
      [1, 3],
    ])
    expect(collinear[0]!.cosine).toBeCloseTo(1, 6)
    expect(collinear[1]!.cosine).toBeCloseTo(-1, 6)
  })

  it('names what is wrong', async () => {
    await expect(conceptHealth({ codes, components: gaussian(4, 12, 1) })).rejects.toThrow(
      '5 rows, one for each column of the codes for components.rows, received 4',
    )
    await expect(conceptHealth({ codes, components: H }, { collinearAt: 0 })).rejects.toThrow(
      'for collinearAt',
    )
  })
})
