// Each house check must find a planted violation, and accept correct code beside it.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cppFunctions } from './cpp-functions.mjs'
import { includeViolations } from './includes.mjs'
import { machinePathViolations } from './machine-paths.mjs'
import { sizeViolations } from './sizes.mjs'

let house: string
beforeEach(() => void (house = mkdtempSync(join(tmpdir(), 'house-'))))
afterEach(() => rmSync(house, { recursive: true }))

function plant(files: Record<string, string>) {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(house, path)), { recursive: true })
    writeFileSync(join(house, path), text)
  }
  return house
}

describe('include direction in native', () => {
  it.each([
    ['native/core/a.cc', '#include "backend/scans.h"', 'core must not know backend'],
    ['native/mining/a.cc', '#include "factorization/fit.h"', 'mining must not know factorization'],
    [
      'native/factorization/a.h',
      '  #  include "mining/mine.h"',
      'factorization must not know mining',
    ],
    ['native/factorization/a.cc', '#include "backend/cpu/kernels.h"', 'must not know backend/cpu'],
    ['native/backend/a.h', '#include "backend/cpu/kernels.h"', 'backend must not know backend/cpu'],
    [
      'native/binding/a.cc',
      '#include "backend/cpu/kernels.h"',
      'binding must not know backend/cpu',
    ],
    ['native/mining/a.cc', '#include <napi.h>', 'only binding may include <napi.h>'],
    ['native/backend/a.cc', '#include <cblas.h>', 'only core may include <cblas.h>'],
    [
      'native/backend/cpu/kernels.inl',
      '#include <cuda_runtime.h>',
      'only backend/cuda may include',
    ],
    [
      'native/mining/a.cc',
      'CpuScans scans;',
      'only backend/registry.cc may name a concrete backend',
    ],
    ['native/extra/a.cc', '', 'in none of the folders'],
    ['native/mining/a.cc', 'X.block(0, 1, scratch);', 'only devices read the elements'],
    ['native/factorization/a.h', 'source->entry (0, 1)', 'only devices read the elements'],
    ['native/factorization/loop/a.cc', 'RowScratch scratch;', 'only devices read the elements'],
  ])('%s: %s', (path, text, complaint) => {
    expect(includeViolations(plant({ [path]: text }))).toEqual([expect.stringContaining(complaint)])
  })

  it('passes the registry, and every folder over those it may know', () => {
    const files = {
      'native/backend/registry.cc': '#include "backend/cpu/cpu_scans.h"\nCpuScans scans;',
      'native/mining/rows.cc': 'W.row_block(0, 1); found.indptr[3]; for_batches(1);',
      'native/backend/cpu/a.cc': '#include "backend/scans.h"\n#include "core/matrix.h"',
      'native/core/a.cc': '#include <cblas.h>',
      'native/binding/a.cc':
        '#include <napi.h>\n#include "mining/mine.h"\n#include "factorization/fit.h"',
    }
    expect(includeViolations(plant(files))).toEqual([])
  })
})

describe('import direction in lib', () => {
  const exported = 'export const x = 1'
  it.each([
    ['lib/errors.ts', 'data/npy', 'base must not know data'],
    ['lib/data/a.ts', '../mining/mine', 'data must not know mining'],
    ['lib/mining/a.ts', '../factorization/nmf', 'mining must not know factorization'],
    ['lib/factorization/a.ts', '../index', 'factorization must not know index'],
    ['lib/factorization/a.ts', '../concepts/a', 'factorization must not know concepts'],
    ['lib/mining/a.ts', '../concepts/a', 'mining must not know concepts'],
    ['lib/concepts/a.ts', '../index', 'concepts must not know index'],
    ['lib/index.ts', './cli/main', 'index must not know cli'],
    ['lib/mining/a.ts', '../cli/main', 'mining must not know cli'],
  ])('%s importing %s', (path, target, complaint) => {
    const imported = join(dirname(path), `${target}.ts`)
    const root = plant({ [path]: `import {\n  x,\n} from './${target}'`, [imported]: exported })
    expect(includeViolations(root)).toEqual([expect.stringContaining(complaint)])
  })

  it('finds a cycle, also through a re-export', () => {
    const root = plant({
      'lib/a.ts': "import { b } from './b'",
      'lib/b.ts': "export * from './c.js'",
      'lib/c.ts': "import './a'",
    })
    expect(includeViolations(root)).toEqual([
      'lib/a.ts: imports itself through lib/b.ts -> lib/c.ts -> lib/a.ts',
    ])
  })

  it('passes what the design draws, and types of data at the border', () => {
    const root = plant({
      'lib/index.ts': "export * from './mining/mine'\nexport * from './concepts/a'",
      'lib/concepts/a.ts': "import { x } from '../mining/mine'\nimport { y } from '../native'",
      'lib/mining/mine.ts': "import { x } from '../data/matrix'\nimport { y } from '../native'",
      'lib/data/matrix.ts': `import { z } from '../errors'\n${exported}`,
      'lib/native.ts': "import type { x } from './data/matrix'",
      'lib/errors.ts': exported,
      'lib/cli/main.ts': "import { x } from '../mining/mine'\nimport '../index'",
    })
    expect(includeViolations(root)).toEqual([])
  })
})

