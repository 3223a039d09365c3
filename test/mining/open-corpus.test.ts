import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { serialize } from 'node:v8'
import { afterAll, describe, expect, it } from 'vitest'
import { drain, openCorpus, prepareCorpus, stats, topK, type CorpusHandle } from '../../lib/index'
import { bytesInMemory, PlainReader } from '../../lib/data/byte-reader'
import { readCorpus } from '../../lib/mining/corpus-file'
import { expectSurvival, mulberry32 } from '../data/mutations'
import { gaussian } from '../matrices'

const folder = mkdtempSync(join(tmpdir(), 'corpus-'))
afterAll(() => rmSync(folder, { recursive: true }))

const rows = gaussian(100, 6, 1)
const queries = gaussian(5, 6, 2)

async function changedCorpus(ids?: (row: number) => string | bigint | number) {
  const named = ids && Array.from({ length: 100 }, (_, row) => ids(row))
  const corpus = await prepareCorpus(rows, {
    ...(named && { ids: named as string[] }),
    metric: 'dot',
  })
  await corpus.remove([0, 5, 99])
  await corpus.append(
    gaussian(40, 6, 3),
    ids && { ids: Array.from({ length: 40 }, (_, row) => ids(100 + row)) as string[] },
  )
  await corpus.update([7], gaussian(1, 6, 4))
  return corpus
}

/** Where the packed rows of a file are. */
function pagesOf(bytes: Buffer) {
  const { rows: count, packed } = JSON.parse(
    bytes.toString('utf8', 16, 16 + bytes.readUInt32LE(12)),
  ) as { rows: number; packed: { pageBytes: number } }
  const pages = Math.ceil(count / 32)
  const end = bytes.length - 32 - 8 * Math.ceil(pages / 32)
  return { begin: end - pages * packed.pageBytes, end }
}

/** The same bytes with the digest that belongs to them. */
function withDigest(bytes: Buffer): Buffer {
  const { begin, end } = pagesOf(bytes)
  const hash = createHash('sha256').update(bytes.subarray(0, begin))
  return Buffer.concat([bytes.subarray(0, -32), hash.update(bytes.subarray(end, -32)).digest()])
}

