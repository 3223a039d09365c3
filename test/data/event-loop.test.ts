// No work proportional to a file blocks the event loop.
import { gzipSync } from 'node:zlib'
import { zipSync } from 'fflate'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { expect, it } from 'vitest'
import { npyHeader } from '../../lib/data/npy-header'
import { runProgram } from '../hazards/child'
import { temporaryFolder } from './files'

const folder = temporaryFolder()

const entries = 1_000_000
const perRow = 100

const array = (descr: string, shape: readonly number[], data: ArrayBufferView) => {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  return new Uint8Array(Buffer.concat([npyHeader(descr, shape), bytes]))
}
const list = (data: Int32Array | Float32Array) =>
  array(data instanceof Int32Array ? '<i4' : '<f4', [data.length], data)

/** Columns that fall within a row, as products of sparse matrices leave them. */
const falling = Int32Array.from({ length: entries }, (_, t) => (perRow - 1 - (t % perRow)) * 7)
const rowOf = Int32Array.from({ length: entries }, (_, t) => Math.floor(t / perRow))
const rows = entries / perRow
const starts = Int32Array.from({ length: rows + 1 }, (_, i) => i * perRow)

const sparse = (format: string, members: Record<string, Uint8Array>) =>
  zipSync(
    {
      'format.npy': array('|S3', [], Buffer.from(format)),
      'data.npy': list(new Float32Array(entries).fill(1)),
      ...members,
    },
    { level: 0 },
  )

/** In ms. Work that is proportional to the data exceeds it in every run, a collection of garbage in some. */
const turn = 25

/**
 * The longest turn of a program in ms, less on a machine that is slow by the yardstick: the shortest of three
 * runs unless an earlier one is short enough.
 */
async function longestTurn(name: string, args: readonly string[]): Promise<number> {
  let shortest = Infinity
  for (let run = 0; run < 3 && shortest >= turn; run++) {
    const { code, stdout, stderr } = await runProgram(name, args)
    expect([code, stderr]).toEqual([0, ''])
    const { took, longest, yardstick } = JSON.parse(stdout) as Record<string, number>
    console.log(`${name} ${args[0]}: ${took!.toFixed()} ms, ${longest!.toFixed()} at one turn`)
    shortest = Math.min(shortest, longest! * Math.min(1, turn / yardstick!))
  }
  return shortest
}

const elements = new Float64Array(entries).fill(1.5)

/** A Parquet file of one page. */
function onePage(
  valueOf: (t: number) => number,
  encoding?: { encoding: 'BYTE_STREAM_SPLIT' },
): Uint8Array {
  // More entries than elsewhere: their work at one turn would be 40 ms.
  const data = Array.from({ length: 3 * rows }, (_, i) =>
    Array.from({ length: perRow }, (_, j) => valueOf(i * perRow + j)),
  )
  const written = parquetWriteBuffer({
    schema: [
      { name: 'root', num_children: 1 },
      { name: 'e', repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'LIST' },
      { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
      { name: 'element', type: 'FLOAT', repetition_type: 'OPTIONAL' },
    ],
    columnData: [{ name: 'e', data, ...encoding }],
    rowGroupSize: 3 * rows,
    pageSize: 2 ** 30,
  })
  return new Uint8Array(written)
}

const lines = Array.from(
  { length: 100_000 },
  (_, t) => `${(t % 1000) + 1} ${(t % 77) + 1} ${t}.5\n`,
)

it('millions of documents leave the event loop turning', async () => {
  expect(await longestTurn('many-starts', [])).toBeLessThan(turn)
})

it.each([
  'statistics',
  'mergeMined',
  'mergePositiveScores',
  'mergeCorpusShards',
  'FactorizationModel',
  'writeNpy',
  'writeNpyOfManyRows',
  'fromRowsAsync',
  'prepareRowSet',
  'prepareRowSetOfList',
  'reverseTopK',
])('%s of much data leaves the event loop turning', async (name) => {
  expect(await longestTurn('synchronous', [name, folder.path('out')])).toBeLessThan(turn)
})

it.each([
  'readIds',
  'readIdsOfOneLine',
  'mineHardNegatives',
  'mergeTextDigests',
  'scorePositives',
  'mergePositiveScores',
  'auditMined',
  'loadMatrix',
  'writeSafetensors',
])('%s of many texts, ids or tensors leaves the event loop turning', async (name) => {
  expect(await longestTurn('parts', [name, folder.path(name)])).toBeLessThan(turn)
})

it.each<[string, string, () => Uint8Array]>([
  [
    'sparse rows out of order',
    'csr.npz',
    () =>
      sparse('csr', {
        'shape.npy': list(Int32Array.of(rows, 700)),
        'indptr.npy': list(starts),
        'indices.npy': list(falling),
      }),
  ],
  [
    'sparse columns',
    'csc.npz',
    () =>
      sparse('csc', {
        'shape.npy': list(Int32Array.of(700, rows)),
        'indptr.npy': list(starts),
        'indices.npy': list(falling),
      }),
  ],
  [
    'coordinates',
    'coo.npz',
    () =>
      sparse('coo', {
        'shape.npy': list(Int32Array.of(rows, 700)),
        'row.npy': list(rowOf),
        'col.npy': list(falling),
      }),
  ],
  [
    'one long row out of order',
    'row.npz',
    () =>
      sparse('csr', {
        'shape.npy': list(Int32Array.of(1, entries)),
        'indptr.npy': list(Int32Array.of(0, entries)),
        'indices.npy': list(Int32Array.from({ length: entries }, (_, t) => entries - 1 - t)),
      }),
  ],
  ['big-endian elements', 'X.npy', () => array('>f8', [rows, perRow], elements)],
  [
    'Fortran order, packed',
    'X.npy.gz',
    () => {
      const header = Buffer.from(npyHeader('<f8', [rows, perRow])).toString('latin1')
      const fortran = Buffer.from(header.replace('False,', 'True, '), 'latin1')
      return gzipSync(Buffer.concat([fortran, Buffer.from(elements.buffer)]), { level: 1 })
    },
  ],
  [
    'lines of text',
    'X.mtx',
    () =>
      Buffer.from(
        `%%MatrixMarket matrix coordinate real general\n1000 77 ${lines.length}\n${lines.join('')}`,
      ),
  ],
  ['a large page of Parquet', 'plain.parquet', () => onePage((t) => Math.sin(t))],
  ['a large page of places in a dictionary', 'places.parquet', () => onePage((t) => t % 7)],
  [
    'a large page of bytes by significance',
    'split.parquet',
    () => onePage((t) => t % 1000, { encoding: 'BYTE_STREAM_SPLIT' }),
  ],
  [
    'pairs, many of one query',
    'pairs.tsv',
    () => {
      const query = (t: number) => (t % 2) * (t % 1000)
      const pairs = Array.from(
        { length: 600_000 },
        (_, t) => `${query(t)}\t${(t * 7919) % 1_000_000}\n`,
      )
      return Buffer.from(pairs.join(''))
    },
  ],
])('reading %s leaves the event loop turning', async (_, name, content) => {
  expect(await longestTurn('reading', [folder.write(name, content())])).toBeLessThan(turn)
})
