// Activations with planted concepts: signed directions U, sparse codes V >= 0.
import type { Matrix } from '../../lib/data/matrix'
import { matrixOf, normal, uniform } from '../matrices'
import { productOf } from '../reference/factors'

/**
 * X = V U + noise with V [n × k] non-negative, each row with one or two concepts, and U [k × d] of any sign, of whose entries a
 * share is not 0.
 * Row 5·c + r (r < 5) shows concept c alone, and more than any other row does.
 */
export function plantedConcepts(
  [n, d, k]: readonly [number, number, number],
  seed: number,
  { noise = 0.02, density = 1 }: { noise?: number; density?: number } = {},
) {
  const [chance, direction] = [uniform(seed), normal(seed + 1)]
  const V = matrixOf(n, k, () => 0)
  for (let i = 0; i < n; i++) {
    if (i < 5 * k) {
      V.data[i * k + Math.floor(i / 5)] = 3 + (i % 5) / 5
      continue
    }
    for (let draw = 0; draw < 2; draw++)
      V.data[i * k + Math.floor(chance() * k)] = 0.3 + 1.5 * chance()
  }
  const U: Matrix = matrixOf(k, d, () => (chance() < density ? direction() : 0))
  const clean = productOf(V, U)
  const random = normal(seed + 2)
  const X = matrixOf(n, d, (i, j) => clean.data[i * d + j]! + noise * random())
  return { X, U, V }
}

/** Maps [images, side, side, c] of non-negative features with one feature direction for each of k regions. */
export function plantedRegions(images: number, side: number, c: number, seed: number) {
  const chance = uniform(seed)
  const parts = [0, 1].map(() => Float64Array.from({ length: c }, () => chance() ** 3))
  const truth = new Int32Array(images * side * side).fill(-1)
  const data = new Float32Array(images * side * side * c)
  for (let image = 0; image < images; image++)
    for (let region = 0; region < 2; region++) {
      const half = side / 2
      const [top, left] = [Math.floor(chance() * half), region * half + Math.floor(chance() * 2)]
      for (let y = top; y < top + half - 1; y++)
        for (let x = left; x < left + half - 2; x++) {
          const at = (image * side + y) * side + x
          truth[at] = region
          const strength = 0.8 + 0.4 * chance()
          for (let j = 0; j < c; j++) data[at * c + j] = strength * parts[region]![j]!
        }
    }
  return { data, shape: [images, side, side, c], truth, parts }
}
