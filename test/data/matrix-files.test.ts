// Matrices from files of any format, detected by their first bytes.
import { gzipSync } from 'node:zlib'
import { zipSync } from 'fflate'
import { describe, expect, it } from 'vitest'
import { FactorizationModel } from '../../lib/factorization/factorization-model'
import { elementTypeNames, elementTypes, type ElementType } from '../../lib/data/element-types'
import { isMatrixFile, type DenseMatrix, type MatrixFile } from '../../lib/data/matrix'
import { loadMatrix, sidesInFile } from '../../lib/data/matrix-files'
import { partOf } from '../../lib/data/named-part'
import { closeMatrix, formatNpy } from '../../lib/data/npy'
import { npyHeader } from '../../lib/data/npy-header'
import { formatSafetensors } from '../../lib/data/safetensors'
import { isSparse } from '../../lib/data/sparse'
import { errorOf, expectFileError, temporaryFolder } from './files'

const folder = temporaryFolder()
const six = Float32Array.of(1, 2, 3, 4, 5, 6)
const expected = { data: six, rows: 2, cols: 3, type: 'float32' }

const npy = Buffer.concat(formatNpy({ data: six, shape: [2, 3] }))
const tensors = Buffer.concat(
  await formatSafetensors({
    tensors: {
      ids: { data: BigInt64Array.of(7n, 8n), shape: [2, 1] },
      emb: { data: six, shape: [2, 3] },
    },
    metadata: {},
  }),
)
const several = zipSync({ 'W.npy': npy, 'H.npy': npy }, { level: 0 })
const mtx = '%%MatrixMarket matrix coordinate real general\n2 3 1\n2 3 1.5\n'

