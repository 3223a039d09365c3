import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { runNode } from '../hazards/child'

const pathOf = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))
const preloaded = pathOf('../hazards/programs/signal-while-loading.cjs')

it.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
])('a command that gets %s while its modules are loaded says so', async (signal, exitCode) => {
  const args = ['--require', preloaded, pathOf('../../dist/cli/main.js'), 'info']
  const { code, stdout, stderr } = await runNode(args, { env: { EARLY_SIGNAL: signal } })
  expect([code, stdout, stderr]).toEqual([
    exitCode,
    '',
    `gemmine: stopped by ${signal}; nothing was written\n`,
  ])
})
