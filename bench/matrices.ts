// Matrices of many kinds for the choice of defaults: data sets and planted matrices, each with its ranks.
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { type Matrix, type SparseMatrix } from '../lib/index'
import { readMember, readMatrix, sharedFile } from './data'

export interface Case {
  readonly name: string
  readonly ranks: readonly number[]
  /** Undefined if the data set is absent. */
  readonly load: () => Promise<Matrix | SparseMatrix> | undefined
}

type Entry = (row: number, column: number) => number

export const filled = (rows: number, cols: number, entry: Entry): Matrix => ({
  data: Float32Array.from({ length: rows * cols }, (_, at) =>
    entry(Math.floor(at / cols), at % cols),
  ),
  rows,
  cols,
})

/** Uniform in (0, 1). Steele, Lea & Flood (2014), "Fast splittable pseudorandom number generators". */
export function uniform(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x9e3779b9) | 0
    let z = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32 + 2 ** -33
  }
}

export function normal(seed: number): () => number {
  const random = uniform(seed)
  return () => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random())
}

/** W H + noise, with entries of W and H drawn by the given functions. */
export function planted(
  [rows, cols, rank]: readonly [number, number, number],
  ofW: () => number,
  ofH: () => number,
  noise: () => number,
): Matrix {
  const W = Float64Array.from({ length: rows * rank }, ofW)
  const H = Float64Array.from({ length: rank * cols }, ofH)
  return filled(rows, cols, (i, t) => {
    let sum = noise()
    for (let j = 0; j < rank; j++) sum += W[i * rank + j]! * H[j * cols + t]!
    return sum
  })
}

export const nonnegative = ({ data, ...rest }: Matrix): Matrix => ({
  ...rest,
  data: data.map(Math.abs),
})

/** Draws that are 0 with probability `chance`. */
export const holed = (draw: () => number, chance: number, seed: number) => {
  const random = uniform(seed)
  return () => (random() < chance ? 0 : draw())
}

export function poisson(mean: number, random: () => number): number {
  let product = random()
  let count = 0
  for (const limit = Math.exp(-mean); product > limit; product *= random()) count++
  return count
}

export const made = (matrix: () => Matrix) => () => Promise.resolve(matrix())

/** Entries of a planted factor: exponential. */
export const exponential = (seed: number) => {
  const random = uniform(seed)
  return () => -Math.log(random())
}

const plantedNonnegative: Case[] = [
  {
    name: 'planted, exponential factors, noise 1 %',
    ranks: [5, 10, 20],
    load: made(() => {
      const noise = normal(3)
      const matrix = planted([2000, 300, 10], exponential(1), exponential(2), () => 0.1 * noise())
      return nonnegative(matrix)
    }),
  },
  {
    name: 'planted, sparse factors, noise 10 %',
    ranks: [10, 16],
    load: made(() => {
      const noise = normal(6)
      const W = holed(exponential(4), 0.7, 14)
      const H = holed(exponential(5), 0.7, 15)
      return nonnegative(planted([3000, 200, 10], W, H, () => 0.15 * noise()))
    }),
  },
  {
    name: 'planted, hardly any noise',
    ranks: [8, 20],
    load: made(() => {
      const noise = uniform(9)
      return planted([1500, 250, 8], exponential(7), exponential(8), () => 1e-3 * noise())
    }),
  },
  {
    name: 'low-rank counts (Poisson)',
    ranks: [6, 12],
    load: made(() => {
      const random = uniform(12)
      const rates = planted(
        [2000, 400, 6],
        holed(exponential(10), 0.6, 16),
        exponential(11),
        () => 0,
      )
      return { ...rates, data: rates.data.map((rate) => poisson(rate / 2, random)) }
    }),
  },
  {
    name: 'small and wide, log-normal',
    ranks: [10, 40],
    load: made(() => {
      const draw = normal(17)
      return filled(400, 4096, () => Math.exp(draw()))
    }),
  },
  {
    name: 'tall and narrow, gamma-like',
    ranks: [4, 8],
    load: made(() => {
      const noise = exponential(20)
      return planted([20_000, 32, 6], exponential(18), exponential(19), () => 0.3 * noise())
    }),
  },
  {
    name: 'uniform noise',
    ranks: [10, 30],
    load: made(() => filled(1000, 300, uniform(21))),
  },
  {
    name: 'slow spectrum, dense',
    ranks: [5, 20, 50],
    load: made(() => {
      const draws = Array.from({ length: 60 }, (_, r) => ({
        u: normal(200 + r),
        v: normal(300 + r),
      }))
      const parts = draws.map(({ u, v }, r) => ({
        u: Float64Array.from({ length: 800 }, u),
        v: Float64Array.from({ length: 300 }, v),
        s: 1 / Math.sqrt(r + 1),
      }))
      const sum = filled(800, 300, (i, t) =>
        parts.reduce((total, { u, v, s }) => total + s * u[i]! * v[t]!, 12),
      )
      return nonnegative(sum)
    }),
  },
  {
    name: 'blocks',
    ranks: [4, 12],
    load: made(() => {
      const noise = uniform(22)
      return filled(1200, 240, (i, t) => (i % 12 === t % 12 ? 1 : 0) + 0.05 * noise())
    }),
  },
  {
    name: 'smooth curves on an offset',
    ranks: [3, 6],
    load: made(() => {
      const random = uniform(23)
      const centres = Array.from({ length: 900 }, () => [random(), random(), random()] as const)
      return filled(900, 300, (i, t) => {
        const [a, b, weight] = centres[i]!
        const peak = (at: number) => Math.exp(-((t / 300 - at) ** 2) / 0.01)
        return 1 + weight * peak(0.2 + 0.1 * a) + (1 - weight) * peak(0.7 + 0.1 * b)
      })
    }),
  },
]