const lines = (count: number) => '  x = 1;\n'.repeat(count)

describe('sizes', () => {
  it('counts the lines of a file', () => {
    const root = plant({ 'lib/a.ts': '\n'.repeat(401), 'native/core/b.h': '\n'.repeat(400) })
    expect(sizeViolations(root)).toEqual(['lib/a.ts: 401 lines, more than 400'])
  })

  it('counts the lines of functions, methods and arrows', () => {
    const root = plant({
      'lib/a.ts': `function long() {\n${lines(58)}}\nfunction short() {\n${lines(57)}}\n`,
      'lib/b.ts': `class C {\n  m() {\n${lines(58)}  }\n}\nconst arrow = () => {\n${lines(58)}}\n`,
      'test/suite.ts': `export function backendSuite(device) {\n${lines(70)}}\n`,
      'test/a.test.ts': `describe('a', () => {\n  it('b', () => {\n${lines(50)}})\n${lines(20)}})\n`,
    })
    expect(sizeViolations(root)).toEqual([
      'lib/a.ts:1: long has 60 lines, more than 59',
      'lib/b.ts:2: m has 60 lines, more than 59',
      'lib/b.ts:63: arrow has 60 lines, more than 59',
    ])
  })

  it('counts the lines of C++ functions, and lets a kernel be long for a reason', () => {
    const kernel = `void scan(int n) {\n${lines(70)}}\n`
    const root = plant({
      'native/core/a.cc': `namespace n {\nint f(int a = {})\n    requires(true)\n{\n${lines(56)}}\n}\n`,
      'native/core/b.cc': `namespace n {\nstruct S {\n${lines(70)}};\n}\n`,
      'native/backend/cpu/kernels.inl': `// Long: one pass over the tile.\n${kernel}`,
      'native/backend/cpu/c.cc': kernel,
    })
    expect(sizeViolations(root)).toEqual([
      'native/backend/cpu/c.cc:1: scan has 72 lines, more than 59',
      'native/core/a.cc:2: f has 60 lines, more than 59',
    ])
  })

  it('is not misled by braces in values, literals and comments', () => {
    const text = `S::S() : x_{3}, y_{"}"} {\n  // }\n  char c = '{';\n  int n = 1'000;\n  f(T{1});\n}\nint g() {\n}\n`
    expect(cppFunctions(text).map(({ line, lines }) => [line, lines])).toEqual([
      [1, 6],
      [7, 2],
    ])
  })
})

describe('paths of a machine', () => {
  const inRepository = (files: Record<string, string>) => {
    execFileSync('git', ['init', '--quiet', plant(files)])
    return machinePathViolations(house)
  }
  const absolute = (...parts: string[]) => ['', ...parts].join('/')

  it.each([
    absolute('work', 'main'),
    absolute('tmp', 'x'),
    absolute('home', 'me', 'x'),
    absolute('root', '.npmrc'),
  ])('finds %s', (path) => {
    expect(inRepository({ 'a.md': `ok\nsee "${path}"\n` })).toEqual([
      expect.stringContaining('a.md:2: names'),
    ])
  })

  it('finds the host of a package registry', () => {
    const host = ['registry', 'npmjs', 'org'].join('.')
    expect(inRepository({ 'package-lock.json': `https://${host}/x` })).toHaveLength(1)
  })

  it('passes relative paths, system folders and the paths of a URL', () => {
    const text = 'lib/work/x ../tmp/x /usr/lib/x https://example.org/home/x'
    expect(inRepository({ 'a.md': text })).toEqual([])
  })
})

it.each(['includes', 'sizes', 'machine-paths'])(
  '%s.mjs ends with exit code 1 on a violation',
  (check) => {
    plant({
      'lib/errors.ts': `import './data/npy' // ${['', 'work', 'x'].join('/')}\n${'\n'.repeat(400)}`,
      'lib/data/npy.ts': '',
    })
    execFileSync('git', ['init', '--quiet', house])
    const { status, stderr } = spawnSync(
      process.execPath,
      [join(__dirname, `${check}.mjs`), house],
      { encoding: 'utf8' },
    )
    expect(stderr).toContain('lib/errors.ts')
    expect(status).toBe(1)
  },
)
