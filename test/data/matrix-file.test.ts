// A `.npy` file read during jobs, and its descriptor.
import { describe, expect, it, vi } from 'vitest'
import type { DenseMatrix, MatrixFile } from '../../lib/data/matrix'
import { closeMatrix, formatNpy, loadNpy, openNpy, readNpy } from '../../lib/data/npy'
import { prepareCorpus } from '../../lib/mining/prepare-corpus'
import { topK } from '../../lib/mining/top-k'
import { errorOf, temporaryFolder } from './files'

const { availableMemory } = vi.hoisted(() => ({ availableMemory: vi.fn(() => 2 ** 40) }))
vi.mock('../../lib/memory', async (original) => ({ ...(await original()), availableMemory }))

const folder = temporaryFolder()
const values = Float32Array.of(1, -2.5, 3e-30, 4, 5, 6)
const content = Buffer.concat(formatNpy({ data: values, shape: [3, 2] }))
const path = folder.write('X.npy', content)

describe('a .npy file larger than the limit', () => {
  it('stays open and is closed once', async () => {
    const inMemory = (await loadNpy(path, { limit: 24 })) as DenseMatrix
    expect(inMemory.data).toEqual(values)
    const file = (await loadNpy(path, { limit: 23 })) as MatrixFile
    const { descriptor } = file
    expect(file).toEqual({ path, descriptor, offset: 128, rows: 3, cols: 2, type: 'float32' })
    await closeMatrix(file)
    await closeMatrix(inMemory)
  })

  it('stays open where it would take more than a quarter of the memory that is available', async () => {
    availableMemory.mockReturnValueOnce(4 * 24)
    expect(await loadNpy(path)).toHaveProperty('data')
    availableMemory.mockReturnValueOnce(4 * 24 - 1)
    const file = (await loadNpy(path)) as MatrixFile
    expect(file).toHaveProperty('descriptor')
    await closeMatrix(file)
  })

  it('is never mistaken for the file that got its descriptor', async () => {
    const closed = await openNpy(path)
    const copy = { ...closed, rows: 2 }
    await closeMatrix(closed)
    const open = await openNpy(folder.write('other.npy', content))
    for (const stale of [closed, copy]) {
      expect(await errorOf(() => topK(stale, stale, { k: 1 }))).toMatchObject({
        code: 'ERR_GEMMINE_DISPOSED',
        message: `${path}: this file was closed; open it again to read it`,
      })
      await closeMatrix(stale)
    }
    expect((await topK(open, open, { k: 1 })).queries).toBe(3)
    await closeMatrix(open)
  })

  it('is still read by a corpus that was prepared, and by a job that runs, once it is closed', async () => {
    const file = await openNpy(path)
    const corpus = await prepareCorpus(file)
    const running = topK(file, corpus, { k: 1 })
    await closeMatrix(file)
    const zeros = Buffer.concat(formatNpy({ data: new Float32Array(6), shape: [3, 2] }))
    const other = await openNpy(folder.write('zeros.npy', zeros)) // takes the number of the closed one
    const itself = Int32Array.of(0, 1, 2)
    expect((await running).indices).toEqual(itself)
    const memory = { data: values, rows: 3, cols: 2 }
    expect((await topK(memory, corpus, { k: 1 })).indices).toEqual(itself)
    corpus.dispose()
    await closeMatrix(other)
  })

  it('that changes is named by a corpus that verifies it', async () => {
    const changing = folder.write('changing.npy', content)
    const file = await openNpy(changing)
    using corpus = await prepareCorpus(file, { verify: true })
    const memory = { data: values, rows: 3, cols: 2 }
    await topK(memory, corpus, { k: 1 })
    const other = Float32Array.from(values, (value, i) => (i === 5 ? value + 1 : value))
    folder.write('changing.npy', Buffer.concat(formatNpy({ data: other, shape: [3, 2] })))
    expect(await errorOf(() => topK(memory, corpus, { k: 1 }))).toMatchObject({
      code: 'ERR_GEMMINE_CHANGED',
      message: `Rows 0 to 2 of corpus (${changing}) changed after the corpus was prepared: prepare it again`,
    })
    await closeMatrix(file)
  })

  it('closes once when it is closed twice at the same time', async () => {
    const file = await openNpy(path)
    await Promise.all([closeMatrix(file), closeMatrix({ ...file })])
  })

  it('leaves no file open after a refusal', async () => {
    const first = await openNpy(path)
    const { fd } = first.descriptor
    await closeMatrix(first)
    const cut = folder.write('cut.npy', content.subarray(0, -1))
    for (let i = 0; i < 20; i++) await errorOf(() => readNpy(cut))
    const again = await openNpy(path)
    expect(again.descriptor.fd).toBeLessThan(fd + 10)
    await closeMatrix(again)
  })

  it('wants a limit in bytes', async () => {
    expect(await errorOf(() => loadNpy('X.npy', { limit: NaN }))).toMatchObject({
      message: 'Expected a number of bytes for limit, received NaN',
    })
    expect(await errorOf(() => loadNpy('X.npy', { limits: 1 } as never))).toMatchObject({
      argument: 'limits',
      expected: 'one of the options limit',
    })
  })
})
