// The conditions of a measurement beside the code.
import { spawnSync } from 'node:child_process'
import { cpus, loadavg, release, totalmem, type } from 'node:os'
import { info, type Info } from '../lib/index'

/** Variables that override OpenBLAS's choice of kernels and can halve every rate. */
const steering = ['OPENBLAS_CORETYPE', 'OPENBLAS_L2_SIZE']

/** The variable in which the restarted process finds the removed variables. */
const removedName = 'GEMMINE_BENCH_REMOVED'

/**
 * Restarts this bench without the variables that override OpenBLAS's kernels, if any are set, because the
 * addon and the rivals read them when they are loaded. Ends the process in that case.
 */
export function restartUnsteered() {
  const present = steering.filter((name) => process.env[name] !== undefined)
  if (present.length === 0) return
  const removed = present.map((name) => `${name}=${process.env[name]}`).join(' ')
  const env: NodeJS.ProcessEnv = { ...process.env, [removedName]: removed }
  for (const name of present) delete env[name]
  const { status } = spawnSync(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    env,
    stdio: 'inherit',
  })
  process.exit(status ?? 1)
}

export interface Machine {
  readonly gemmine: string
  readonly node: string
  readonly system: string
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly blas: Info['blas']
  /** Number format of the first scan of a search. */
  readonly scan: Info['cpu']['scan']
  readonly threads: number
  readonly threadsReason: string
  /** Variables that were set and are removed for this run. */
  readonly removed: string
  /** Load of the last minute before the bench; a value near 1 means other work on the machine. */
  readonly load: number
}

export function describeMachine(): Machine {
  const { version, node, cpu, blas, threads, threadsReason } = info()
  return {
    gemmine: version,
    node,
    system: `${type()} ${release()}`,
    cpu: cpu.model,
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    blas,
    scan: cpu.scan,
    threads,
    threadsReason,
    removed: process.env[removedName] ?? '',
    load: loadavg()[0]!,
  }
}

export function machineLines(machine: Machine): string[] {
  const { blas } = machine
  const environment = Object.entries(blas.env).map(([name, value]) => `${name}=${value}`)
  return [
    `machine: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}`,
    `gemmine ${machine.gemmine}, Node ${machine.node}, ${machine.threads} threads (${machine.threadsReason})`,
    `BLAS: ${blas.name} ${blas.version}, core ${blas.core}; searches begin in ${machine.scan}`,
    `OPENBLAS_*, OMP_*: ${environment.join(' ') || 'none set'}${machine.removed && ` (removed for this run: ${machine.removed})`}`,
    ...(machine.load > 0.5
      ? [`warning: a load of ${machine.load.toFixed(1)} before the bench began`]
      : []),
  ]
}
