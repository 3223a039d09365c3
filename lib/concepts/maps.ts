import { planMemory } from '../memory'
import { inTurns } from '../data/slices'
import { resultArray } from '../data/typed-array'
import { invalidText } from '../errors'
import {
  checkInteger,
  checkNumber,
  frozen,
  required,
  withDefaults,
  type Overrides,
} from '../options'
import { checkAttached } from './dense'
import { checkedModel, squaredNorms, type CodedActivations } from './coded-activations'
import { flattenedCodes, type FloatTensor } from './tensor'

/** The only place where the defaults of {@link coSegmentation} are written. */
export const coSegmentationDefaults = frozen({
  /** Only strengths (code times length) above this; 0 unless given. */
  above: 0,
})

export type CoSegmentationOptions = Overrides<typeof coSegmentationDefaults>

/** The component of each position. */
export interface CoSegmentation {
  /** The component that is strongest, the lower one of equals; −1 if none is above the bound. */
  readonly data: Int32Array
  /** The dimensions of the codes without the last: [n, h, w]. */
  readonly shape: readonly number[]
}

/**
 * Segments maps by their strongest component: the one with the largest code times its length, so that the scale
 * of a component does not matter. The components are those of all images, so one index means the same concept in
 * each of them.
 *
 * @param model Codes [… × K], such as heat maps [n × h × w × K], with their components, such as a `Reducer`.
 * @throws {TypeError | RangeError} if the codes are no array of float32 with a column for each component.
 * @see Collins, Achanta & Süsstrunk (2018), "Deep Feature Factorization for Concept Discovery", ECCV
 *
 * @example
 * const { data, shape } = await coSegmentation(reducer)
 */
export async function coSegmentation(
  model: CodedActivations,
  given?: CoSegmentationOptions,
): Promise<CoSegmentation> {
  const { above } = withDefaults(coSegmentationDefaults, given)
  checkNumber('above', above)
  const { codes, leading, H } = await checkedModel(model)
  const { data, rows, cols } = codes
  const lengths = (await squaredNorms(H)).map(Math.sqrt)
  const segments = resultArray(Int32Array, rows)
  await inTurns(function* (slice) {
    for (let i = 0, at = 0; i < rows; i++) {
      let [best, largest] = [-1, above]
      for (let c = 0; c < cols; c++, at++) {
        const strength = data[at]! * lengths[c]!
        if (strength > largest) [best, largest] = [c, strength]
      }
      segments[i] = best
      checkAttached('codes', data, rows * cols)
      if (slice.spend(cols)) yield
    }
  })
  return { data: segments, shape: leading }
}

export interface ResizeMapsOptions {
  /** Height wanted, to be given. */
  height: number
  /** Width wanted, to be given. */
  width: number
}

/** For each position of a new side, its two old neighbours and the weight of the second. */
function neighbours(from: number, to: number) {
  return Array.from({ length: to }, (_, i) => {
    const place = Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1)
    const low = Math.floor(place)
    return [low, Math.min(low + 1, from - 1), place - low] as const
  })
}

/**
 * Resizes heat maps to the size of images, bilinearly, with the corners of the outer pixels aligned (as
 * `align_corners=False` of PyTorch).
 *
 * @param maps [n × h × w × K], of float32.
 * @returns [n × height × width × K].
 * @throws {TypeError | RangeError} if the maps have not four dimensions, or a size is no positive integer.
 *
 * @example
 * const maps = await resizeMaps(reducer.codes, { height: 224, width: 224 })
 */
export async function resizeMaps(
  maps: FloatTensor,
  given: ResizeMapsOptions,
): Promise<FloatTensor> {
  const { height, width } = withDefaults<ResizeMapsOptions, ResizeMapsOptions>(
    { height: required, width: required },
    given,
  )
  checkInteger('height', height, 1)
  checkInteger('width', width, 1)
  const { matrix, leading } = await flattenedCodes('maps', maps)
  if (leading.length !== 3)
    throw invalidText(
      'maps.shape',
      'four dimensions, [n, h, w, K]',
      `${leading.length + 1} of them`,
    )
  const [n, h, w] = leading as [number, number, number]
  const { data, cols: K } = matrix
  planMemory(`${n} maps of ${height} × ${width}`, 4 * n * height * width * K)
  const resized = resultArray(Float32Array, n * height * width * K)
  const [ys, xs] = [neighbours(h, height), neighbours(w, width)]
  const { length } = data
  await inTurns(function* (slice) {
    let to = 0
    for (let image = 0; image < n; image++)
      for (const [top, bottom, down] of ys)
        for (const [left, right, across] of xs) {
          const at = (y: number, x: number) => ((image * h + y) * w + x) * K
          const [a, b, c, d] = [at(top, left), at(top, right), at(bottom, left), at(bottom, right)]
          for (let k = 0; k < K; k++, to++) {
            const upper = data[a + k]! * (1 - across) + data[b + k]! * across
            const lower = data[c + k]! * (1 - across) + data[d + k]! * across
            resized[to] = upper * (1 - down) + lower * down
          }
          checkAttached('maps', data, length)
          if (slice.spend(8 * K)) yield
        }
  })
  return { data: resized, shape: [n, height, width, K] }
}
