// The suites that `npm test` runs after the set-up.
import { runSuites } from './steps.mjs'

const node = process.execPath
const bin = (name) => `node_modules/${name}`

runSuites([
  { name: 'include and import direction', program: node, args: ['test/house/includes.mjs'] },
  { name: 'sizes of files and functions', program: node, args: ['test/house/sizes.mjs'] },
  { name: 'no paths of a machine', program: node, args: ['test/house/machine-paths.mjs'] },
  { name: 'format', program: node, args: ['scripts/format.mjs', '--check'] },
  {
    name: 'types',
    program: node,
    args: [bin('typescript/bin/tsc'), '-p', 'tsconfig.test.json', '--noEmit'],
  },
  { name: 'vitest', program: node, args: [bin('vitest/vitest.mjs'), 'run'] },
  {
    name: 'native',
    program: 'ctest',
    args: ['--test-dir', 'build/cmake', '--output-on-failure', '--no-tests=error'],
  },
])
