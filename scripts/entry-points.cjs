// Completes dist/ after tsc: modules are loaded when one of their exports is used, and index.mjs has the same
// exports for ECMAScript modules: one CommonJS implementation behind both, so a class has one identity.
const { readFileSync, writeFileSync } = require('node:fs')
const { join } = require('node:path')

const dist = join(__dirname, '..', 'dist')

/** Moves each `var x_1 = require("./x")` of a file of exports into the getters of these exports. */
function loadWhenUsed(file) {
  const requires = /^var (\w+) = (require\("[^"]+"\));$/gm
  const text = readFileSync(file, 'utf8')
  const paths = new Map([...text.matchAll(requires)].map(([, name, call]) => [name, call]))
  if (paths.size === 0)
    throw new Error(`expected exports with getters, as tsc writes them, in ${file}`)
  const lazy = text
    .replace(requires, 'var $1;')
    .replace(/return (\w+)\.(\w+);/g, (all, module, name) =>
      paths.has(module) ? `return (${module} ??= ${paths.get(module)}).${name};` : all,
    )
  writeFileSync(file, lazy)
}

for (const file of ['index.js', 'mining/index.js']) loadWhenUsed(join(dist, file))

const names = Object.keys(require(join(dist, 'index.js')))
writeFileSync(
  join(dist, 'index.mjs'),
  `import gemmine from './index.js'\nexport const { ${names.join(', ')} } = gemmine\n`,
)
writeFileSync(join(dist, 'index.d.mts'), `export * from './index.js'\n`)