describe('a saved corpus', () => {
  it.each<[string, ((row: number) => string | bigint | number) | undefined]>([
    ['no ids', undefined],
    ['numbers', (row) => row * 3],
    ['bigints', (row) => -BigInt(row)],
    ['strings', (row) => `id ${row}`],
  ])('is the same when it is opened: %s', async (name, ids) => {
    const path = join(folder, `${name}.corpus`)
    using corpus = await changedCorpus(ids)
    await corpus.save(path)
    using opened = await openCorpus(path)
    const sizes = ({ rows: all, liveRows, cols, metric }: typeof corpus) => ({
      all,
      liveRows,
      cols,
      metric,
    })
    expect(sizes(opened)).toEqual(sizes(corpus))
    const [before, after] = [
      await topK(queries, corpus, { k: 137 }),
      await topK(queries, opened, { k: 137 }),
    ]
    expect(after.indices).toEqual(before.indices)
    expect(after.scores).toEqual(before.scores)
    expect(after.ids).toEqual(before.ids)
    await expect(opened.remove([5])).rejects.toThrow('a row that was not removed')
    if (ids) await expect(opened.rowsOf([ids(5)] as string[])).rejects.toThrow('the id of a row')
    if (ids) await opened.append(gaussian(1, 6, 8), { ids: [ids(5)] as string[] })
    else expect(await opened.append(gaussian(1, 6, 8))).toEqual({ firstRow: 140, rows: 1 })
    expect(readdirSync(folder).filter((file) => file.includes('.part'))).toEqual([])
  })

  it('is refused if a byte is damaged, if it is cut, and if it is another file', async () => {
    const path = join(folder, 'damaged.corpus')
    using corpus = await changedCorpus()
    await corpus.save(path)
    const bytes = readFileSync(path)
    const refused = async (damaged: Uint8Array, message: string) => {
      writeFileSync(path, damaged)
      await expect(openCorpus(path)).rejects.toMatchObject({
        code: 'ERR_GEMMINE_FILE',
        message: expect.stringContaining(message) as string,
      })
    }
    const flipped = Buffer.from(bytes)
    flipped[bytes.length - 500]! ^= 1
    await refused(flipped, 'damaged')
    await refused(bytes.subarray(0, bytes.length - 1), 'bytes after the header')
    await refused(bytes.subarray(0, 9), 'expected a file of a corpus')
    await refused(Buffer.from('{"rows": 3}'), 'received text')
    const later = Buffer.from(bytes)
    later.writeUInt32LE(1, 8)
    await refused(later, 'version 2 of the format, received version 1')
    await expect(openCorpus(join(folder, 'none'))).rejects.toThrow('there is no such file')
    await expect(corpus.save(join(folder, 'none', 'x'))).rejects.toMatchObject({
      code: 'ERR_GEMMINE_FILE',
    })
  })

  it('with rows packed for another kind of CPU is packed again', async () => {
    const path = join(folder, 'foreign.corpus')
    using corpus = await changedCorpus()
    await corpus.save(path)
    const bytes = readFileSync(path)
    const { begin, end } = pagesOf(bytes)
    expect(end - begin).toBeGreaterThan(100)
    const format = /"format":"(\w+)"/.exec(bytes.toString('latin1'))![1]!
    bytes.write('x'.repeat(format.length), bytes.indexOf(`"${format}"`) + 1)
    bytes.fill(255, begin, end)
    writeFileSync(path, withDigest(bytes))
    using opened = await openCorpus(path)
    const [before, after] = [
      await topK(queries, corpus, { k: 137 }),
      await topK(queries, opened, { k: 137 }),
    ]
    expect(after.indices).toEqual(before.indices)
    expect(after.scores).toEqual(before.scores)
    expect(opened.bytes).toBeGreaterThan(0)
  })

  it('is refused wherever a byte of its packed rows is damaged', async () => {
    const path = join(folder, 'pages.corpus')
    using corpus = await prepareCorpus(gaussian(1200, 3, 1))
    await corpus.save(path)
    const bytes = readFileSync(path)
    const { begin, end } = pagesOf(bytes)
    const next = mulberry32(7)
    for (const at of [
      begin,
      end - 1,
      ...Array.from({ length: 20 }, () => begin + next(end - begin)),
    ]) {
      const damaged = Buffer.from(bytes)
      damaged[at]! ^= 1 << next(8)
      writeFileSync(path, damaged)
      await expect(openCorpus(path)).rejects.toMatchObject({
        code: 'ERR_GEMMINE_FILE',
        message: expect.stringContaining('packed rows with their checksums') as string,
      })
    }
  })

  it('with a right digest and any packing is refused or searched, and ends no process', async () => {
    const path = join(folder, 'packing.corpus')
    using corpus = await prepareCorpus(gaussian(40, 3, 1), { metric: 'dot' })
    await corpus.save(path)
    const bytes = readFileSync(path)
    const { begin, end } = pagesOf(bytes)
    const places = [
      ...Array.from({ length: 8 }, (_, i) => bytes.indexOf('"exponent":') + 10 + i),
      ...Array.from({ length: 12 }, (_, i) => bytes.indexOf('"pageBytes":') + 10 + i),
      ...Array.from({ length: 12 }, (_, i) => begin - 12 + i),
      ...Array.from({ length: 16 }, (_, i) => end + i),
    ]
    const next = mulberry32(11)
    let searched = 0
    for (let i = 0; i < 300; i++) {
      const mutated = Buffer.from(bytes)
      for (let k = next(3); k >= 0; k--) mutated[places[next(places.length)]!] = next(256)
      try {
        writeFileSync(path, withDigest(mutated))
        using opened = await openCorpus(path)
        await topK(gaussian(2, 3, 2), opened, { k: 3 })
        searched++
      } catch (error) {
        if (!(error instanceof SyntaxError))
          expect(error).toMatchObject({ code: 'ERR_GEMMINE_FILE' })
      }
    }
    expect(searched).toBeGreaterThan(0)
    expect(searched).toBeLessThan(300)
  })

  it('survives 20 000 mutations of its parser', async () => {
    const originals: Uint8Array[] = []
    for (const ids of [undefined, (row: number) => row, (row: number) => `${row}`]) {
      const path = join(folder, 'seed.corpus')
      const named = ids && Array.from({ length: 9 }, (_, row) => ids(row))
      using corpus = await prepareCorpus(gaussian(9, 2, 1), named && { ids: named as string[] })
      await corpus.save(path)
      originals.push(readFileSync(path))
    }
    const parse = (bytes: Uint8Array) =>
      readCorpus(new PlainReader(bytesInMemory(bytes, 'X'), 0, bytes.length), {
        format: 'bfloat16',
        isDigestChecked: false,
      })
    await expectSurvival('X', originals, parse, ({ rows: count, cols, live, data }) => {
      expect(data.length).toBe(count * cols)
      expect(live.length).toBe(Math.ceil(count / 32))
    })
  })
})

