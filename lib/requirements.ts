// Loaded before every other module. It fails with a sentence about the missing requirement; the other modules
// would fail with the name of a function that Node.js lacks.
import { bundledMessage } from './bundled'
import { GemmineError, type GemmineErrorCode } from './errors'
import { oldestNode } from './version'

const unmet = (code: GemmineErrorCode, sentence: string, cause?: unknown) =>
  new GemmineError(code, sentence, { cause })

/** Whether one version is older than another, both as `20.17.0`; missing parts count as 0. */
function isOlder(version: string, than: string): boolean {
  const [left, right] = [version, than].map((text) => text.split('.').map(Number))
  const at = right!.findIndex((part, i) => part !== (left![i] ?? 0))
  return at !== -1 && (left![at] ?? 0) < right![at]!
}

/** Bun and Deno also report a version of Node.js, but may have functions that this version lacks. */
const isNode = (versions: NodeJS.ProcessVersions) => !versions['bun'] && !versions['deno']

function checkNode({ versions } = process) {
  if (!isNode(versions) || !isOlder(versions.node, oldestNode)) return
  const sentence = `gemmine needs Node.js ${oldestNode} or later, and this is Node.js ${versions.node}`
  throw unmet('ERR_GEMMINE_NODE_VERSION', sentence)
}

/** A bundle of ECMAScript modules may have no `require`, even for modules of Node.js. */
function checkRequire() {
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    require('node:path')
  } catch (cause) {
    throw unmet('ERR_GEMMINE_NATIVE_LOAD', bundledMessage, cause)
  }
}

checkNode()
checkRequire()
