// Which files of the package are read, and when: counted, because times depend on the machine.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = join(root, 'dist')

/** What a program prints as JSON; `gemmine` is the path of the package. */
function printed<Value>(program: string): Value {
  if (!existsSync(dist)) throw new Error('expected dist; npm run build makes it')
  const code = `const gemmine = ${JSON.stringify(root)}; ${program}`
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', code], { encoding: 'utf8' })
  expect(stderr).toBe('')
  return JSON.parse(stdout) as Value
}

/** The files of dist that this statement loads. */
const loadedBy = (statement: string) =>
  printed<string[]>(
    `${statement}; console.log(JSON.stringify(Object.keys(require.cache)))`,
  ).flatMap((path) => (path.startsWith(dist) ? [path.slice(dist.length + 1)] : []))

describe('the package loads', () => {
  it('only its list of exports at first', () => {
    expect(loadedBy('require(gemmine)').sort()).toEqual([
      'bundled.js',
      'errors.js',
      'index.js',
      'mining/index.js',
      'requirements.js',
      'version.js',
    ])
  })

  it('neither formats nor factorizations for a search', () => {
    const files = loadedBy('const { prepareCorpus, topK } = require(gemmine)')
    expect(files.filter((file) => !/^[^/]+$|^(data|mining)\//.test(file))).toEqual([])
    expect(files.filter((file) => /parquet|np[yz]|zip|safetensors|market/.test(file))).toEqual([])
    expect(files.length).toBeLessThanOrEqual(48)
  })

  it('neither mining nor topics for a factorization', () => {
    const files = loadedBy('const { nmf } = require(gemmine)')
    expect(files.filter((file) => /^(cli|concepts|mining\/(?!index)|topics)/.test(file))).toEqual(
      [],
    )
  })

  it('whatever is used first: no module needs that another one was loaded before', () => {
    const faults = printed<string[]>(`
      const faults = []
      const { sep } = require('node:path')
      const forget = () => {
        for (const path of Object.keys(require.cache))
          if (path.startsWith(${JSON.stringify(dist)} + sep)) delete require.cache[path]
      }
      const all = Object.getOwnPropertyDescriptors(require(gemmine))
      const seen = new Set()
      for (const [name, { get }] of Object.entries(all)) {
        const path = /"(.+)"/.exec(get)?.[1]
        if (!path || seen.has(path)) continue
        seen.add(path)
        forget()
        try { if (require(gemmine)[name] === undefined) faults.push(name) }
        catch (error) { faults.push(name + ': ' + error.message) }
      }
      if (seen.size < 50) faults.push('few modules: ' + [...seen])
      console.log(JSON.stringify(faults))`)
    expect(faults).toEqual([])
  })

  it('the same values for import and for require', () => {
    const different = printed<string[]>(`
      const all = require(gemmine)
      import(gemmine + '/dist/index.mjs').then((names) => {
        const asked = new Set([...Object.keys(all), ...Object.keys(names)])
        console.log(JSON.stringify([...asked].filter((name) => all[name] !== names[name])))
      })`)
    expect(different).toEqual([])
  })
})
