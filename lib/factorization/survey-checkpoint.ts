// The file of a survey: the restarts of its finished ranks.
import {
  checkPlace,
  readCheckpoint,
  stamped,
  writeCheckpoint,
  type Identity,
} from '../data/checkpoint-file'
import { fileError } from '../data/file'
import type { Matrix } from '../data/matrix'
import type { Tensor } from '../data/safetensors'
import type { NativeSurvey } from '../native'
import { frozen } from '../options'
import { checkResume } from './checkpoint'

/** The only place where the defaults of a survey's checkpoints are written. */
export const surveyCheckpointDefaults = frozen({
  /**
   * A file for the finished ranks of the survey; none unless given. It is written completely and renamed, after
   * the restarts of each rank.
   */
  checkpoint: undefined as string | undefined,
  /**
   * A checkpoint whose ranks are not surveyed again; none unless given. X and all options except `ranks`,
   * `criterion`, `threshold`, `threads` and checkpoints must equal those of the run that wrote it.
   */
  resume: undefined as string | undefined,
})

/** The restarts of one rank. */
export interface RestartsOfRank extends NativeSurvey {
  /** The mean components [rank × d]. */
  readonly H: Matrix
  /** The components of one restart after the other [restarts · rank × d]. */
  readonly components: Matrix | undefined
}

const matrix = ({ data, rows, cols }: Matrix): Tensor => ({ data, shape: [rows, cols] })
const vector = (data: Float64Array): Tensor => ({ data, shape: [data.length] })

/** The restarts of a rank as tensors. JSON has no -Infinity. */
const tensorsOf = ({ H, components, ...found }: RestartsOfRank): (readonly [string, Tensor])[] => [
  ['H', matrix(H)],
  ...(components ? [['components', matrix(components)] as const] : []),
  ['heldOutErrors', vector(found.heldOutErrors)],
  ['silhouettes', vector(found.silhouettes)],
  ['relativeErrors', vector(found.relativeErrors)],
  [
    'numbers',
    vector(Float64Array.of(found.iterations, found.entries, found.logMeanSquare, found.seconds)),
  ],
]

function restartsFrom(
  path: string,
  rank: number,
  all: Readonly<Record<string, Tensor>>,
): RestartsOfRank {
  const named = (name: string) => all[`${name}.${rank}`]
  const [H, silhouettes, relativeErrors] = ['H', 'silhouettes', 'relativeErrors'].map(named)
  const [numbers, components] = ['numbers', 'components'].map(named)
  const heldOutErrors = named('heldOutErrors')?.data ?? new Float64Array(0)
  const [rows, cols] = H?.shape ?? []
  const restarts = relativeErrors?.data.length
  const isWhole =
    H?.data instanceof Float32Array &&
    silhouettes?.data instanceof Float64Array &&
    relativeErrors?.data instanceof Float64Array &&
    numbers?.data instanceof Float64Array &&
    heldOutErrors instanceof Float64Array &&
    (components === undefined ||
      (components.data instanceof Float32Array &&
        components.data.length === restarts! * rank * cols!)) &&
    rows === rank &&
    silhouettes.data.length === rank &&
    numbers.data.length === 4
  if (!isWhole)
    throw fileError(path, `expected the restarts of rank ${rank}, received a part of them`)
  const [iterations, entries, logMeanSquare, seconds] = numbers.data as unknown as [
    number,
    number,
    number,
    number,
  ]
  return {
    silhouettes: silhouettes.data as Float64Array,
    relativeErrors: relativeErrors.data as Float64Array,
    heldOutErrors: heldOutErrors as Float64Array,
    components: components && {
      data: components.data as Float32Array,
      rows: restarts! * rank,
      cols: cols!,
    },
    iterations,
    entries,
    logMeanSquare,
    seconds,
    H: { data: H.data as Float32Array, rows: rank, cols: cols! },
  }
}

/** The finished ranks of a survey, in memory and, if asked for, in a file. */
export class FinishedRanks {
  readonly #finished = new Map<number, RestartsOfRank>()

  private constructor(
    private readonly path: string | undefined,
    private readonly identity: Identity,
  ) {}

  /**
   * @param identity Called only if there are files.
   * @throws {GemmineError} `ERR_GEMMINE_FILE` if the checkpoint cannot be written, or the file to resume from is
   *   damaged or that of another survey.
   */
  static async open(
    { checkpoint, resume }: { checkpoint?: string | undefined; resume?: string | undefined },
    identity: () => Promise<Identity>,
  ): Promise<FinishedRanks> {
    if (checkpoint !== undefined) await checkPlace(checkpoint)
    const isFile = checkpoint !== undefined || resume !== undefined
    const ranks = new FinishedRanks(checkpoint, isFile ? await identity() : {})
    if (resume !== undefined) await ranks.#read(resume)
    return ranks
  }

  get(rank: number) {
    return this.#finished.get(rank)
  }

  async add(rank: number, found: RestartsOfRank) {
    if (this.path === undefined) return
    this.#finished.set(rank, found)
    const tensors = [...this.#finished].flatMap(([rank, each]) =>
      tensorsOf(each).map(([name, tensor]) => [`${name}.${rank}`, tensor] as const),
    )
    const metadata = { ...stamped(this.identity), objectives: '0' }
    await writeCheckpoint(this.path, { tensors: Object.fromEntries(tensors), metadata })
  }

  async #read(path: string) {
    await checkResume(path, this.identity)
    const { tensors } = await readCheckpoint(path)
    for (const name of Object.keys(tensors)) {
      const rank = Number(/^H\.(\d+)$/.exec(name)?.[1])
      if (rank > 0) this.#finished.set(rank, restartsFrom(path, rank, tensors))
    }
  }
}