describe('a matrix file', () => {
  it.each<[string, Uint8Array]>([
    ['X.npy', npy],
    ['X.npy.gz', gzipSync(npy)],
    ['X.npz', zipSync({ 'X.npy': npy })],
    ['X.npz.gz', gzipSync(zipSync({ 'X.npy': npy }))],
    ['X.safetensors', tensors],
    ['X.safetensors.gz', gzipSync(tensors)],
    ['no-extension', tensors],
    ['of-another.npy', zipSync({ 'X.npy': npy })],
  ])('%s is read as what it holds', async (name, content) => {
    const path = folder.write(name, content)
    expect(await sidesInFile(path)).toEqual({ rows: 2, cols: 3, isSparse: false })
    expect(await loadMatrix(path)).toEqual(expected)
  })

  it.each(['X.mtx', 'X.mtx.gz', 'X.txt'])('%s is read, told before by its sizes', async (name) => {
    const path = folder.write(name, name.endsWith('.gz') ? gzipSync(mtx) : mtx)
    expect(await sidesInFile(path)).toEqual({ rows: 2, cols: 3, isSparse: true })
    expect(isSparse(await loadMatrix(path))).toBe(true)
  })

  it('of several arrays is read by the name of one', async () => {
    const path = folder.write('several.npz', several)
    expect(await loadMatrix(`${path}:H`)).toEqual(expected)
    expect(await loadMatrix(path, { name: 'W' })).toEqual(expected)
    await expectFileError(
      () => loadMatrix(path),
      `${path}: expected one matrix, or the name of one after a colon (${path}:W), received W [2 × 3], H [2 × 3]`,
    )
    await expectFileError(
      () => sidesInFile(`${path}:V`),
      `${path}: expected one of W [2 × 3], H [2 × 3], received V`,
    )
    const colon = folder.write('a:b.npy', npy)
    expect(partOf(colon)).toEqual({ path: colon, name: undefined })
    expect(await loadMatrix(colon)).toEqual(expected)
  })

  it('has an array whose name contains colons', async () => {
    const path = folder.write('tf.npz', zipSync({ 'a/kernel:0.npy': npy, 'b:0:.npy': npy }))
    expect(await loadMatrix(`${path}:a/kernel:0`)).toEqual(expected)
    expect(await sidesInFile(`${path}:b:0:`)).toMatchObject({ rows: 2, cols: 3 })
    const near = folder.write('tf.npz:a', zipSync({ '0.npy': npy }))
    expect(partOf(`${near}:0`)).toEqual({ path: near, name: '0' })
  })

  it('is read beside an array of nested records', async () => {
    const header = `{'descr': [('a', '<f4'), ('b', [('c', '>i2')])], 'fortran_order': False, 'shape': (1,), }`
    const prefix = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, header.length + 1, 0])
    const records = Buffer.concat([prefix, Buffer.from(`${header}\n`), Buffer.alloc(6)])
    const path = folder.write('nested.npz', zipSync({ 'm.npy': records, 'X.npy': npy }))
    expect(await loadMatrix(path)).toEqual(expected)
  })

  it('without names has none', async () => {
    const path = folder.write('plain.npy', npy)
    await expectFileError(
      () => loadMatrix(path, { name: 'W' }),
      `${path}: expected a file of named arrays (.npz, .safetensors or .parquet) for the name W, received one without names`,
    )
  })

  it.each<[string, string, string]>([
    ['plain.npy', '', 'offset 128'],
    ['several.npz', ':H', 'stored'],
    ['X.safetensors', ':emb', 'behind others'],
  ])('%s%s stays in the file where it is large and its rows lie there', async (name, part) => {
    const content = { 'plain.npy': npy, 'several.npz': several }[name] ?? tensors
    const path = folder.write(name, content)
    const file = (await loadMatrix(`${path}${part}`, { limit: 0 })) as MatrixFile
    expect(isMatrixFile(file)).toBe(true)
    expect(await asRead(file)).toEqual([...six])
    await closeMatrix(file)
  })

  it.each(['/nowhere/X.npz:a', '/nowhere/X.npy'])('%s that is absent is told', async (path) => {
    await expectFileError(() => loadMatrix(path), `${path}: there is no such file or folder`)
  })

  it('that is refused leaves no file open', async () => {
    const first = (await loadMatrix(folder.write('open.npy', npy), { limit: 0 })) as MatrixFile
    const { fd } = first.descriptor
    await closeMatrix(first)
    for (let i = 0; i < 20; i++) await errorOf(() => loadMatrix(folder.path('several.npz')))
    const again = (await loadMatrix(folder.path('open.npy'), { limit: 0 })) as MatrixFile
    expect(again.descriptor.fd).toBeLessThan(fd + 10)
    await closeMatrix(again)
  })

  it('that claims to unpack to more than it can is refused before memory is taken', async () => {
    const claims = [
      npyHeader('<f4', [1_000_000, 1_000_000]),
      Buffer.from(
        '{"X":{"dtype":"F32","shape":[1000000,1000000],"data_offsets":[0,4000000000000]}}',
      ),
    ]
    const length = Buffer.alloc(8)
    length.writeBigUInt64LE(BigInt(claims[1]!.length))
    for (const content of [claims[0]!, Buffer.concat([length, claims[1]!])]) {
      const path = folder.write('bomb.gz', gzipSync(content))
      const error = await errorOf(() => loadMatrix(path))
      expect(error).toMatchObject({
        code: 'ERR_GEMMINE_FILE',
        message: expect.stringMatching(/expected 4000000000000 bytes of .*, received at most \d+$/),
      })
    }
  })

  it('that is packed and cut short, or goes on, is refused', async () => {
    const packed = gzipSync(npy)
    const cut = folder.write('cut.npy.gz', packed.subarray(0, -9))
    await expectFileError(
      () => loadMatrix(cut),
      `${cut}: expected whole gzip data, received data that is cut short`,
    )
    const long = folder.write('long.npy.gz', gzipSync(Buffer.concat([npy, npy])))
    await expectFileError(
      () => loadMatrix(long),
      `${long}: expected 24 bytes of elements for the shape (2, 3), received more`,
    )
    const short = folder.write('short.npy.gz', gzipSync(npy.subarray(0, -1)))
    await expectFileError(
      () => loadMatrix(short),
      `${short}: expected 24 bytes of elements, received 23`,
    )
  })

  it('of tensors that is packed is not read as whole where it is cut short, damaged or goes on', async () => {
    const packed = gzipSync(tensors)
    const path = folder.path('damaged.safetensors.gz')
    const damaged = Buffer.from(packed)
    damaged[packed.length - 8]! ^= 1
    const behind = Buffer.concat([tensors, npy])
    for (const [content, message] of [
      [packed.subarray(0, -3), 'expected whole gzip data, received data that is cut short'],
      [damaged, 'expected whole gzip data, received damaged data'],
      [gzipSync(behind), 'expected no data after the last tensor, received more'],
    ] as const) {
      folder.write('damaged.safetensors.gz', content)
      for (const name of ['emb', 'ids'])
        await expectFileError(() => loadMatrix(`${path}:${name}`), `${path}: ${message}`)
    }
    folder.write('damaged.safetensors.gz', gzipSync(tensors.subarray(0, -1)))
    await expectFileError(
      () => loadMatrix(`${path}:ids`),
      `${path}: expected 40 bytes of data, received 39`,
    )
  })

  it('is no longer read once the signal is raised', async () => {
    const reason = new Error('enough')
    const signal = AbortSignal.abort(reason)
    for (const [name, content] of [
      ['s.npy', npy],
      ['s.mtx', mtx],
    ] as const)
      expect(await errorOf(() => loadMatrix(folder.write(name, content), { signal }))).toBe(reason)
  })
})

