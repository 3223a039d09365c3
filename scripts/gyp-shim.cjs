#!/usr/bin/env node
// Stands in for node-gyp under prebuildify, which runs it as `rebuild --target=... --release` in its
// own folder and expects build/Release/*.node there.
const { execFileSync } = require('node:child_process')
const { join, resolve } = require('node:path')

const native = join(__dirname, 'native.cjs')
execFileSync(process.execPath, [native, 'build', '--into', resolve('build', 'Release')], {
  stdio: 'inherit',
})
