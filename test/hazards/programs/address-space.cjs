// Prints the address space in KiB that Node.js, the addon and its threads take before the first product.
const { readFileSync } = require('node:fs')
const { load, prepare, source } = require('./jobs.cjs')

prepare(load(), source('corpus', 1000, 16)).then(() =>
  console.log(/VmPeak:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]),
)
