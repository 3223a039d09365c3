import { GemmineError, invalid } from './errors'

/** The devices of native/backend/registry.cc; a test compares the two lists. */
export const deviceKinds = ['cpu'] as const

/** `auto` takes the best device present; a device requested by name must exist. */
export type DeviceName = 'auto' | 'cpu' | 'cuda' | `cuda:${number}`

/**
 * Resolves a device name to the one that a job runs on.
 *
 * @throws {TypeError} if `name` is no device name.
 * @throws {GemmineError} `ERR_GEMMINE_DEVICE_UNAVAILABLE` if a named device is absent.
 */
export function resolveDevice(name: string): 'cpu' {
  if (name === 'auto' || name === 'cpu') return 'cpu'
  if (typeof name !== 'string' || !/^cuda(:\d+)?$/.test(name))
    throw invalid('device', "'auto', 'cpu', 'cuda' or 'cuda:N'", name)
  throw new GemmineError(
    'ERR_GEMMINE_DEVICE_UNAVAILABLE',
    `The device ${name} is not available: ${cudaAbsence}. Use cpu or auto`,
  )
}

/** Why no CUDA device can be used. */
export const cudaAbsence = 'this version of gemmine has no CUDA backend'
