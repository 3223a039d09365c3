// How often does selectRank find the number of planted parts?
//
// Not a matter of speed: it prints, for each number of parts, in how many of the seeds the rank was found. X is
// 200 × 50: W H with half of the entries of W (and, for NMF, of H) 0, and noise of 5 % of its root mean square.
import { selectRank } from '../lib/index'
import { matrixOf, normal, uniform } from '../test/matrices'

const seeds = Number(process.env['SEEDS'] ?? 10)
const counts = [3, 4, 5, 6, 7, 8, 9, 10]
const [n, d] = [200, 50]

function planted(k: number, seed: number, signed: boolean) {
  const next = uniform(seed)
  const gauss = normal(seed + 1)
  const sparse = () => (next() < 0.5 ? 0 : next())
  const W = Float64Array.from({ length: n * k }, sparse)
  const H = Float64Array.from({ length: k * d }, signed ? gauss : sparse)
  const X = matrixOf(n, d, (i, j) => {
    let sum = 0
    for (let c = 0; c < k; c++) sum += W[i * k + c]! * H[c * d + j]!
    return sum
  })
  const rms = Math.sqrt(X.data.reduce((sum, value) => sum + value ** 2, 0) / X.data.length)
  const noisy = X.data.map((value) => value + 0.05 * rms * gauss())
  return { ...X, data: signed ? noisy : noisy.map((value) => Math.max(0, value)) }
}

const scenes = [
  { name: 'nmf', signed: false, options: { model: 'nmf' } },
  { name: 'semi-nmf', signed: true, options: { model: 'semi-nmf' } },
  {
    name: 'semi-nmf with l1W = l2H = 0.2',
    signed: true,
    options: { model: 'semi-nmf', l1W: 0.2, l2H: 0.2, tolerance: 1e-6, iterations: 1000 },
  },
] as const

async function survey({ name, signed, options }: (typeof scenes)[number]) {
  let [right, all] = [0, 0]
  for (const k of counts) {
    const found: number[] = []
    for (let seed = 0; seed < seeds; seed++) {
      const X = planted(k, 1000 * k + seed, signed)
      const { chosen } = await selectRank(X, { ...options, ranks: { from: 2, to: 12 }, seed })
      found.push(chosen)
    }
    right += found.filter((rank) => rank === k).length
    all += seeds
    console.log(`${name}, ${k} parts: ${found.join(' ')}`)
  }
  console.log(`${name}: found in ${right} of ${all} (${((100 * right) / all).toFixed(0)} %)`)
}

async function main() {
  for (const scene of scenes) await survey(scene)
}

void main()
