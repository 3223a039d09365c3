// Formats TypeScript and JavaScript with prettier, C++ with clang-format; with --check it only lists the
// files that are not formatted.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { filesUnder } from '../test/house/files.mjs'
import { root } from './steps.mjs'

const check = process.argv.includes('--check')

const folders = ['lib', 'native', 'test', 'bench', 'examples', 'scripts']
const files = (pattern) => [
  ...readdirSync(root).filter((name) => pattern.test(name)),
  ...folders.flatMap((folder) => filesUnder(root, folder, pattern)),
]

function format(program, args, paths) {
  const { status } = spawnSync(process.execPath, [`node_modules/${program}`, ...args, ...paths], {
    cwd: root,
    stdio: 'inherit',
  })
  if (status !== 0) process.exitCode = 1
}

format(
  'prettier/bin/prettier.cjs',
  [check ? '--check' : '--write', '--log-level', 'warn'],
  files(/^package\.json$|\.(ts|mjs|cjs|js)$/),
)
format(
  'clang-format-node/build/cli.js',
  check ? ['--dry-run', '--Werror'] : ['-i'],
  files(/\.(h|cc|inl|c|cu|cuh)$/),
)