/** What a job sees of a matrix [n × 3]: float32, whatever it holds. */
async function asRead(matrix: DenseMatrix | MatrixFile): Promise<number[]> {
  const H = { data: Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1), rows: 3, cols: 3 }
  const model = new FactorizationModel('semi-nmf', H, {})
  return [...(await model.inverseTransform(matrix)).data]
}

describe('elements of every type', () => {
  const numbers = [0, 1, 2, 3, 100, 127]
  /** 16 bits that hold the numbers above as floats. */
  const bits: Record<string, number[]> = {
    float16: [0, 0x3c00, 0x4000, 0x4200, 0x5640, 0x57f0],
    bfloat16: [0, 0x3f80, 0x4000, 0x4040, 0x42c8, 0x42fe],
  }
  const arrayOf = (type: ElementType) => {
    const { array } = elementTypes[type]
    const values = bits[type] ?? numbers
    const isBig = array === BigInt64Array || array === BigUint64Array
    return (array as typeof Float32Array).from((isBig ? values.map(BigInt) : values) as number[])
  }

  it.each(elementTypeNames)('of %s are widened in memory and in a file', async (type) => {
    const data = arrayOf(type)
    const seen = type === 'bool' ? numbers.map((value) => (value === 0 ? 0 : 1)) : numbers
    expect(await asRead({ data, rows: 2, cols: 3, type })).toEqual(seen)
    const content = await formatSafetensors({
      tensors: { X: { data, shape: [2, 3], type } },
      metadata: {},
    })
    const path = folder.write('typed.safetensors', Buffer.concat(content))
    const file = (await loadMatrix(path, { limit: 0 })) as MatrixFile
    expect(await asRead(file)).toEqual(seen)
    await closeMatrix(file)
    const { npy: code } = elementTypes[type]
    if (code === undefined || data.BYTES_PER_ELEMENT === 1) return
    const swapped = Buffer.from(data.buffer.slice(0))
    for (let at = 0; at < swapped.length; at += data.BYTES_PER_ELEMENT)
      swapped.subarray(at, at + data.BYTES_PER_ELEMENT).reverse()
    const bigEndian = Buffer.concat([npyHeader(`>${code}`, [2, 3]), swapped])
    const other = (await loadMatrix(folder.write('be.npy', bigEndian), { limit: 0 })) as MatrixFile
    expect(other.bigEndian).toBe(true)
    expect(await asRead(other)).toEqual(seen)
    await closeMatrix(other)
  })

  it.each<[string, DenseMatrix['data'], string]>([
    [
      'int64 above',
      BigInt64Array.of(1n, 2n ** 53n, 0n, 2n, 2n ** 53n + 1n, 0n),
      '9007199254740993',
    ],
    [
      'int64 below',
      BigInt64Array.of(1n, -(2n ** 53n), 0n, 2n, -(2n ** 60n) - 1n, 0n),
      '-1152921504606846977',
    ],
    ['uint64', BigUint64Array.of(1n, 2n, 3n, 4n, 2n ** 64n - 1n, 5n), '18446744073709551615'],
  ])('%s 2^53 are refused by row and column, with all their digits', async (_, data, received) => {
    const error = await errorOf(() => asRead({ data, rows: 2, cols: 3 }))
    expect(error).toMatchObject({
      message: `Expected an integer from -2^53 to 2^53 at row 1, column 1 of W, received ${received}`,
      row: 1,
      column: 1,
      received,
    })
  })
})
