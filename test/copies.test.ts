// Two copies of this package in one process: two versions in node_modules, or a module registry that a test
// runner has reset.
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it, vi } from 'vitest'
import { gaussian } from './matrices'

const first = await import('../lib/index')
vi.resetModules()
const second = await import('../lib/index')
const X = gaussian(8, 3, 1)
const path = join(tmpdir(), `gemmine-copies-${process.pid}.npy`)
afterAll(() => rm(path, { force: true }))

it('a corpus of another copy is refused in words that tell of the copies', async () => {
  expect(first.PreparedCorpus).not.toBe(second.PreparedCorpus)
  using corpus = await first.prepareCorpus(X)
  const refused =
    /^Expected a corpus made by this copy of gemmine \(.* in .*; npm ls gemmine shows all\) for corpus, received one that the copy .* in .* made$/
  for (const run of [
    () => second.topK(X, corpus as never, { k: 1 }),
    () => second.mineHardNegatives(X, corpus as never, new Int32Array(8)),
  ])
    await expect(run()).rejects.toThrow(refused)
})

it('a file that another copy opened is read and closed', async () => {
  await first.writeNpy(path, X)
  const file = await first.openNpy(path)
  const { indices } = await second.topK(X, file, { k: 1 })
  expect([...indices]).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  await second.closeMatrix(file)
  await expect(first.topK(X, file, { k: 1 })).rejects.toMatchObject({
    code: 'ERR_GEMMINE_DISPOSED',
  })
})
