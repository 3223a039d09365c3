// Versions of a corpus that handles name and that no other thread has opened yet.
import type { NativeCorpus } from '../native'
import { hold } from './shared-scan'

/** Versions that are kept for handles at most; the oldest gives way. */
export const mostVersions = 16

interface Kept {
  /** Of each handle: its number, 0 once it was opened. */
  readonly tokens: SharedArrayBuffer[]
  readonly letGo: () => void
}

/** The number of a handle, which is taken out of it: other threads get none. */
export const taken = (token: SharedArrayBuffer): bigint =>
  Atomics.exchange(new BigUint64Array(token), 0, 0n)

const isOpened = (token: SharedArrayBuffer) => Atomics.load(new BigUint64Array(token), 0) === 0n

/** Keeps versions that were shared, also when the corpus changes, until their handles are opened. */
export class SharedVersions {
  readonly #kept = new Map<NativeCorpus, Kept>()

  /** A new handle of a version. */
  share(native: NativeCorpus): SharedArrayBuffer {
    const token = new SharedArrayBuffer(8)
    new BigUint64Array(token)[0] = native.share()
    this.letGoOfOpened()
    const kept = this.#kept.get(native) ?? { tokens: [], letGo: hold(native) }
    kept.tokens.push(token)
    this.#kept.set(native, kept)
    if (this.#kept.size > mostVersions) this.#letGo(this.#kept.keys().next().value!)
    return token
  }

  letGoOfOpened() {
    for (const [native, { tokens }] of this.#kept) if (tokens.every(isOpened)) this.#letGo(native)
  }

  dispose() {
    for (const native of this.#kept.keys()) this.#letGo(native)
  }

  #letGo(native: NativeCorpus) {
    this.#kept.get(native)!.letGo()
    this.#kept.delete(native)
  }
}
