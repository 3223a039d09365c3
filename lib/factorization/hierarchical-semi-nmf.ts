import { type Matrix } from '../data/matrix'
import { sidesOf, type SourceInput } from '../data/source'
import { planMemory } from '../memory'
import {
  checkJob,
  checkOneOf,
  frozen,
  jobDefaults,
  memoryDefaults,
  required,
  withDefaults,
  type JobOptions,
  type MemoryOptions,
} from '../options'
import type { Factorization } from './fit'
import { LayerFiles } from './layer-files'
import {
  checkByLayer,
  checkFit,
  checkRanks,
  layeredDefaults,
  layerOutputs,
  named,
  namedByLayer,
  stageOf,
  startOf,
  type LayerFactors,
  type LayeredOptions,
} from './layer-options'
import { LayeredModel } from './layered-model'
import { productOf } from './product'
import { semiNmf, semiNmfDefaults, type SemiNmfInit, type SemiNmfOptions } from './semi-nmf'
import { snmf, snmfDefaults, type SnmfOptions } from './snmf'

/** Arguments of single fits, which a model of layers has itself or does not take. */
export type LayeredFit<Options> = Omit<
  Options,
  | ('rank' | 'out' | 'init' | 'graph' | 'mask' | 'missing' | 'sampleWeight')
  | ('checkpoint' | 'checkpointSeconds' | 'resume')
  | keyof JobOptions
  | keyof MemoryOptions
>

interface FitOf {
  'semi-nmf': LayeredFit<SemiNmfOptions> & { init?: SemiNmfInit | undefined }
  snmf: LayeredFit<SnmfOptions> & Pick<SnmfOptions, 'init'>
}

/** The models of a level of a hierarchy. */
export const levelModels = ['semi-nmf', 'snmf'] as const
export type LevelModel = (typeof levelModels)[number]

const ownDefaults = frozen({
  /** The model of every level; `semi-nmf` unless given. `snmf` gives sparse components. */
  model: 'semi-nmf' as LevelModel,
})

/** The defaults of {@link hierarchicalSemiNmf}. */
export const hierarchicalSemiNmfDefaults: typeof ownDefaults & typeof layeredDefaults = frozen({
  ...ownDefaults,
  ...layeredDefaults,
})

export type HierarchicalSemiNmfOptions<Name extends LevelModel = LevelModel> = {
  /** Numbers of components of the levels, each smaller than the one before, such as [400, 200, 100]; to be given. */
  ranks: readonly number[]
  /** The model of every level; `semi-nmf` unless given. `snmf` gives sparse components. */
  model?: Name | undefined
  /**
   * Options of the function of the model, for every level, but none for single entries or rows of X (`mask`,
   * `missing`, `sampleWeight`) and no checkpoints; its defaults unless given.
   */
  fit?: FitOf[Name] | undefined
} & LayeredOptions &
  JobOptions &
  MemoryOptions

/** A hierarchy of components with the codes of its training rows. */
export class HierarchicalSemiNmf extends LayeredModel {
  /** Effective codes of the rows of X in each level, [n × rank], at least 0: W of the first, times W of each further level. */
  readonly codes: readonly Matrix[]

  constructor(
    /** The fit of each level: that of X, then those of the components of the level before. */
    readonly levels: readonly Factorization[],
    { codes, components }: LayerFactors,
    /**
     * ‖X − codes H‖ / ‖X‖ of each level; a warning tells of one above 1, which may be where components are poorly
     * fitted by those of the next level. That of the codes of `transform` is never above 1.
     */
    readonly relativeErrors: readonly number[],
    options: Readonly<Record<string, string | number>>,
  ) {
    super(
      'hierarchical-semi-nmf',
      components,
      levels.slice(1).map(({ W }) => W),
      options,
    )
    this.codes = codes
  }

  /** Effective codes of the rows of X in the last level, [n × rank], at least 0. */
  get W(): Matrix {
    return this.codes.at(-1)!
  }

  /** ‖X − W H‖ / ‖X‖ of the last level. */
  get relativeError(): number {
    return this.relativeErrors.at(-1)!
  }

  /** The objective of the fit of the last level, of which `levels` has those of all. */
  get objective(): Float64Array {
    return this.levels.at(-1)!.objective
  }

  /** Iterations of the fit of the last level. */
  get iterations(): number {
    return this.levels.at(-1)!.iterations
  }

  /** Whether the fits of all levels reached the tolerance. */
  get converged(): boolean {
    return this.levels.every(({ converged }) => converged)
  }

  /** What may surprise, of every level. */
  get warnings(): readonly string[] {
    const own = this.relativeErrors.flatMap((error, l) =>
      error > 1
        ? [
            `Level ${l}: the effective codes leave ${error.toPrecision(3)} times ‖X‖, more than zeros would. The components of a level are fitted to those of the level before, not to X: give larger ranks or fewer levels, or code X by transform.`,
          ]
        : [],
    )
    return this.levels
      .flatMap(({ warnings }, l) => warnings.map((text) => `Level ${l}: ${text}`))
      .concat(own)
  }

