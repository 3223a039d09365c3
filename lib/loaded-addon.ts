import { loadAddon } from './addon'
import type { Addon } from './native-types'

let loaded: Addon | undefined

/** The addon, loaded on first use. Functions that start jobs call it through `native.ts`. */
export function native(): Addon {
  loaded ??= loadAddon() as Addon
  return loaded
}
