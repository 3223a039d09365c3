// Runs bench/*.bench.ts one after the other; arguments select those whose name contains one of them.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root, runSuites } from './steps.mjs'

const wanted = process.argv.slice(2)
const selected = readdirSync(join(root, 'bench'))
  .filter((file) => file.endsWith('.bench.ts'))
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .sort()

// All rivals and gemmine select their kernels for this CPU.
delete process.env.OPENBLAS_CORETYPE
runSuites(
  selected.map((file) => ({
    name: file.replace('.bench.ts', ''),
    program: process.execPath,
    args: ['node_modules/tsx/dist/cli.mjs', join('bench', file)],
  })),
)