/** Positive data far from 0. */
const offset: Case = {
  name: 'noise far from 0',
  ranks: [5, 20],
  load: made(() => {
    const draw = normal(24)
    return filled(1500, 120, () => 273 + 5 * draw())
  }),
}

const plantedMixed: Case[] = [
  {
    name: 'planted, free H, noise 10 %',
    ranks: [5, 10, 20],
    load: made(() => {
      const noise = normal(33)
      return planted([3000, 300, 10], exponential(31), normal(32), () => 0.3 * noise())
    }),
  },
  {
    name: 'planted, sparse W, hardly any noise',
    ranks: [12, 24],
    load: made(() => {
      const noise = normal(36)
      const W = holed(exponential(34), 0.8, 37)
      return planted([2000, 256, 12], W, normal(35), () => 1e-3 * noise())
    }),
  },
  {
    name: 'clusters',
    ranks: [8, 16],
    load: made(() => {
      const noise = normal(39)
      const centres = Array.from({ length: 8 * 64 }, normal(38))
      return filled(4000, 64, (i, t) => 2 * centres[(i % 8) * 64 + t]! + noise())
    }),
  },
  { name: 'noise', ranks: [10, 40], load: made(() => filled(1500, 200, normal(40))) },
  {
    name: 'small and wide, noise',
    ranks: [10, 40],
    load: made(() => filled(300, 4096, normal(41))),
  },
  offset,
]

/** One array of an archive, transformed. */
const member =
  (set: string, file: string, name: string, change = (matrix: Matrix) => matrix) =>
  () => {
    const path = sharedFile(set, file)
    return path === undefined ? undefined : readMember(path, name).then(change)
  }

const firstRows =
  (count: number) =>
  ({ data, cols, rows }: Matrix): Matrix => ({
    data: data.slice(0, Math.min(count, rows) * cols),
    rows: Math.min(count, rows),
    cols,
  })

const array = (set: string, file: string, rows: number) => () => {
  const path = sharedFile(set, file)
  return path === undefined ? undefined : readMatrix(path).then(firstRows(rows))
}

/** TF–IDF of texts: words that occur in at least `least` texts, logarithmic counts, rows of length 1. */
function wordsOf(texts: readonly string[], least: number): SparseMatrix {
  const documents = texts.map((text) => text.toLowerCase().match(/[a-z]{3,}/g) ?? [])
  const frequency = new Map<string, number>()
  for (const words of documents)
    for (const word of new Set(words)) frequency.set(word, (frequency.get(word) ?? 0) + 1)
  const kept = [...frequency].filter(([, n]) => n >= least && n < 0.3 * texts.length)
  const columns = new Map(kept.map(([word], column) => [word, column]))
  const indptr = [0]
  const indices: number[] = []
  const values: number[] = []
  for (const words of documents) {
    const counts = new Map<number, number>()
    for (const word of words) {
      const column = columns.get(word)
      if (column !== undefined) counts.set(column, (counts.get(column) ?? 0) + 1)
    }
    const row = [...counts].sort(([a], [b]) => a - b)
    const weights = row.map(
      ([column, count]) =>
        (1 + Math.log(count)) * (1 + Math.log(texts.length / frequency.get(kept[column]![0])!)),
    )
    const length = Math.hypot(...weights) || 1
    row.forEach(([column], at) => {
      indices.push(column)
      values.push(weights[at]! / length)
    })
    indptr.push(indices.length)
  }
  return {
    indptr: Int32Array.from(indptr),
    indices: Int32Array.from(indices),
    values: Float32Array.from(values),
    rows: texts.length,
    cols: kept.length,
  }
}

