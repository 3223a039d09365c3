// The suites of factorizations on the CUDA backend, over an emulated GPU.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { info } from '../../lib/info'
import { jobDefaults } from '../../lib/options'

const emulated = fileURLToPath(
  new URL('../../build/cmake/emulation/gemmine_cuda_emulated.so', import.meta.url),
)
const isBuilt = existsSync(emulated)
// Each test file has a process of its own, which opens the backend after this.
if (isBuilt) process.env.GEMMINE_CUDA_BACKEND = emulated

describe.skipIf(!isBuilt)('the emulated GPU', () => {
  it('is listed as a device', () => {
    expect(info().devices).toContainEqual({ name: 'cuda:0', available: true })
  })
})

if (isBuilt) {
  Object.assign(jobDefaults, { device: 'cuda' })
  await import('./factorization.test')
}
