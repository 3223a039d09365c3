// Fails if a file includes or imports against the allowed direction: binding -> factorization, mining ->
// backend -> core in native; cli -> index -> topics -> concepts -> factorization, mining -> data -> the rest in lib.
import { posix } from 'node:path'
import { filesUnder, runAsProgram, textOf } from './files.mjs'

const mayInclude = {
  core: [],
  backend: ['core'],
  'backend/proof': ['core', 'backend'],
  'backend/cpu': ['core', 'backend', 'backend/proof'],
  'backend/cuda': ['core', 'backend', 'backend/proof'],
  factorization: ['core', 'backend'],
  mining: ['core', 'backend'],
  binding: ['core', 'backend', 'factorization', 'mining'],
}
// The deepest folder first, so that backend/cpu/ does not match backend/.
const folders = Object.keys(mayInclude).sort((a, b) => b.length - a.length)
const folderOf = (path) => folders.find((folder) => path.startsWith(`${folder}/`))

/** System headers that only one folder may include. */
const reserved = [
  { header: /^(napi|node_api|js_native_api|uv)\b/, only: 'binding' },
  { header: /^(cblas|lapacke?|f77blas|openblas_config)\b/, only: 'core' },
  { header: /^(cuda|cublas|curand|cusolver|nccl)/, only: 'backend/cuda' },
]

/** The only file that may include concrete backends. */
const registry = 'backend/registry.cc'

function includeViolation(file, header) {
  const from = folderOf(file)
  const rule = reserved.find((candidate) => candidate.header.test(header))
  if (rule) return rule.only === from ? undefined : `only ${rule.only} may include <${header}>`
  const to = folderOf(header)
  if (to === undefined || to === from || file === registry) return
  return mayInclude[from].includes(to) ? undefined : `${from} must not know ${to} (${header})`
}

/** Code that gets rows from a device alone, which may hold them in memory that the host cannot read. */
const aboveSeams = ['factorization', 'mining']
const readsElements = /(?:\.|->)(?:block|entry|indptr)\s*\(|\bRow(?:Block|Scratch)\b/

const concreteBackend = /\b(?:Cpu|Cuda)(?:Passes|Scans)\b/

function nativeViolations(root) {
  return filesUnder(root, 'native', /\.(h|cc|cu|cuh|inl)$/).flatMap((path) => {
    const file = path.slice('native/'.length)
    if (!folderOf(file))
      return [`${path}: in none of the folders ${Object.keys(mayInclude).join(', ')}`]
    const text = textOf(root, path)
    const found = [...text.matchAll(/^\s*#\s*include\s*["<]([^">]+)[">]/gm)]
      .map(([, header]) => includeViolation(file, header))
      .filter(Boolean)
    const aloof = file !== registry && !/^backend\/(cpu|cuda)\//.test(file)
    if (aloof && concreteBackend.test(text))
      found.push(`only ${registry} may name a concrete backend`)
    if (aboveSeams.includes(folderOf(file)) && readsElements.test(text))
      found.push(
        'only devices read the elements of a RowSource: ask an operation of Passes or Scans',
      )
    return found.map((violation) => `${path}: ${violation}`)
  })
}

/** The parts of lib/, each with the parts that it may import; base is every other file at the top level. */
const mayImport = {
  base: [],
  data: ['base'],
  factorization: ['base', 'data'],
  mining: ['base', 'data'],
  concepts: ['base', 'data', 'factorization', 'mining'],
  topics: ['base', 'data', 'factorization', 'concepts'],
  index: ['base', 'data', 'factorization', 'mining', 'concepts', 'topics'],
  cli: ['base', 'data', 'factorization', 'mining', 'concepts', 'topics', 'index'],
}

function partOf(path) {
  const [, first, ...rest] = path.split('/')
  if (rest.length > 0) return first
  return first === 'index.ts' ? 'index' : 'base'
}

const importStatement = /^(?:import|export)\s+(type\s)?(?:[^'"]*?\sfrom\s+)?['"]([^'"]+)['"]/gm

/** [imported file, erased]: a type import is erased, so it is no dependency at run time. */
function importsOf(root, path, files) {
  return [...textOf(root, path).matchAll(importStatement)]
    .filter(([, , target]) => target.startsWith('.'))
    .map(([, type, target]) => {
      const base = posix.join(posix.dirname(path), target).replace(/\.(js|ts)$/, '')
      return [[`${base}.ts`, `${base}/index.ts`].find((file) => files.has(file)), Boolean(type)]
    })
    .filter(([file]) => file !== undefined)
}

/** The first cycle of imports, as a path that ends at its start. */
function findCycle(graph) {
  const done = new Set()
  const walk = (node, trail) => {
    if (trail.includes(node)) return [...trail.slice(trail.indexOf(node)), node]
    if (done.has(node)) return
    for (const next of graph.get(node)) {
      const cycle = walk(next, [...trail, node])
      if (cycle) return cycle
    }
    done.add(node)
  }
  for (const node of graph.keys()) {
    const cycle = walk(node, [])
    if (cycle) return cycle
  }
}

function libViolations(root) {
  const files = new Set(filesUnder(root, 'lib', /\.ts$/))
  const graph = new Map([...files].map((file) => [file, importsOf(root, file, files)]))
  const violations = []
  for (const [file, imports] of graph) {
    const from = partOf(file)
    if (!mayImport[from])
      violations.push(`${file}: in none of the folders ${Object.keys(mayImport).join(', ')}`)
    for (const [target, erased] of imports) {
      const to = partOf(target)
      const typesOfData = erased && from === 'base' && to === 'data'
      if (mayImport[from] && from !== to && !mayImport[from].includes(to) && !typesOfData)
        violations.push(`${file}: ${from} must not know ${to} (${target})`)
    }
  }
  const used = (imports) => imports.filter(([, erased]) => !erased).map(([target]) => target)
  const cycle = findCycle(new Map([...graph].map(([file, imports]) => [file, used(imports)])))
  if (cycle) violations.push(`${cycle[0]}: imports itself through ${cycle.slice(1).join(' -> ')}`)
  return violations
}

export const includeViolations = (root) => [...nativeViolations(root), ...libViolations(root)]

runAsProgram(import.meta.url, includeViolations)