const texts =
  (set: string, file: string, least: number, textOf: (line: string) => string) => () => {
    const path = sharedFile(set, file)
    if (path === undefined) return undefined
    const lines = gunzipSync(readFileSync(path)).toString().trimEnd().split('\n')
    return Promise.resolve(wordsOf(lines.map(textOf), least))
  }

const textField = (line: string) => (JSON.parse(line) as { text: string }).text

const sets: Case[] = [
  { name: 'cbcl_faces', ranks: [25, 49], load: member('cbcl_faces', 'cbcl_faces.npz', 'X') },
  { name: 'mnist', ranks: [10, 32], load: member('mnist', 'mnist.npz', 'X_test') },
  { name: 'hsi_jasper', ranks: [4, 12], load: member('hsi_jasper', 'jasper.npz', 'Y') },
  { name: 'hsi_samson', ranks: [3, 8], load: member('hsi_samson', 'samson.npz', 'Y') },
  { name: 'swimmer', ranks: [8, 17], load: member('swimmer', 'swimmer.npz', 'X_clean') },
  { name: 'swimmer, noisy', ranks: [17], load: member('swimmer', 'swimmer.npz', 'X_noisy') },
  {
    name: 'mutational_signatures',
    ranks: [3, 6],
    load: member('mutational_signatures', 'scenario8.npz', 'X'),
  },
  {
    name: 'breast21',
    ranks: [4],
    load: member('mutational_signatures', 'breast21_wgs.npz', 'X'),
  },
  { name: 'animals50', ranks: [5, 10], load: member('animals50', 'animals50x85.npz', 'X') },
  { name: 'telf_dog', ranks: [4], load: member('telf_dog', 'dog.npz', 'X') },
  {
    name: 'mfeat, profiles',
    ranks: [10, 20],
    load: member('uci_mfeat_multiview', 'mfeat.npz', 'view0'),
  },
  {
    name: 'mfeat, Fourier',
    ranks: [10, 20],
    load: member('uci_mfeat_multiview', 'mfeat.npz', 'view1'),
  },
  {
    name: 'mfeat, pixels',
    ranks: [10, 30],
    load: member('uci_mfeat_multiview', 'mfeat.npz', 'view4'),
  },
  {
    name: 'mfeat, Zernike',
    ranks: [10],
    load: member('uci_mfeat_multiview', 'mfeat.npz', 'view5'),
  },
  { name: 'sift', ranks: [16, 32], load: member('sift_small', 'bigann10k.npz', 'base') },
  {
    name: 'lda histograms',
    ranks: [10, 30],
    load: member('nmslib_lda_histograms', 'lda_histograms.npz', 'lda128_1k'),
  },
  {
    name: '20newsgroups',
    ranks: [20],
    load: texts('20newsgroups', '20newsgroups.jsonl.gz', 10, textField),
  },
  {
    name: 'octis_dblp',
    ranks: [10, 30],
    load: texts('octis_dblp', 'corpus.tsv.gz', 5, (line) => line.split('\t')[0]!),
  },
  {
    name: 'octis_m10',
    ranks: [10, 20],
    load: texts('octis_m10', 'corpus.tsv.gz', 3, (line) => line.split('\t')[0]!),
  },
  { name: 'cranfield', ranks: [10, 30], load: texts('cranfield', 'corpus.jsonl.gz', 2, textField) },
  { name: 'medline', ranks: [10, 30], load: texts('medline', 'corpus.jsonl.gz', 2, textField) },
]

const mixedSets: Case[] = [
  {
    name: 'minilm_activations',
    ranks: [20, 100],
    load: array('minilm_activations', 'X.npy', 4000),
  },
  { name: 'minilm_scifact', ranks: [20, 64], load: array('minilm_scifact', 'docs.npy', 5183) },
  { name: 'minilm_tldr', ranks: [32], load: array('minilm_tldr', 'docs.npy', 8000) },
  {
    name: 'bge_m3',
    ranks: [10, 40],
    load: member('neural_small', 'neural_small.npz', 'bge_m3_sentence'),
  },
  {
    name: 'ada002',
    ranks: [10],
    load: member('neural_small', 'neural_small.npz', 'ada002_msmarco100'),
  },
  {
    name: 'mfeat, Karhunen–Loève',
    ranks: [10, 20],
    load: member('uci_mfeat_multiview', 'mfeat.npz', 'view2'),
  },
  { name: 'bible_lsa96', ranks: [24], load: array('bible_lsa96', 'docs.npy', 10_000) },
]

export const nonnegativeCases: readonly Case[] = [...plantedNonnegative, offset, ...sets]
export const mixedCases: readonly Case[] = [
  ...plantedMixed,
  ...mixedSets,
  ...sets.filter(({ name }) => /cbcl|mnist|samson|sift|mutational|pixels/.test(name)),
]
