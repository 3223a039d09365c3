// Formats TypeScript and JavaScript with prettier, C++ with clang-format where that is installed.
import { execFileSync, spawnSync } from 'node:child_process'
import { root } from './steps.mjs'

const files = (...patterns) =>
  execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', ...patterns], {
    cwd: root,
    encoding: 'utf8',
  })
    .trim()
    .split('\n')
    .filter(Boolean)

function format(program, args) {
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: 'inherit' })
  if (error) console.error(`${program} is not installed: its files were left as they are`)
  else if (status !== 0) process.exitCode = 1
}

const scripts = files('*.ts', '*.mjs', '*.cjs', '*.js', 'package.json')
const sources = files('native/*.h', 'native/*.cc', 'native/*.inl', 'native/*.c', 'test/native/*')
format(process.execPath, [
  'node_modules/prettier/bin/prettier.cjs',
  '--write',
  '--log-level',
  'warn',
  ...scripts,
])
if (sources.length > 0) format('clang-format', ['-i', ...sources])
