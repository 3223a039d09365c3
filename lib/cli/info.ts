// gemmine info: describes this installation and this machine.
import { Command } from 'commander'
import { info, type Info } from '../info'
import { flagOption, helpOption } from './common-options'

/** The fields that other programs rely on. */
const published = ({ version, node, cpu, blas, threads, threadsReason, devices }: Info) => ({
  version,
  node,
  cpu: { model: cpu.model, features: cpu.features },
  blas: { name: blas.name, version: blas.version, core: blas.core },
  threads,
  threadsReason,
  devices,
})

function* linesOf({ version, node, cpu, blas, threads, threadsReason, devices }: Info) {
  yield `gemmine   ${version}, Node.js ${node}`
  yield `CPU       ${cpu.model} (${cpu.features.join(' ')}); searches begin in ${cpu.scan}`
  yield `BLAS      ${blas.name} ${blas.version}, kernels for ${blas.core}`
  for (const [name, value] of Object.entries(blas.env)) yield `          ${name}=${value}`
  yield `threads   ${threads}: ${threadsReason}`
  for (const { name, available, reason } of devices)
    yield `device    ${name}: ${available ? 'available' : `not available: ${reason}`}`
}

function show({ json }: { json?: boolean }) {
  const found = info()
  const text = json ? JSON.stringify(published(found), null, 2) : [...linesOf(found)].join('\n')
  process.stdout.write(`${text}\n`)
}

export const infoCommand = (): Command =>
  new Command('info')
    .summary('tell version, CPU, BLAS, threads and devices')
    .description('Tell what this installation is and what it can use here.')
    .addOption(flagOption('--json', 'the same as one JSON object'))
    .addHelpOption(helpOption())
    .addHelpText('after', '\nExample:\n  $ gemmine info --json\n')
    .action(show)
