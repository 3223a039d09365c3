// A folder of results that appears complete or not at all.
import * as fs from 'node:fs'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { fileError, systemFailure } from '../data/file'
import { GemmineError, invalidText } from '../errors'

/** All files that a command may write. Other files in a folder are never changed. */
export const resultFiles = [
  'W.npy',
  'H.npy',
  'A.npy',
  'model.safetensors',
  'codes.safetensors',
  'U.npy',
  's.npy',
  'V.npy',
  'labels.npy',
  'centers.npy',
  'indptr.npy',
  'indices.npy',
  'scores.npy',
  'counts.npy',
  'negatives.jsonl',
  'negatives.parquet',
  'rejected.jsonl',
  'part.safetensors',
  'densities.npy',
  'topics.jsonl',
  'contexts.npy',
  'slices.npy',
  'concepts.jsonl',
  'concepts.html',
  // Written last and removed first, so that it never describes the results of another run.
  'summary.json',
] as const

export type ResultFile = (typeof resultFiles)[number]

const statOf = (path: string) => fs.lstatSync(path, { throwIfNoEntry: false })

/** The nearest folder that exists, from `path` upwards. */
const existingFolder = (path: string): string =>
  statOf(path) ? path : existingFolder(dirname(path))

function isWritable(folder: string) {
  try {
    fs.accessSync(folder, fs.constants.W_OK | fs.constants.X_OK)
    return true
  } catch {
    return false
  }
}

/**
 * The real path of a file, and the path of the link if its last part is one. Empty if the path does not
 * exist: opening the file reports that.
 */
function placesOf(path: string): string[] {
  try {
    return [fs.realpathSync(path), join(fs.realpathSync(dirname(path)), basename(path))]
  } catch {
    return []
  }
}

/**
 * Refuses an input that is one of the results in the folder: this run would replace or remove it.
 *
 * @throws {GemmineError} `ERR_GEMMINE_FILE` if an input is one of these files.
 */
export function checkInputs(inputs: readonly string[], given: string) {
  const [folder] = placesOf(given)
  if (folder === undefined) return
  const results = resultFiles.map((name) => join(folder, name))
  for (const input of inputs)
    if (placesOf(input).some((place) => results.includes(place)))
      throw fileError(
        input,
        `expected an input outside the results in --out, received one in ${given}, which this run would replace or remove`,
      )
}

/** The real path, as far as the path exists. */
function placeOf(path: string): string {
  try {
    return fs.realpathSync.native(path)
  } catch {
    return dirname(path) === path ? path : join(placeOf(dirname(path)), basename(path))
  }
}

/**
 * Refuses an additional file inside the folder of results, or at the folder's own path.
 *
 * @throws {TypeError} naming the option.
 */
export function checkOutside(option: string, path: string, out: string) {
  const [file, folder] = [join(placeOf(dirname(path)), basename(path)), placeOf(out)]
  const isAbove = (above: string, below: string) => `${below}${sep}`.startsWith(`${above}${sep}`)
  if (isAbove(folder, file) || isAbove(file, folder))
    throw invalidText(option, `a file outside --out ${out}`, path)
}

/** Renames, or copies if the folder is on another file system. */
function move(from: string, to: string) {
  try {
    fs.renameSync(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
    fs.copyFileSync(from, to)
    fs.unlinkSync(from)
  }
}

/** Creates the folder for staging. Some existing folders accept no new files, such as /proc. */
function stagingIn(base: string, given: string): string {
  try {
    return fs.mkdtempSync(join(base, '.gemmine-'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    const sentence = `expected a folder for --out that can be created, but ${base} takes no new files`
    throw fileError(given, sentence, { cause: error })
  }
}

/** The target of the results. */
interface Target {
  /** The folder as given, for messages. */
  readonly given: string
  readonly folder: string
  readonly force: boolean
  /** All files that may be written, replaced or removed there. */
  readonly names: readonly string[]
}

/** Finds the results of earlier runs in a folder. */
function held({ folder, given, names }: Target): string[] {
  return names.filter((name) => {
    const stat = statOf(join(folder, name))
    if (stat?.isDirectory())
      throw fileError(join(given, name), 'expected a file or nothing, received a folder')
    return stat !== undefined
  })
}

export class Outputs {
  readonly #written: string[] = []
  readonly #discard = () => fs.rmSync(this.staging, { recursive: true, force: true })

  private constructor(
    private readonly target: Target,
    private readonly staging: string,
  ) {
    process.once('exit', this.#discard)
  }

  /**
   * Checks that results can be written to a folder, and creates a hidden folder for staging beside it, or
   * inside it if that is not possible.
   *
   * @param names All files that the command may write, in the order in which they are moved to the folder.
   * @throws {GemmineError} `ERR_GEMMINE_FILE` if the folder contains results, is no folder, or is not
   *   writable.
   */
  static open(given: string, force: boolean, names: readonly string[] = resultFiles): Outputs {
    try {
      const folder = statOf(given) ? fs.realpathSync(given) : resolve(given)
      const target = { given, folder, force, names }
      const exists = statOf(folder) !== undefined
      if (exists) checkFolder(target)
      const beside = existingFolder(dirname(folder))
      const base = exists && !isWritable(beside) ? folder : beside
      return new Outputs(target, stagingIn(base, given))
    } catch (error) {
      throw systemFailure(given, error)
    }
  }

  /** Stages one file; `write` receives its path. */
  async write(name: string, write: (path: string) => Promise<void>): Promise<void> {
    const path = join(this.staging, name)
    this.#written.push(name)
    try {
      await write(path)
    } catch (error) {
      throw this.#named(error, path, name)
    }
  }

  /** Replaces the results in the folder by the staged ones: all, or none after an error. */
  commit() {
    const { folder, given, names } = this.target
    if (statOf(folder)) checkFolder(this.target)
    const aside = join(this.staging, 'replaced')
    fs.mkdirSync(aside)
    const done: (readonly [from: string, to: string])[] = []
    const moveInto = (from: string, to: string, name: string) => {
      move(join(from, name), join(to, name))
      done.push([join(from, name), join(to, name)])
    }
    let created: string | undefined
    try {
      created = fs.mkdirSync(folder, { recursive: true })
      for (const name of held(this.target).reverse()) moveInto(folder, aside, name)
      for (const name of names.filter((each) => this.#written.includes(each)))
        moveInto(this.staging, folder, name)
    } catch (error) {
      for (const [from, to] of done.reverse()) move(to, from)
      if (created !== undefined) fs.rmSync(created, { recursive: true, force: true })
      throw systemFailure(given, error)
    }
  }

  /** Removes the staged files. */
  discard() {
    process.off('exit', this.#discard)
    this.#discard()
  }

  /** The paths of the written files, for a message. */
  toString() {
    return this.#written.map((name) => join(this.target.given, name)).join(', ')
  }

  #named(error: unknown, path: string, name: string): unknown {
    const failure = systemFailure(path, error)
    if (!(failure instanceof GemmineError)) return failure
    const message = failure.message.replace(path, () => join(this.target.given, name))
    return new GemmineError(failure.code, message, { cause: failure.cause })
  }
}

function checkFolder(target: Target) {
  const { folder, given, force } = target
  if (!fs.statSync(folder).isDirectory())
    throw fileError(given, 'expected a folder for --out, received a file')
  const names = held(target)
  if (names.length > 0 && !force)
    throw fileError(
      given,
      `expected a folder without results for --out, received one that holds ${names.join(', ')}; --force replaces or removes them`,
    )
  fs.accessSync(folder, fs.constants.W_OK | fs.constants.X_OK)
}
