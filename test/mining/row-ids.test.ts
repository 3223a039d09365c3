import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import {
  mineHardNegatives,
  openCorpus,
  prepareCorpus,
  topK,
  type RowId,
  type RowIdsInput,
} from '../../lib/index'
import { gaussian } from '../matrices'

const rows = gaussian(80, 6, 1)
const queries = gaussian(5, 6, 2)
const kinds: Record<string, (row: number) => RowId> = {
  numbers: (row) => 1000 - row,
  bigints: (row) => 2n ** 80n + BigInt(row),
  strings: (row) => `Zeile ${row} \u{1f431}\ud800`,
}

describe.each(Object.entries(kinds))('ids that are %s', (_, idOf) => {
  const ids = Array.from({ length: 80 }, (__, row) => idOf(row))

  it('are in the answers of topK and of mining', async () => {
    using corpus = await prepareCorpus(rows, { ids })
    const found = await topK(queries, corpus, { k: 3 })
    expect(found.ids).toEqual([...found.indices].map(idOf))
    const few = await topK(queries, corpus, { k: 81 })
    expect(few.ids!.at(-1)).toBe(null)
    const mined = await mineHardNegatives(queries, corpus, [[1], [2], [3], [4], [5, 6]], {
      numNegatives: 4,
    })
    expect(mined.ids).toEqual([...mined.indices].map(idOf))
    expect(mined.positiveIds).toEqual([1, 2, 3, 4, 5, 6].map(idOf))
  })

  it('are numbers or strings in JSON', async () => {
    using corpus = await prepareCorpus(rows, { ids })
    const found = await topK(queries, corpus, { k: 3 })
    const { neighbours } = JSON.parse(JSON.stringify(found)) as { neighbours: { id: unknown }[][] }
    const told = neighbours.flatMap((best) => best.map(({ id }) => id))
    expect(told).toEqual(found.ids!.map((id) => (typeof id === 'bigint' ? String(id) : id)))
  })

  it('name rows that are removed, updated and appended', async () => {
    using corpus = await prepareCorpus(rows, { ids })
    await corpus.remove({ ids: [idOf(7), idOf(9)] as RowIdsInput })
    await expect(corpus.remove({ ids: [idOf(9)] as RowIdsInput })).rejects.toThrow(
      'the id of a row',
    )
    await corpus.update({ ids: [idOf(3)] as RowIdsInput }, gaussian(1, 6, 9))
    const { firstRow } = await corpus.append(gaussian(2, 6, 5), {
      ids: [idOf(7), idOf(80)] as RowIdsInput,
    })
    expect(firstRow).toBe(80)
    expect([...(await corpus.rowsOf([idOf(7), idOf(3)] as RowIdsInput))]).toEqual([80, 3])
    expect([corpus.idOf(7), corpus.idOf(80), corpus.idOf(82)]).toEqual([idOf(7), idOf(7), null])
  })

  it('are refused with both rows where two are equal', async () => {
    const twice = [...ids.slice(0, 79), idOf(4)] as RowIdsInput
    await expect(prepareCorpus(rows, { ids: twice })).rejects.toThrow(
      'the id of row 4 and of row 79',
    )
    using corpus = await prepareCorpus(rows, { ids })
    const again = corpus.append(gaussian(2, 6, 5), { ids: [idOf(90), idOf(5)] as RowIdsInput })
    await expect(again).rejects.toThrow('the id of row 5 and of row 81')
    const both = corpus.append(gaussian(2, 6, 5), { ids: [idOf(90), idOf(90)] as RowIdsInput })
    await expect(both).rejects.toThrow('the id of row 80 and of row 81')
    await corpus.append(gaussian(1, 6, 5), { ids: [idOf(90)] as RowIdsInput })
  })
})

describe('ids of a corpus', () => {
  it('are free again after a change that was aborted', async () => {
    using corpus = await prepareCorpus(rows, { ids: Array.from({ length: 80 }, (_, row) => row) })
    const wrong = { data: new Float32Array(6).fill(NaN), rows: 1, cols: 6 }
    await expect(corpus.append(wrong, { ids: [500] })).rejects.toThrow('a finite number')
    await corpus.append(gaussian(1, 6, 5), { ids: [500] })
    expect(corpus.idOf(80)).toBe(500)
  })

  it.each<[unknown, string]>([
    [[1, 2], '80 ids, one for each row'],
    ['names', 'an array of numbers, bigints or strings'],
    [Array.from({ length: 80 }, (_, i) => (i === 3 ? '3' : i)), 'ids[3]'],
    [Array.from({ length: 80 }, (_, i) => i / 2), 'ids[1]'],
    [Array.from({ length: 80 }, () => ({})), 'ids[0]'],
  ])('are refused if they are %j', async (ids, message) => {
    await expect(prepareCorpus(rows, { ids: ids as RowIdsInput })).rejects.toThrow(message)
  })

  it('must be given for appended rows, and only then', async () => {
    using named = await prepareCorpus(rows, { ids: new Int32Array(80).map((_, row) => row) })
    await expect(named.append(queries)).rejects.toThrow('for ids')
    using plain = await prepareCorpus(rows)
    await expect(plain.append(queries, { ids: [1, 2, 3, 4, 5] })).rejects.toThrow('without ids')
    await expect(plain.remove({ ids: [1] })).rejects.toThrow('without ids')
  })
})

