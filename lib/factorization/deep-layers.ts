// The layers of a deep semi-NMF: their graphs, the factors whose product they are, and their codes.
import { resultMatrix, type Matrix } from '../data/matrix'
import { inSlices } from '../data/slices'
import { extentOf, type SourceInput } from '../data/source'
import { invalidText } from '../errors'
import {
  checkNumber,
  jobDefaults,
  memoryDefaults,
  withDefaults,
  type JobOptions,
  type MemoryOptions,
} from '../options'
import { upperHDefaults } from './bounds'
import type { DeepSemiNmfOptions } from './deep-semi-nmf'
import { entryDefaults } from './entry-options'
import { FactorizationModel, type ModelOptions } from './factorization-model'
import { fit, type Factorization } from './fit'
import { fitArguments, withSteps } from './fit-options'
import { checkGraph, graphTerm, type Graph } from './graph'
import { graphOfLabels } from './label-graph'
import { checkByLayer } from './layer-options'
import { lossOptionsOf } from './losses'
import { productOf } from './product'
import { checkComponents, inRange, rightInverse } from './right-inverse'
import { semiNmfDefaults } from './semi-nmf'

export type Job = JobOptions & MemoryOptions
export type FitOptions = NonNullable<DeepSemiNmfOptions['fit']>

/** The factors of all layers, and ‖X − codes · components‖ / ‖X‖ of each. */
export interface Layers {
  readonly components: readonly Matrix[]
  readonly links: readonly Matrix[]
  readonly codes: readonly Matrix[]
  readonly errors: readonly number[]
}

/** The graph of each layer, of those that have an effect. */
export async function graphsOf(
  n: number,
  layers: number,
  {
    labels = [],
    graphs = [],
    labelWeight,
  }: Pick<DeepSemiNmfOptions, 'labels' | 'graphs'> & {
    labelWeight: number
  },
): Promise<readonly (Graph | undefined)[]> {
  checkNumber('labelWeight', labelWeight, 0)
  checkByLayer('labels', labels, layers)
  checkByLayer('graphs', graphs, layers)
  const found: (Graph | undefined)[] = []
  for (let l = 0; l < layers; l++) {
    const [known, given] = [labels[l], graphs[l]]
    if (known !== undefined && given !== undefined)
      throw invalidText(`graphs[${l}]`, 'none beside labels of the layer', 'a graph')
    const graph = given === undefined ? undefined : checkGraph(`graphs[${l}]`, given, n)
    const name = `labels[${l}]`
    if (known instanceof Int32Array && known.length !== n)
      throw invalidText(name, `${n} labels, one for each row of X`, `${known.length}`)
    const own =
      known === undefined
        ? undefined
        : { adjacency: await graphOfLabels(name, known), weight: labelWeight }
    const either = own ?? graph
    found.push(either?.weight === 0 ? undefined : either)
  }
  return found
}

/** The options of a layer: only multiplicative steps take a graph. */
export const optionsOf = (own: FitOptions, graph: Graph | undefined) =>
  graph ? { l2H: 1, solver: 'mu' as const, ...own, graph } : own

const multiplied = (A: Matrix, B: Matrix, job: Job) =>
  productOf({ name: 'Z', matrix: A }, { name: 'H', matrix: B }, { ...job, wanted: `${B.rows}` })

/**
 * Links and components whose product is H: Z_L by least squares for the components of the layer below, then Z_1
 * with the least change that takes the rest.
 */
export async function spread(
  H: Matrix,
  { components, links }: Pick<Layers, 'components' | 'links'>,
  job: Job,
): Promise<Pick<Layers, 'components' | 'links'>> {
  const below = components.at(-2)!
  const [belowInRange, HInRange] = await inRange(below, H)
  const top = await multiplied(HInRange, await rightInverse(belowInRange), job)
  const within = await multiplied(top, below, job)
  const rest = resultMatrix(H.rows, H.cols)
  await inSlices(H.data.length, (begin, end) => {
    for (let at = begin; at < end; at++) rest.data[at] = H.data[at]! - within.data[at]!
  })
  const next = [...links.slice(0, -1), top]
  let A = top
  for (const Z of links.slice(0, -1).reverse()) A = await multiplied(A, Z, job)
  const first = await multiplied(await rightInverse(A), rest, job)
  const before = components[0]!
  await inSlices(first.data.length, (begin, end) => {
    for (let at = begin; at < end; at++) first.data[at]! += before.data[at]!
  })
  return { components: await componentsOf(first, next, job), links: next }
}

/** Z_1, Z_2 Z_1, …: the components of each layer in the columns of X. */
export async function componentsOf(
  first: Matrix,
  links: readonly Matrix[],
  job: Job,
): Promise<Matrix[]> {
  const components = [first]
  for (const Z of links) {
    components.push(await multiplied(Z, components.at(-1)!, job))
    await checkComponents(components.at(-1)!, components.length - 1)
  }
  return components
}

/** The options of a fit that codes of fixed components obey. */
function codingOf(own: FitOptions): ModelOptions {
  const { loss, ...numbers } = lossOptionsOf(own, semiNmfDefaults.loss)
  const { l1W = 0, l2W = 0, upperW } = own
  const given = Object.entries({ ...numbers, upperW }).filter(([, value]) => value !== undefined)
  return { loss, l1W, l2W, ...(Object.fromEntries(given) as Record<string, number>) }
}

/** The codes of X in a layer with fixed components: exact, or multiplicative steps where there is a graph. */
export async function coded(
  X: SourceInput,
  { W, H, own, graph }: { W: Matrix; H: Matrix; own: FitOptions; graph: Graph | undefined },
  job: Job,
): Promise<Pick<Factorization, 'W' | 'relativeError' | 'seconds'>> {
  const rank = H.rows
  if (!graph) return await new FactorizationModel('semi-nmf', H, codingOf(own)).transform(X, job)
  const extent = extentOf('X', X)
  const { graph: _, ...asked } = optionsOf(own, graph) as FitOptions & { graph: Graph }
  const all = withDefaults(
    { ...fitArguments, ...semiNmfDefaults, ...jobDefaults, ...memoryDefaults },
    { ...asked, ...job, rank },
  )
  const settled = {
    ...withSteps({ ...all, init: { W, H } }, extent, true),
    ...upperHDefaults,
    ...entryDefaults,
    init: { W, H },
  }
  const term = await graphTerm(graph, settled, extent.rows)
  return await fit('semi-nmf', X, settled, { ...term, keepsH: true })
}
