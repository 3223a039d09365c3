// The data of package.json. The literal `require` makes a bundler copy the file into the bundle, so the
// version is that of this package.

interface Manifest {
  readonly name: string
  readonly version: string
  readonly engines: { readonly node: string }
}

/* eslint-disable @typescript-eslint/no-require-imports */
function readManifest(): Manifest {
  // The path is the same from lib/ and from dist/.
  try {
    return require('../package.json') as Manifest
  } catch {
    // Node.js 20 under tsx: `require` in a module that ECMAScript code has imported cannot load JSON.
    const { createRequire } = require('node:module') as typeof import('node:module')
    return createRequire(__filename)('../package.json') as Manifest
  }
}
/* eslint-enable @typescript-eslint/no-require-imports */

const manifest = readManifest()

export const { name: packageName, version } = manifest

/** The oldest Node.js that this package runs on, as `20.17`. */
export const oldestNode = manifest.engines.node.replace(/^>=/, '')
