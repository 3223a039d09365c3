// The file of a mining job: the answers of its first queries.
import {
  checkIdentity,
  readCheckpoint,
  stamped,
  writeCheckpoint,
  type CheckpointOptions,
  type Identity,
} from '../data/checkpoint-file'
import { fileError } from '../data/file'
import { ruleNames } from '../data/mined-lines'
import type { Tensor, Tensors } from '../data/safetensors'
import type {
  NativeMined,
  NativeMinedArrays,
  NativeMineRules,
  NativePositiveArrays,
  NativeRejected,
} from '../native'
import { joinMined, nothingMined } from './merge-mined'
import type { Metric } from './metric'
import { mineHardNegativesDefaults, type SettledMining } from './mining-options'
import { mostLists } from './query-lists'
import type { MinedShard } from './query-shard'

/** Inputs that not every job has. */
const optionalInputs = [
  'positiveScores',
  'exclude',
  'allow',
  'candidates',
  'queryGroups',
  'corpusGroups',
  'queryTexts',
  'corpusTexts',
] as const

const inputNames = ['queries', 'corpus', 'liveRows', 'positives', ...optionalInputs]

/**
 * What must be the same in a run that resumes.
 *
 * @param told The numbers and names among the options of each answer.
 * @param fingerprints Hashes of the inputs.
 */
export function identityOf(
  { shard }: SettledMining,
  metric: Metric,
  told: readonly MinedShard['options'][],
  fingerprints: Readonly<Record<string, string>>,
): Identity {
  const names = new Set([...Object.keys(mineHardNegativesDefaults), ...told.flatMap(Object.keys)])
  for (const name of [...optionalInputs, ...checkpointNames, 'shard', 'metric', 'excludeSelf'])
    names.delete(name)
  const options = told.flatMap((each, i) =>
    [...names].map((name) => {
      const place = told.length === 1 ? name : `sweep[${i}].${name}`
      return [place, String(each[name] ?? 'none')] as const
    }),
  )
  return {
    job: 'mine',
    answers: String(told.length),
    metric,
    shard: shard ? `${shard.index}/${shard.count}` : 'none',
    ...Object.fromEntries(options),
    ...Object.fromEntries(
      // Sets of rows have names of their own beside lists.
      inputNames.map((name) => [name, fingerprints[name] ?? fingerprints[`${name}Sets`] ?? 'none']),
    ),
    excludeSelf: fingerprints['excludeSelf'] ?? String(told[0]!['excludeSelf']),
  }
}

const checkpointNames = ['checkpoint', 'checkpointSeconds', 'resume'] as const

/** Fields of an identity that are fingerprints. */
const inputs = [...inputNames, 'excludeSelf']

/** The rules of one answer, and its arrays for all queries. */
export interface Answered {
  readonly options: NativeMineRules
  readonly out: NativeMinedArrays
}

/** The arrays of one answer for some of its lists. */
export function arraysWithin(
  { options: { numNegatives }, out }: Answered,
  begin: number,
  end: number,
) {
  const rowsOf = <Rows extends Int32Array | Float32Array | Uint8Array>(rows: Rows) =>
    rows.subarray(begin * numNegatives, end * numNegatives) as Rows
  return {
    indices: rowsOf(out.indices),
    scores: rowsOf(out.scores),
    ranks: rowsOf(out.ranks),
    counts: out.counts.subarray(begin, end),
    ...(out.sources && { sources: rowsOf(out.sources) }),
  }
}

/** The counters of an answer besides those of the rules. */
const counters = [
  'queriesWithoutPositives',
  'inconsistent',
  'candidatePairs',
  'certified',
  'fallback',
  'zeroQueries',
  'zeroRows',
  'seconds',
] as const

const rejectedNames = ['queries', 'positives', 'indptr', 'rows', 'scores', 'rules'] as const

const vector = (data: Int32Array | Float64Array | Uint8Array): Tensor => ({
  data,
  shape: [data.length],
})

/** The named parts of an answer as tensors, with its first lists. */
function tensorsOf(answer: Answered, lists: number, mined: NativeMined): Record<string, Tensor> {
  const { counts, ...rows } = arraysWithin(answer, 0, lists)
  const shape = [lists, answer.options.numNegatives]
  const numbers = [...mined.dropped, ...counters.map((name) => mined[name])]
  return {
    ...Object.fromEntries(Object.entries(rows).map(([name, data]) => [name, { data, shape }])),
    counts: vector(counts),
    numbers: vector(Float64Array.from(numbers)),
    ...Object.fromEntries(
      rejectedNames.map((name) => [`rejected.${name}`, vector(mined.rejected[name])]),
    ),
  }
}

/** The answers of the first queries of a job, and the file that keeps them. */
export class MinedSoFar {
  /** Queries with answers. */
  done = 0
  /** By answer, the lists of these queries. */
  readonly lists: number[]
  /** By answer, the counts of the blocks. */
  readonly #blocks: NativeMined[][]
  #written = -1
  #writtenAt = 0