describe('ids of a corpus that changes while the table of ids is made', () => {
  const count = 40_000
  const named = async () => {
    using first = await prepareCorpus(gaussian(count, 1, 1), {
      ids: Array.from({ length: count }, (_, i) => `i${i}`),
      metric: 'dot',
    })
    return openCorpus(first.share()) // without a table
  }

  it('do not come back for removed rows, and can be given again', async () => {
    using corpus = await named()
    const removed = corpus.remove([7])
    const asked = corpus.rowsOf(['i5'])
    await removed
    expect([...(await asked)]).toEqual([5])
    await expect(corpus.rowsOf(['i7'])).rejects.toThrow('the id of a row')
    await corpus.append(gaussian(1, 1, 2), { ids: ['i7'] })
    expect([...(await corpus.rowsOf(['i7']))]).toEqual([count])
  })

  it('are known for appended rows, also of a corpus with removed rows', async () => {
    using corpus = await named()
    await corpus.remove([9])
    const appended = corpus.append(gaussian(2, 1, 2), { ids: ['new', 'i9'] })
    const asked = [corpus.rowsOf(['i5']), corpus.rowsOf(['i6', 'i5'])]
    await appended
    expect((await Promise.all(asked)).map((found) => [...found])).toEqual([[5], [6, 5]])
    expect([...(await corpus.rowsOf(['i9', 'new']))]).toEqual([count + 1, count])
  })
})

describe('ids of rows of an append', () => {
  it('that is pending, or refused later, name no row', async () => {
    using corpus = await prepareCorpus(rows, { ids: Array.from({ length: 80 }, (_, row) => row) })
    const many = { data: new Float32Array(6 * 40_000).fill(NaN), rows: 40_000, cols: 6 }
    let isDone = false
    const appended = corpus
      .append(many, { ids: Array.from({ length: 40_000 }, (_, i) => 1000 + i) })
      .catch((error: unknown) => error)
      .finally(() => (isDone = true))
    while (!isDone) {
      expect(corpus.idOf(80)).toBe(null)
      await expect(corpus.rowsOf([1000])).rejects.toThrow('the id of a row')
      await setImmediate()
    }
    expect(await appended).toBeInstanceOf(RangeError)
    await expect(corpus.rowsOf([1000])).rejects.toThrow('the id of a row')
    expect([...(await corpus.rowsOf([79]))]).toEqual([79])
  })
})

describe('bigint ids', () => {
  const ids = (id: bigint) => Array.from({ length: 80 }, (_, row) => (row === 3 ? id : BigInt(row)))

  it('of 4096 digits are saved and opened; longer ones are refused when they are given', async () => {
    const path = join(tmpdir(), `digits-${process.pid}.corpus`)
    using corpus = await prepareCorpus(rows, { ids: ids(1n - 10n ** 4096n) })
    await corpus.save(path)
    using opened = await openCorpus(path)
    expect(opened.idOf(3)).toBe(1n - 10n ** 4096n)
    rmSync(path)
    for (const id of [10n ** 4096n, -(10n ** 4096n)]) {
      const message = 'at most 4096 digits for ids['
      await expect(prepareCorpus(rows, { ids: ids(id) })).rejects.toThrow(`${message}3]`)
      await expect(corpus.append(gaussian(1, 6, 1), { ids: [id] })).rejects.toThrow(`${message}0]`)
    }
  })
})

describe('a row that is named twice in a change', () => {
  it('is refused with both places, by numbers and by ids', async () => {
    using corpus = await prepareCorpus(gaussian(2, 6, 1), { ids: [1, 2] })
    const again = 'listed once (rows[0] is it) for rows[1], received 0'
    await expect(corpus.remove([0, 0])).rejects.toThrow(again)
    await expect(corpus.update([0, 0], gaussian(2, 6, 2))).rejects.toThrow(again)
    await expect(corpus.remove({ ids: [1, 1] })).rejects.toThrow(
      'listed once (ids[0] is it) for ids[1]',
    )
    await expect(corpus.remove([1, 0])).rejects.toThrow('fewer than all rows')
  })

  it('and a row that was removed are not told as all rows', async () => {
    using corpus = await prepareCorpus(gaussian(3, 6, 1))
    await corpus.remove([0])
    await expect(corpus.remove([0, 1])).rejects.toThrow('a row that was not removed')
  })
})
