import { inTurns } from '../data/slices'
import type { SparseMatrix } from '../data/sparse'
import { invalid, invalidText } from '../errors'
import { planMemory } from '../memory'
import { checkInteger, frozen, withDefaults, type Overrides } from '../options'

/** The only place where the defaults of {@link labelGraph} are written. */
export const labelGraphDefaults = frozen({
  /**
   * Rows of the same label that follow a row, in row order and around the end, to which it gets an edge; 10
   * unless given. Classes of up to twice as many rows are complete.
   */
  neighbours: 10,
})

export type LabelGraphOptions = Overrides<typeof labelGraphDefaults>

/**
 * The graph of rows with the same label, for `graph` of {@link semiNmf} and {@link nmf}: what is known of some
 * rows makes their codes similar. Weights of a labelled row sum to 1, so the term is a mean over its neighbours for
 * classes of any size. Needs 16 bytes for each of at most 2·neighbours edges of a row.
 *
 * @param labels [n], a whole number for each row, −1 for a row without a label, which gets no edge.
 * @throws {TypeError | RangeError} if labels are no such array, or an option is wrong or unknown.
 * @see Trigeorgis, Bousmalis, Zafeiriou & Schuller (2017), "A deep matrix factorization method for learning
 *   attribute representations", TPAMI 39(3), whose weak supervision has a graph of this kind
 *
 * @example
 * const adjacency = await labelGraph(Int32Array.of(0, 0, 1, -1, 1, 0))
 * const { W } = await semiNmf(X, { rank: 2, solver: 'mu', graph: { adjacency, weight: 1 }, l2H: 1 })
 */
export async function labelGraph(
  labels: Int32Array,
  options?: LabelGraphOptions,
): Promise<SparseMatrix> {
  const { neighbours } = withDefaults(labelGraphDefaults, options)
  checkInteger('neighbours', neighbours, 1)
  return await graphOfLabels('labels', labels, neighbours)
}

/** The same for labels of this name in messages. */
export async function graphOfLabels(
  name: string,
  labels: Int32Array,
  neighbours: number = labelGraphDefaults.neighbours,
): Promise<SparseMatrix> {
  if (!(labels instanceof Int32Array)) throw invalid(name, 'an Int32Array', labels)
  if (labels.length === 0) throw invalidText(name, 'a label for each row', 'an empty array')
  const classes = new Map<number, number[]>()
  await inTurns(function* (slice) {
    for (const [row, label] of labels.entries()) {
      if (label < -1) throw invalid(`${name}[${row}]`, 'a label of at least 0, or −1', label)
      if (label >= 0) {
        const rows = classes.get(label)
        if (rows) rows.push(row)
        else classes.set(label, [row])
      }
      if (slice.spend(4)) yield
    }
  })
  return await edgesOf(labels, classes, neighbours)
}

/** How many rows a row of a class of this size has an edge to. */
const degreeOf = (size: number, neighbours: number) => Math.min(size - 1, 2 * neighbours)

async function edgesOf(
  labels: Int32Array,
  classes: ReadonlyMap<number, readonly number[]>,
  neighbours: number,
): Promise<SparseMatrix> {
  const n = labels.length
  const indptr = new Float64Array(n + 1)
  const places = new Int32Array(n)
  for (const rows of classes.values()) rows.forEach((row, place) => (places[row] = place))
  for (let row = 0; row < n; row++) {
    const size = classes.get(labels[row]!)?.length ?? 1
    indptr[row + 1] = indptr[row]! + degreeOf(size, neighbours)
  }
  const edges = indptr[n]!
  planMemory(`A graph of ${edges} edges`, 8 * edges)
  const indices = new Int32Array(edges)
  const values = new Float32Array(edges)
  await inTurns(function* (slice) {
    for (let row = 0; row < n; row++) {
      const rows = classes.get(labels[row]!)
      if (!rows) continue
      const degree = degreeOf(rows.length, neighbours)
      const reached = new Set<number>()
      for (let step = 1; reached.size < degree; step++)
        for (const place of [places[row]! + step, places[row]! - step + rows.length * step])
          if (reached.size < degree) reached.add(rows[place % rows.length]!)
      const [begin, end] = [indptr[row]!, indptr[row + 1]!]
      indices.set(Int32Array.from(reached).sort(), begin)
      values.fill(1 / degree, begin, end)
      if (slice.spend(16 * degree + 16)) yield
    }
  })
  return { rows: n, cols: n, indptr, indices, values }
}