  constructor(
    private readonly files: CheckpointOptions,
    private readonly identity: Identity,
    private readonly positives: NativePositiveArrays,
    private readonly answers: readonly Answered[],
    private readonly firstQuery: number,
  ) {
    this.#blocks = answers.map(() => [])
    this.lists = answers.map(() => 0)
  }

  async add(queries: number, mined: readonly NativeMined[]) {
    await this.#countLists(queries)
    for (const [i, each] of mined.entries()) this.#blocks[i]!.push(each)
  }

  /** Counts the next queries and their lists; their positives are known. */
  async #countLists(queryCount: number) {
    const { positiveStarts: indptr, positiveRows: indices } = this.positives
    const range = { firstQuery: this.firstQuery + this.done, queryCount }
    for (const [i, { options }] of this.answers.entries())
      this.lists[i]! += await mostLists(options.reference, { indptr, indices }, range)
    this.done += queryCount
  }

  /** The counts of all blocks. */
  sums(): Promise<NativeMined[]> {
    return Promise.all(this.#blocks.map((blocks) => joinMined([nothingMined, ...blocks])))
  }

  /** Writes the file if it was last written at least `checkpointSeconds` ago. */
  async writeIfDue() {
    if (performance.now() - this.#writtenAt >= 1000 * this.files.checkpointSeconds)
      await this.write()
  }

  /** Writes the file unless it holds this state already. */
  async write() {
    const { checkpoint } = this.files
    if (checkpoint === undefined || this.#written === this.done) return
    const done = this.done
    this.#written = done // even if that fails: the failure ends the job
    const tensors: Record<string, Tensor> = {}
    for (const [name, data] of Object.entries(this.positives)) tensors[name] = vector(data)
    if (done > 0)
      for (const [i, mined] of (await this.sums()).entries())
        for (const [name, tensor] of Object.entries(
          tensorsOf(this.answers[i]!, this.lists[i]!, mined),
        ))
          tensors[`${name}.${i}`] = tensor
    const metadata = { ...stamped(this.identity), done: String(done) }
    await writeCheckpoint(checkpoint, { tensors, metadata })
    this.#writtenAt = performance.now()
  }

  /**
   * Takes over the answers in a file.
   *
   * @throws {GemmineError} `ERR_GEMMINE_FILE` if it is damaged, or that of another job.
   */
  async read(path: string, queries: number) {
    const metadata = await checkIdentity(path, this.identity, inputs)
    const done = Number(metadata['done'])
    if (!Number.isInteger(done) || done < 0 || done > queries)
      throw fileError(path, `expected a number of at most ${queries} queries, received ${done}`)
    const contents = await readCheckpoint(path)
    if (done === 0) return
    const file = new MinedFile(path, contents)
    for (const [name, data] of Object.entries(this.positives)) file.copy(name, data)
    await this.#countLists(done)
    for (const [i, answer] of this.answers.entries()) {
      for (const [name, data] of Object.entries(arraysWithin(answer, 0, this.lists[i]!)))
        file.copy(`${name}.${i}`, data)
      this.#blocks[i]!.push(file.mined(i))
    }
  }
}

/** Takes the arrays out of a file, if they have the types and lengths that are wanted. */
class MinedFile {
  constructor(
    private readonly path: string,
    private readonly file: Tensors,
  ) {}

  copy(name: string, to: Int32Array | Float32Array | Float64Array | Uint8Array) {
    to.set(this.#array(name, to.constructor as never, to.length))
  }

  mined(i: number): NativeMined {
    const rules = ruleNames.length
    const numbers = this.#array(`numbers.${i}`, Float64Array, rules + counters.length)
    const sums = Object.fromEntries(
      counters.map((name, place) => [name, numbers[rules + place]!]),
    ) as Pick<NativeMined, (typeof counters)[number]>
    const queries = this.#array(`rejected.queries.${i}`, Int32Array)
    const indptr = this.#array(`rejected.indptr.${i}`, Int32Array, queries.length + 1)
    const length = indptr.at(-1)!
    const rejected: NativeRejected = {
      queries,
      positives: this.#array(`rejected.positives.${i}`, Int32Array, queries.length),
      indptr,
      rows: this.#array(`rejected.rows.${i}`, Int32Array, length),
      scores: this.#array(`rejected.scores.${i}`, Float64Array, length),
      rules: this.#array(`rejected.rules.${i}`, Uint8Array, length),
    }
    return { ...sums, dropped: numbers.slice(0, rules), rejected }
  }

  #array<Kind extends Int32Array | Float32Array | Float64Array | Uint8Array>(
    name: string,
    Kind: new (length: number) => Kind,
    length?: number,
  ): Kind {
    const data: unknown = this.file.tensors[name]?.data
    if (data instanceof Kind && (length === undefined || data.length === length)) return data
    throw fileError(
      this.path,
      `expected a whole checkpoint of mining, received one without ${name}`,
    )
  }
}
