// Reads the machine code of gemmine_cuda.so: canonical sums have no fused multiply-add, no kernel uses local
// memory, and each architecture has code. Products of tensor cores are cuBLAS's, whose code is elsewhere.
// Needs cuobjdump and nvdisasm on PATH (the wheels nvidia-cuda-cuobjdump and nvidia-cuda-nvdisasm have them).
// Usage: node scripts/check-sass.mjs path/to/gemmine_cuda.so
import { spawnSync } from 'node:child_process'

const architectures = ['sm_80', 'sm_90', 'sm_100', 'sm_120']
const [library] = process.argv.slice(2)
const dumped = spawnSync('cuobjdump', ['-sass', library], { encoding: 'utf8', maxBuffer: 1 << 30 })
if (dumped.error) {
  console.log('skipped: cuobjdump is not on PATH')
  process.exit(0)
}

/** Instructions of each kernel on each architecture. */
const kernels = []
let architecture
for (const line of dumped.stdout.split('\n')) {
  architecture = /arch = (sm_\d+)/.exec(line)?.[1] ?? architecture
  const name = /Function : (\S+)/.exec(line)?.[1]
  if (name) kernels.push({ name, architecture, instructions: [] })
  const instruction = /^\s+\/\*[0-9a-f]{4,}\*\/\s+(?:@!?\w+\s+)?([A-Z0-9]+)/.exec(line)?.[1]
  if (instruction) kernels.at(-1)?.instructions.push(instruction)
}

const faults = []
for (const each of architectures) {
  const sums = kernels.filter(
    ({ name, architecture: of }) => of === each && /canonical_(?:sums|squares)/.test(name),
  )
  if (sums.length !== 2)
    faults.push(`${each}: ${sums.length} kernels of canonical sums, expected 2`)
  for (const { name, instructions } of sums) {
    if (instructions.includes('DFMA')) faults.push(`${each}: ${name} has a fused multiply-add`)
    if (!instructions.includes('DMUL') || !instructions.includes('DADD'))
      faults.push(`${each}: ${name} has no products and sums in float64`)
  }
}
for (const { name, architecture: of, instructions } of kernels)
  if (instructions.some((each) => each === 'STL' || each === 'LDL'))
    faults.push(`${of}: ${name} uses local memory`)
for (const fault of faults) console.error(fault)
console.log(`${kernels.length} kernels read, ${faults.length} faults`)
process.exitCode = faults.length > 0 || kernels.length === 0 ? 1 : 0
