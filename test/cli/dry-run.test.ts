import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeNpy } from '../../lib/data/npy'
import { gaussian } from '../matrices'
import { failureFrom, run } from './commands'

const folder = mkdtempSync(join(tmpdir(), 'gemmine-dry-run-'))
afterAll(() => rmSync(folder, { recursive: true }))
const at = (name: string) => join(folder, name)

beforeAll(async () => {
  await writeNpy(at('x.npy'), gaussian(90, 8, 1))
  await writeNpy(at('q.npy'), gaussian(5, 8, 2))
  writeFileSync(at('pairs.tsv'), '0\t1\n1\t2\n')
})

const searches = '--queries q.npy --corpus x.npy'

describe('--dry-run', () => {
  it.each([
    ['factorize x.npy --rank 3', 'iteration', 4 * 90 * 8 * 3],
    [`topk ${searches} --k 4`, 'scan', 2 * 5 * 90 * 8],
    [`mine ${searches} --positives pairs.tsv`, 'scan', 2 * 5 * 90 * 8],
  ])('of %s prints what it would take, and writes nothing', async (line, unit, operations) => {
    const before = readdirSync(folder)
    const out = ['--dry-run', '--out', 'results']
    const { code, stdout } = await run(folder, ...line.split(' '), ...out)
    expect(code).toBe(0)
    expect(stdout).toMatch(
      new RegExp(
        `^memory: [\\d.]+ MiB beside the inputs; [\\d.]+ MiB are available\n${unit}: \\S+ s, \\S+ operations\n$`,
      ),
    )
    expect(stdout).toContain(`${operations.toPrecision(4)} operations`)
    expect(readdirSync(folder)).toEqual(before)
  })

  it('with --json prints one object', async () => {
    const { stdout } = await run(folder, ...'factorize x.npy --rank 3 --dry-run --json'.split(' '))
    expect(JSON.parse(stdout)).toMatchObject({
      command: 'factorize',
      dryRun: true,
      operations: 4 * 90 * 8 * 3,
      bytes: expect.any(Number) as number,
      seconds: expect.any(Number) as number,
    })
  })

  it('of the logistic loss does not name an entry that the file does not have', async () => {
    const line = 'factorize x.npy --model semi-orthogonal-nmf --loss logistic --rank 3 --dry-run'
    expect((await run(folder, ...line.split(' '))).code).toBe(0)
  })

  it('refuses what the job itself refuses, and a model without iterations', async () => {
    const line = ['factorize', at('x.npy'), '--dry-run', '--rank']
    expect((await failureFrom(...line, '0')).sentence).toContain('--rank')
    expect((await failureFrom(...line, '3', '--model', 'separable-nmf')).sentence).toBe(
      'Expected a model with iterations for --dry-run, received --model separable-nmf',
    )
  })
})
