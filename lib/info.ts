import { native, type NativeInfo } from './native'
import { version } from './version'

export interface Info {
  /** The version of this package. */
  readonly version: string
  /** The version of Node.js. */
  readonly node: string
  readonly cpu: NativeInfo['cpu']
  /** The linear algebra library and its kernels for this CPU. */
  readonly blas: NativeInfo['blas'] & {
    /** The OPENBLAS_* and OMP_* variables of the process. */
    readonly env: Readonly<Record<string, string>>
  }
  /** Compute threads that a job may use, and the reason for this number. */
  readonly threads: number
  readonly threadsReason: string
  /**
   * The devices: `cpu`, and `cuda:0` … for each GPU, or `cuda` with the reason why there is none. `auto` takes
   * the CPU, because the CUDA backend has not been measured on a GPU yet.
   */
  readonly devices: NativeInfo['devices']
}

const steering = /^(OPENBLAS|OMP|GOTO)_/

const environment = () =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => steering.test(name))) as Record<
    string,
    string
  >

/**
 * Describes this installation and this machine.
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
    devices,
  }
}