  /** Time inside the solvers, in seconds. */
  get seconds(): number {
    return this.levels.reduce((sum, { seconds }) => sum + seconds, 0)
  }
}

/** ‖X − W H‖ / ‖X‖ of given factors: X is read, no iteration is done. */
export async function errorOf(
  X: SourceInput,
  W: Matrix,
  H: Matrix,
  job: JobOptions & MemoryOptions,
): Promise<number> {
  const measured = { rank: H.rows, init: { W, H }, iterations: 0, ...job }
  return (await semiNmf(X, measured)).relativeError
}

/**
 * Factorizes X, then its components, then theirs: H of a level is the matrix of the next, H_l ≈ W_{l+1} H_{l+1}
 * with W_{l+1} ≥ 0. So a component of a level is a mean direction of components of the level before, its
 * {@link LayeredModel.children}, and X ≈ W_1 W_2 ⋯ W_l H_l with codes of at least 0.
 *
 * X is read by the first level, and once for the error of each further one.
 *
 * @param X [n × d], one sample per row: dense, a file, or sparse. Borrowed, not copied (unless its
 *   buffer is resizable): do not write to it or transfer it before the promise settles.
 * @returns The levels with their effective codes and errors, `children`, `transform` and `inverseTransform` for
 *   every level, and `save`.
 * @throws {TypeError | RangeError} if X is no matrix of finite numbers, `ranks` do not decrease, or an option is
 *   wrong or unknown.
 * @throws {GemmineError} `ERR_GEMMINE_DEVICE_UNAVAILABLE`, `ERR_GEMMINE_OUT_OF_MEMORY`, `ERR_GEMMINE_FILE`,
 *   `ERR_GEMMINE_DISPOSED` for a file that was closed.
 * @see Shafran, Geiger & Geva (2025), "Decomposing MLP Activations into Interpretable Features via
 *   Semi-Nonnegative Matrix Factorization", arXiv 2506.10920, section on hierarchies
 *
 * @example
 * const hierarchy = await hierarchicalSemiNmf(activations, { ranks: [40, 20, 10] })
 * hierarchy.children(3) // [{ component: 7, weight: 1.2 }, …] of the 20 components
 */
export async function hierarchicalSemiNmf<Name extends LevelModel = 'semi-nmf'>(
  X: SourceInput,
  options: HierarchicalSemiNmfOptions<Name>,
): Promise<HierarchicalSemiNmf> {
  const { ranks, model, fit, inits, out, checkpoint, checkpointSeconds, resume, ...job } =
    withDefaults(
      {
        ranks: required,
        fit: {},
        ...hierarchicalSemiNmfDefaults,
        ...jobDefaults,
        ...memoryDefaults,
      },
      options,
    )
  checkRanks(ranks)
  checkOneOf('model', model, levelModels)
  const all = checkFit(fit, model === 'snmf' ? snmfDefaults : semiNmfDefaults)
  checkByLayer('inits', inits, ranks.length)
  checkJob(job)
  const { rows } = sidesOf('X', X)
  const width = ranks.reduce((sum, rank) => sum + rank, 0)
  planMemory(`Codes of ${rows} rows in ${ranks.length} levels`, 4 * rows * width, job.memoryBudget)
  const toCaller = await layerOutputs(X, ranks, out)
  const decisive = { ranks, level: model, ...named('fit', all) }
  const files = await LayerFiles.open(
    'hierarchical-semi-nmf',
    X,
    {
      files: { checkpoint, checkpointSeconds, resume },
      stages: ranks.map((_, l) => `level-${l}`),
      deciding: { options: decisive, inits },
    },
    job,
  )
  const fitLevel = (model === 'snmf' ? snmf : semiNmf) as typeof semiNmf
  const levels: Factorization[] = []
  for (const [l, rank] of ranks.entries()) {
    const own = { ...fit, ...startOf(inits, l), ...stageOf(job, `level ${l}`), rank }
    const level = files.layer(l, (files) => fitLevel(levels.at(-1)?.H ?? X, { ...own, ...files }))
    levels.push(await namedByLayer(l, fit, level, inits?.[l]))
  }
  const { codes, errors } = await effective(X, levels, job)
  const factors = await toCaller({ codes, components: levels.map(({ H }) => H) })
  const { rank: _, ...kept } = levels[0]!.options
  return new HierarchicalSemiNmf(levels, factors, errors, { ...kept, level: model })
}

/** The effective codes of each level, and what they leave of X. */
async function effective(
  X: SourceInput,
  levels: readonly Factorization[],
  job: JobOptions & MemoryOptions,
) {
  const codes = [levels[0]!.W]
  const errors = [levels[0]!.relativeError]
  for (const { W, H } of levels.slice(1)) {
    const left = { name: 'codes', matrix: codes.at(-1)! }
    const right = { name: 'W', matrix: W }
    const wanted = `${W.rows} columns`
    codes.push(await productOf(left, right, { ...stageOf(job, 'codes'), wanted }))
    errors.push(await errorOf(X, codes.at(-1)!, H, stageOf(job, 'errors')))
  }
  return { codes, errors }
}
