import { describe, expect, it } from 'vitest'
import { labelGraph, type SparseMatrix } from '../../lib/index'

/** All entries as `row,column: value`. */
const entriesOf = ({ rows, indptr, indices, values }: SparseMatrix) =>
  Array.from({ length: rows }, (_, row) =>
    Array.from(indices.subarray(Number(indptr[row]), Number(indptr[row + 1])), (column, t) => ({
      row,
      column,
      value: values[Number(indptr[row]) + t]!,
    })),
  ).flat()

describe('labelGraph', () => {
  it('ties every two rows of a small class, and leaves out rows without a label', async () => {
    const graph = await labelGraph(Int32Array.of(0, 1, 0, -1, 0, 2, 1))
    expect([graph.rows, graph.cols]).toEqual([7, 7])
    expect(entriesOf(graph)).toEqual([
      { row: 0, column: 2, value: 0.5 },
      { row: 0, column: 4, value: 0.5 },
      { row: 1, column: 6, value: 1 },
      { row: 2, column: 0, value: 0.5 },
      { row: 2, column: 4, value: 0.5 },
      { row: 4, column: 0, value: 0.5 },
      { row: 4, column: 2, value: 0.5 },
      { row: 6, column: 1, value: 1 },
    ])
  })

  it('is symmetric and stochastic, with a bounded number of edges, for classes of any size', async () => {
    for (const sizes of [[1, 2, 3, 4, 5, 6, 7, 8, 9, 40]])
      for (const neighbours of [1, 2, 3]) {
        const labels = Int32Array.from(sizes.flatMap((size, label) => Array(size).fill(label)))
        const entries = entriesOf(await labelGraph(labels, { neighbours }))
        const byPlace = new Map(
          entries.map(({ row, column, value }) => [`${row},${column}`, value]),
        )
        expect(byPlace.size).toBe(entries.length)
        const sums = new Float64Array(labels.length)
        for (const { row, column, value } of entries) {
          expect(row).not.toBe(column)
          expect(labels[row]).toBe(labels[column])
          expect(byPlace.get(`${column},${row}`)).toBe(value)
          sums[row]! += value
        }
        labels.forEach((label, row) => expect(sums[row]).toBeCloseTo(sizes[label]! > 1 ? 1 : 0, 5))
        expect(entries.filter(({ row }) => labels[row] === 9)).toHaveLength(40 * 2 * neighbours)
      }
  })

  it.each([
    [[0, 1], {}, 'labels', 'an Int32Array'],
    [new Int32Array(0), {}, 'labels', 'a label for each row'],
    [Int32Array.of(0, -3), {}, 'labels[1]', 'a label of at least 0, or −1'],
    [Int32Array.of(0, 0), { neighbours: 0 }, 'neighbours', 'an integer of at least 1'],
    [Int32Array.of(0, 0), { k: 1 }, 'k', 'one of the options'],
  ])('names what is wrong: %#', async (labels, options, argument, expected) => {
    const failure = await labelGraph(labels as never, options as never).catch((error) => error)
    expect(failure).toMatchObject({ argument })
    expect(failure.expected).toContain(expected)
  })
})
