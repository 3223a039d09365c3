// The data of package.json. The literal `require` makes a bundler copy the file into the bundle, so the
// version is that of this package.

interface Manifest {
  readonly name: string
  readonly version: string
  readonly engines: { readonly node: string }
}

// The path is the same from lib/ and from dist/. eslint-disable-next-line
// @typescript-eslint/no-require-imports
const manifest = require('../package.json') as Manifest

export const { name: packageName, version } = manifest

/** The oldest Node.js that this package runs on, as `20.17`. */
export const oldestNode = manifest.engines.node.replace(/^>=/, '')
