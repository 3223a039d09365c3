import { GemmineError, invalid } from './errors'
import { native } from './loaded-addon'

/** The kinds of devices; a test compares them with those of native/backend/registry.cc. */
export const deviceKinds = ['cpu', 'cuda'] as const

/**
 * `cuda` is the first GPU, `cuda:1` the second. `auto` is the CPU: the CUDA backend has not been measured on a
 * GPU yet. A device requested by name must be present.
 */
export type DeviceName = 'auto' | 'cpu' | 'cuda' | `cuda:${number}`

/**
 * Resolves a device name to the one that a job runs on: `cpu`, or `cuda:N`.
 *
 * @throws {TypeError} if `name` is no device name.
 * @throws {GemmineError} `ERR_GEMMINE_DEVICE_UNAVAILABLE` if a named device is absent, with all that was tried.
 */
export function resolveDevice(name: string): 'cpu' | `cuda:${number}` {
  if (name === 'auto' || name === 'cpu') return 'cpu'
  if (typeof name !== 'string' || !/^cuda(:\d+)?$/.test(name))
    throw invalid('device', "'auto', 'cpu', 'cuda' or 'cuda:N'", name)
  const wanted = `cuda:${Number(name.slice('cuda:'.length) || 0)}` as const
  const devices = native().devices()
  if (devices.some((device) => device.name === wanted && device.available)) return wanted
  const same = devices.find((device) => device.name === wanted || device.name === 'cuda')
  throw new GemmineError(
    'ERR_GEMMINE_DEVICE_UNAVAILABLE',
    `The device ${name} is not available: ${same?.reason ?? 'there is no such device'}. Use cpu or auto`,
  )
}