describe('a shared corpus', () => {
  it('is opened from a handle once, without a copy', async () => {
    const corpus = await changedCorpus((row) => `id ${row}`)
    const handle = structuredClone(corpus.share())
    using opened = await openCorpus(handle)
    const before = await topK(queries, corpus, { k: 9 })
    corpus.dispose()
    const after = await topK(queries, opened, { k: 9 })
    expect(after.indices).toEqual(before.indices)
    expect(after.ids).toEqual(before.ids)
    await expect(openCorpus(structuredClone(handle))).rejects.toThrow('opened before')
  })

  it('changes on each side alone', async () => {
    using corpus = await changedCorpus((row) => `id ${row}`)
    using opened = await openCorpus(corpus.share())
    await Promise.all([
      corpus.append(gaussian(1, 6, 5), { ids: ['here'] }),
      opened.append(gaussian(1, 6, 6), { ids: ['there'] }),
    ])
    expect([corpus.idOf(140), opened.idOf(140)]).toEqual(['here', 'there'])
    await opened.remove([1, 2])
    expect([corpus.liveRows, opened.liveRows]).toEqual([138, 136])
  })

  it('is refused as JSON, as a copy of a file, and after dispose()', async () => {
    const corpus = await changedCorpus()
    const handle = corpus.share()
    const read = JSON.parse(JSON.stringify(handle)) as CorpusHandle
    await expect(openCorpus(read)).rejects.toThrow('as JSON leaves it')
    expect(() => serialize(handle)).toThrow()
    await expect(openCorpus({} as CorpusHandle)).rejects.toThrow('a path, or a handle')
    corpus.dispose()
    await expect(openCorpus(handle)).rejects.toMatchObject({ code: 'ERR_GEMMINE_DISPOSED' })
    expect(() => corpus.share()).toThrow('disposed')
  })

  it('borrows the same shared memory', async () => {
    const data = new Float32Array(new SharedArrayBuffer(4 * 600))
    data.set(rows.data)
    using corpus = await prepareCorpus({ data, rows: 100, cols: 6 })
    const [first, second] = [corpus.share(), corpus.share()]
    using opened = await openCorpus(structuredClone(first))
    const expected = await topK(queries, corpus, { k: 3 })
    expect((await topK(queries, opened, { k: 3 })).indices).toEqual(expected.indices)
    const other = { 'corpus.data': new Float32Array(new SharedArrayBuffer(4 * 600)) }
    await expect(openCorpus({ ...second, memory: other })).rejects.toThrow()
  })
})

describe('a handle', () => {
  it('opens the corpus of its time after many changes, and its memory is then let go', async () => {
    using corpus = await changedCorpus((row) => `id ${row}`)
    const before = await topK(queries, corpus, { k: 9 })
    const handles = Array.from({ length: 40 }, () => corpus.share())
    await corpus.remove([1, 2, 3])
    await corpus.update([4], gaussian(1, 6, 7))
    for (const handle of handles) {
      using opened = await openCorpus(structuredClone(handle))
      expect(opened.liveRows).toBe(137)
      const after = await topK(queries, opened, { k: 9 })
      expect([after.indices, after.ids]).toEqual([before.indices, before.ids])
    }
    await corpus.update([4], gaussian(1, 6, 8))
    await setTimeout(0) // the memory of versions is freed
    expect(stats().bytes).toBe(corpus.bytes)
  })

  it('of one of 17 versions is refused with the reason', async () => {
    using corpus = await prepareCorpus(rows)
    const handles = []
    for (let i = 0; i < 17; i++) {
      handles.push(corpus.share())
      await corpus.update([0], gaussian(1, 6, i))
    }
    await expect(openCorpus(handles[0]!)).rejects.toThrow('16 later versions were shared')
    using second = await openCorpus(handles[1]!)
    expect(second.rows).toBe(100)
  })

  it('is opened with options that are checked', async () => {
    using corpus = await prepareCorpus(rows)
    const handle = corpus.share()
    const refused = async (options: object, message: string) =>
      expect(openCorpus(handle, options)).rejects.toThrow(message)
    await refused({ thread: 1 }, 'the unknown option thread')
    await refused({ threads: 0 }, 'threads')
    await refused({ device: 'tpu' }, 'device')
    await refused({ signal: AbortSignal.abort(new Error('enough')) }, 'enough')
    using opened = await openCorpus(handle, { threads: 1, device: 'cpu' })
    expect(opened.rows).toBe(100)
  })

  it('without a part is refused with its name', async () => {
    using corpus = await prepareCorpus(rows)
    const memory = undefined as unknown as CorpusHandle['memory']
    await expect(openCorpus({ ...corpus.share(), memory })).rejects.toThrow('for from.memory')
    await expect(corpus.save(5 as unknown as string)).rejects.toThrow(TypeError)
    await expect(corpus.save('')).rejects.toThrow('a path for path')
  })
})

