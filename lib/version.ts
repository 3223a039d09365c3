// What package.json says of this package. The literal `require` makes a bundler copy the file into the
// bundle, so the version stays ours there.

interface Manifest {
  readonly name: string
  readonly version: string
  readonly engines: { readonly node: string }
}

// From lib/ and from dist/ alike it lies one folder above.
// eslint-disable-next-line @typescript-eslint/no-require-imports
const manifest = require('../package.json') as Manifest

export const { name: packageName, version } = manifest

/** The oldest Node.js that this package runs on, as `20.17`. */
export const oldestNode = manifest.engines.node.replace(/^>=/, '')
