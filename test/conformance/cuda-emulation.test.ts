// The suites of factorizations on the CUDA backend, over an emulated GPU.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, vi } from 'vitest'
import { info } from '../../lib/info'

const emulated = fileURLToPath(
  new URL('../../build/cmake/emulation/gemmine_cuda_emulated.so', import.meta.url),
)
const isBuilt = existsSync(emulated)
// Each test file has a process of its own, which opens the backend after this.
if (isBuilt) process.env.GEMMINE_CUDA_BACKEND = emulated

vi.mock('../../lib/device', async (original) => {
  const real = await original<typeof import('../../lib/device')>()
  return {
    ...real,
    resolveDevice: (name: string) => real.resolveDevice(name === 'auto' ? 'cuda' : name),
  }
})

describe.skipIf(!isBuilt)('the emulated GPU', () => {
  it('is listed as a device', () => {
    expect(info().devices).toContainEqual({ name: 'cuda:0', available: true })
  })
})

if (isBuilt) await import('./factorization.test')