describe('a file with a right digest', () => {
  /** A saved corpus of two rows, with other bytes for its ids. */
  async function withIds(ids: number[] | bigint[] | string[], from: Buffer, to: Buffer) {
    const path = join(folder, 'forged.corpus')
    using corpus = await prepareCorpus(gaussian(2, 6, 1), { ids })
    await corpus.save(path)
    const bytes = readFileSync(path)
    to.copy(bytes, bytes.indexOf(from))
    writeFileSync(path, withDigest(bytes))
    return openCorpus(path)
  }
  const float64 = (value: number) => Buffer.from(Float64Array.of(value).buffer)
  const utf16 = (text: string) => Buffer.from(text, 'utf16le')

  it.each<[string, () => Promise<unknown>, string]>([
    ['one id twice', () => withIds([12, 34], float64(34), float64(12)), 'rows 0 and 1'],
    ['one text twice', () => withIds(['ab', 'cd'], utf16('cd'), utf16('ab')), 'rows 0 and 1'],
    ['minus zero', () => withIds([12, 34], float64(34), float64(-0)), 'id of row 1'],
    ['leading zeros', () => withIds([123n, 456n], utf16('456'), utf16('007')), 'id of row 1'],
    ['minus zero', () => withIds([12n, 34n], utf16('34'), utf16('-0')), 'id of row 1'],
  ])('is refused for ids that no corpus has: %s', async (_, opened, message) => {
    await expect(opened()).rejects.toMatchObject({
      code: 'ERR_GEMMINE_FILE',
      message: expect.stringContaining(message) as string,
    })
  })
})

describe('several saves to one path', () => {
  it('leave one whole file, of any of them, and nothing beside it', async () => {
    const path = join(folder, 'twice.corpus')
    using corpus = await changedCorpus()
    using other = await prepareCorpus(gaussian(300, 6, 9), { metric: 'dot' })
    await Promise.all([corpus.save(path), other.save(path), corpus.save(path)])
    using opened = await openCorpus(path)
    expect([140, 300]).toContain(opened.rows)
    expect(readdirSync(folder).filter((file) => file.includes('.part'))).toEqual([])
  })

  it('leave the earlier file while they run, and if one fails', async () => {
    const path = join(folder, 'kept.corpus')
    using corpus = await changedCorpus()
    await corpus.save(path)
    const earlier = readFileSync(path)
    const stop = new AbortController()
    const stopped = corpus.save(path, { signal: stop.signal })
    const saved = corpus.save(path)
    expect(readFileSync(path).equals(earlier)).toBe(true)
    stop.abort(new Error('enough'))
    await expect(stopped).rejects.toThrow('enough')
    await saved
    expect(readFileSync(path).equals(earlier)).toBe(true)
  })
})

describe('drain()', () => {
  it('waits for the whole file of a corpus that is saved', async () => {
    using corpus = await changedCorpus()
    for (const turns of [0, 1, 3, 6]) {
      const path = join(folder, `drained-${turns}.corpus`)
      let isSaved = false
      const saved = corpus.save(path).then(() => (isSaved = true))
      for (let turn = 0; turn < turns; turn++) await setImmediate()
      await drain()
      expect(isSaved).toBe(true)
      await saved
    }
  })
})
