import { native, type NativeInfo } from './native'
import { cudaAbsence } from './device'
import { version } from './version'

export interface Info {
  /** The version of this package. */
  readonly version: string
  /** The version of Node.js. */
  readonly node: string
  readonly cpu: NativeInfo['cpu']
  /** The linear algebra library and the kernels that it chose for this CPU. */
  readonly blas: NativeInfo['blas'] & {
    /** The OPENBLAS_* and OMP_* variables that the process saw. */
    readonly env: Readonly<Record<string, string>>
  }
  /** Compute threads that a job may use, and why that many. */
  readonly threads: number
  readonly threadsReason: string
  /** What a job can run on, with the reason for each device that is absent. */
  readonly devices: NativeInfo['devices']
}

const steering = /^(OPENBLAS|OMP|GOTO)_/

const environment = () =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => steering.test(name))) as Record<
    string,
    string
  >

/**
 * What this installation is and can do here.
 *
 * @throws {GemmineError} `ERR_GEMMINE_NATIVE_LOAD` if the compiled part is missing.
 *
 * @example
 * console.log(info().blas.core)
 */
export function info(): Info {
  const { cpu, blas, threads, threadsReason, devices } = native().info()
  return {
    version,
    node: process.version,
    cpu,
    blas: { ...blas, env: environment() },
    threads,
    threadsReason,
    devices: [...devices, { name: 'cuda', available: false, reason: cudaAbsence }],
  }
}
