// Gives dist/ its ECMAScript face: one CommonJS implementation behind both, so a class has one identity.
const { writeFileSync } = require('node:fs')
const { join } = require('node:path')

const dist = join(__dirname, '..', 'dist')
const names = Object.keys(require(join(dist, 'index.js')))
writeFileSync(
  join(dist, 'index.mjs'),
  `import gemmine from './index.js'\nexport const { ${names.join(', ')} } = gemmine\n`,
)
writeFileSync(join(dist, 'index.d.mts'), `export * from './index.js'\n`)
