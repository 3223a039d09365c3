import { expect, it } from 'vitest'
import { unpackSnappy } from '../../lib/data/parquet/snappy'
import { inTurns } from '../../lib/data/slices'

async function unpacked(bytes: readonly number[], length: number): Promise<number[]> {
  const to = new Uint8Array(length)
  await inTurns((slice) => unpackSnappy(Uint8Array.from(bytes), to, slice))
  return [...to]
}

/** A literal of at most 60 bytes. */
const literal = (...bytes: number[]) => [(bytes.length - 1) << 2, ...bytes]

it('Snappy copies literals, and bytes from before that it may just have written', async () => {
  expect(await unpacked([5, ...literal(1, 2, 3, 4, 5)], 5)).toEqual([1, 2, 3, 4, 5])
  const near = [9, ...literal(1, 2), ((7 - 4) << 2) | 1, 2]
  expect(await unpacked(near, 9)).toEqual([1, 2, 1, 2, 1, 2, 1, 2, 1])
  for (const far of [
    [((3 - 1) << 2) | 2, 4, 0],
    [((3 - 1) << 2) | 3, 4, 0, 0, 0],
  ])
    expect(await unpacked([7, ...literal(1, 2, 3, 4), ...far], 7)).toEqual([1, 2, 3, 4, 1, 2, 3])
})

it('Snappy copies literals with lengths of one to four bytes, and from far before', async () => {
  const long = Array.from({ length: 200_000 }, (_, i) => (i * 7) % 251)
  const size = (value: number) => [0, 7, 14].map((bit) => (value >> bit) | 0x80)
  const head = (length: number) => [...size(length).slice(0, 2), (length >> 14) & 0x7f]
  const last = 199_999
  const lengths = [62 << 2, last & 255, (last >> 8) & 255, last >> 16]
  const bytes = [...head(200_008), ...lengths, ...long, (3 << 2) | 2, 0xff, 0xff]
  const again = [(3 << 2) | 3, 0, 0, 3, 0]
  const all = await unpacked([...bytes, ...again], 200_008)
  expect(all.slice(0, 200_000)).toEqual(long)
  expect(all.slice(200_000, 200_004)).toEqual(long.slice(200_000 - 65_535, 200_000 - 65_531))
  expect(all.slice(200_004)).toEqual(all.slice(200_004 - 196_608, 200_008 - 196_608))
})

it.each<[string, number[], number]>([
  ['another size', [4, ...literal(1, 2, 3, 4, 5)], 5],
  ['a size without end', [255, 255, 255, 255, 255, 1], 5],
  ['nothing', [], 5],
  ['fewer bytes', [5, ...literal(1, 2, 3, 4)], 5],
  ['more bytes', [5, ...literal(1, 2, 3, 4, 5, 6)], 5],
  ['a literal that is cut off', [5, 4 << 2, 1, 2], 5],
  ['a length that is cut off', [5, 63 << 2, 1], 5],
  ['a copy that is cut off', [5, ...literal(1), (3 << 2) | 2, 1], 5],
  ['a longer copy', [5, ...literal(1, 2), ((4 - 4) << 2) | 1, 1], 5],
  ['a copy of itself', [5, ...literal(1), ((4 - 4) << 2) | 1, 0], 5],
  ['a copy from before the first byte', [5, ...literal(1), ((4 - 4) << 2) | 1, 2], 5],
])('Snappy with %s is refused', async (_, bytes, length) => {
  await expect(unpacked(bytes, length)).rejects.toThrow(/received/)
})
