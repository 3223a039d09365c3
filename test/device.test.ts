import { describe, expect, it } from 'vitest'
import { resolveDevice } from '../lib/device'
import { GemmineError } from '../lib/errors'
import { semiNmf } from '../lib/factorization/semi-nmf'
import { info } from '../lib/info'
import { gaussian } from './matrices'

const hasGpu = info().devices.some(({ name, available }) => name.startsWith('cuda:') && available)

describe('device names', () => {
  it('of CUDA devices have a number', () => {
    for (const name of ['cuda:', 'cuda:-1', 'cuda:1.5', 'CUDA', 'gpu'])
      expect(() => resolveDevice(name)).toThrow("'auto', 'cpu', 'cuda' or 'cuda:N' for device")
  })

  it.runIf(hasGpu)('of the first GPU may leave it out', () => {
    expect(resolveDevice('cuda')).toBe('cuda:0')
  })
})

describe.skipIf(hasGpu)('without a GPU', () => {
  it('a job on one is refused, and names the backend, the driver and where cuBLAS was looked for', async () => {
    const refused = semiNmf(gaussian(20, 5, 1), { rank: 2, device: 'cuda' })
    const failure: unknown = await refused.catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(GemmineError)
    const { code, message } = failure as GemmineError
    expect(code).toBe('ERR_GEMMINE_DEVICE_UNAVAILABLE')
    expect(message).toMatch(/^The device cuda is not available: .*backend: .*gemmine_cuda\.so/)
    expect(message).toMatch(/Use cpu or auto$/)
    if (!message.includes('could not be opened'))
      expect(message).toMatch(/driver: .*cuBLAS.*libcublas\.so\.13/)
  })

  it('auto is the CPU', () => {
    expect(resolveDevice('auto')).toBe('cpu')
    const listed = info().devices.find(({ name }) => name === 'cuda')
    expect(listed).toMatchObject({ available: false })
    expect(listed?.reason).toContain('backend: ')
  })
})
