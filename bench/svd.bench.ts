import { truncatedSvd, writeNpy, type Matrix, type SparseMatrix } from '../lib/index'
import { exchangePath, handOver, randomMatrix } from './data'
import { experiment, type Experiment } from './experiment'
import { interleave, times, type Times } from './interleave'
import { uniform } from './matrices'
import { Rival } from './rival'
import { svdShapes } from './shapes'

const question =
  "How fast does truncatedSvd find singular values as near as those of scikit-learn's randomized_svd?"

type Shape = (typeof svdShapes)[number]

const decay = (place: number) => (1 + place) ** -0.6

function dense({ rows, cols }: Shape, seed: number): Matrix {
  const X = randomMatrix(rows, cols, seed)
  for (let i = 0, at = 0; i < rows; i++)
    for (let j = 0; j < cols; j++) X.data[at++]! *= decay(rows < cols ? i : j)
  return X
}

/** Counts in columns of which few are frequent. */
function sparse({ rows, cols }: Shape, ofRow: number): SparseMatrix {
  const draw = uniform(7)
  const indptr = Int32Array.from({ length: rows + 1 }, (_, i) => i * ofRow)
  const indices = new Int32Array(rows * ofRow)
  for (let i = 0; i < rows; i++) {
    const chosen = new Set<number>()
    while (chosen.size < ofRow) chosen.add(Math.floor(cols * draw() ** 3))
    indices.set(
      [...chosen].sort((a, b) => a - b),
      i * ofRow,
    )
  }
  const values = Float32Array.from(indices, () => 1 + Math.floor(4 * draw()))
  return { rows, cols, indptr, indices, values }
}

/** The largest relative error of singular values. */
const errorOf = (s: ArrayLike<number>, exact: ArrayLike<number>) =>
  Math.max(...Array.from(s, (value, j) => Math.abs(value / exact[j]! - 1)))

async function load(rival: Rival, X: Matrix | SparseMatrix, rank: number) {
  if (!('indptr' in X)) return rival.call('load', { X: await handOver('svd', X), rank })
  const array = async (name: string, data: Float32Array | Int32Array) => {
    await writeNpy(exchangePath(name), { data, shape: [data.length] })
    return exchangePath(name)
  }
  return rival.call('load', {
    X: await array('data.npy', X.values),
    indices: await array('indices.npy', X.indices as Int32Array),
    indptr: await array('indptr.npy', X.indptr as Int32Array),
    shape: [X.rows, X.cols],
    rank,
  })
}

/** The fewest power steps whose values are as near to the exact ones as the rival's. */
async function stepsTo(error: number, X: Matrix | SparseMatrix, rank: number, exact: Float64Array) {
  for (let powerIterations = 0; ; powerIterations++) {
    const { s } = await truncatedSvd(X, { rank, powerIterations })
    if (errorOf(s, exact) <= error) return { powerIterations, own: errorOf(s, exact) }
  }
}

async function measure(report: Experiment, rival: Rival, shape: Shape) {
  const { kind, rows, cols, rank } = shape
  const X = 'ofRow' in shape ? sparse(shape, shape.ofRow) : dense(shape, 5)
  // Twelve steps leave an error near that of float32.
  const { s: exact } = await truncatedSvd(X, { rank, powerIterations: 12 })
  await load(rival, X, rank)
  const theirs = (await rival.call('run'))['s'] as number[]
  const error = errorOf(theirs, exact)
  const { powerIterations, own } = await stepsTo(error, X, rank, exact)
  const job = `truncatedSvd, ${kind} ${rows} × ${cols}, rank ${rank}`
  report.note(
    `${job}: error ${own.toExponential(1)} after ${powerIterations} power iterations, the rival's ${error.toExponential(1)}`,
  )
  const { own: ours, rival: theirsIn } = await interleave<'own' | 'rival', Times>({
    own: () => times(() => truncatedSvd(X, { rank, powerIterations })),
    rival: () => rival.times('run'),
  })
  report.compareTimes(job, rival.name, ours, theirsIn, 2)
}

experiment(__filename, question, async (report) => {
  const rival = await Rival.start(report, 'sklearn_svd')
  if (rival) for (const shape of svdShapes) await measure(report, rival, shape)
})
