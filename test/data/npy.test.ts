import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { closeMatrix, formatNpy, openNpy, parseNpy, parseNpyHeader } from '../../lib/data/npy'
import { loadNpy, readInt32Npy, readNpy, writeNpy } from '../../lib/data/npy'
import type { DenseData } from '../../lib/data/element-types'
import { errorOf, expectFileError, misaligned, realFile } from './files'
import { expectSurvival } from './mutations'
import { folder, npy, dictionary, values, inFile, full } from './npy-samples'

describe('a .npy file', () => {
  it('has the bytes that NumPy writes', async () => {
    const written = Buffer.concat(formatNpy({ data: values, shape: [3, 2] }))
    const header = `\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }`
    expect(written.toString('latin1', 0, 128)).toBe(`${header.padEnd(127)}\n`)
    expect(written.subarray(128)).toEqual(Buffer.from(values.buffer))
    const list = Buffer.concat(formatNpy({ data: Int32Array.of(7), shape: [1] }))
    expect(list.toString('latin1', 10, 65)).toBe(
      "{'descr': '<i4', 'fortran_order': False, 'shape': (1,), }".slice(0, 55),
    )
  })

  it('is written without copying the elements', async () => {
    const [, elements] = formatNpy({ data: values, shape: [6] })
    expect(elements!.buffer).toBe(values.buffer)
  })

  it('comes back as it was written', async () => {
    const path = folder.path('round.npy')
    await writeNpy(path, { data: values, shape: [2, 3] })
    expect(await readNpy(path)).toEqual({ data: values, rows: 2, cols: 3, type: 'float32' })
    await writeNpy(path, { data: values.subarray(2), shape: [4, 1] })
    expect((await readNpy(path)).data).toEqual(values.slice(2))
  })

  it.each(['<f4', '<f8', '<f2', '|u1', '|i1'])('of %s comes back as it was read', async (descr) => {
    const path = folder.path('again.npy')
    const content = npy(dictionary(descr, '(2, 3)'), 6 * Number(descr[2]))
    const X = await readNpy(folder.write('first.npy', content))
    const data = X.data as Float32Array
    data.set([1, 2, 3, 4, 5, 6])
    await writeNpy(path, X)
    expect(await readNpy(path)).toEqual(X)
    await writeNpy(path, { ...X, cols: 2, stride: 3 })
    expect([...(await readNpy(path)).data]).toEqual([1, 2, 4, 5])
  })

  it('of float64 of any shape, and of int32, comes back', async () => {
    const path = folder.path('list.npy')
    const data = Float64Array.of(1e-300, 0.1)
    await writeNpy(path, { data, shape: [1, 2] })
    expect((await readNpy(path)).data).toEqual(data)
    const labels = Int32Array.of(3, -1, 2 ** 31 - 1)
    await writeNpy(path, { data: labels, shape: [3] })
    expect(await readInt32Npy(path)).toEqual(labels)
  })

  it('that is open is not written', async () => {
    const X = await openNpy(folder.write('open.npy', npy(full, 240)))
    const error = await errorOf(() => writeNpy(folder.path('no.npy'), X as never))
    await closeMatrix(X)
    expect(error).toMatchObject({
      message: 'Expected a matrix in memory for array, received one that lies in a file',
    })
  })

  it('is written from a matrix, without the gaps between its rows', async () => {
    const path = folder.path('matrix.npy')
    await writeNpy(path, { data: values, rows: 2, cols: 3 })
    expect((await readNpy(path)).data).toEqual(values)
    await writeNpy(path, { data: values, rows: 2, cols: 2, stride: 3 })
    const expected = Float32Array.of(1, -2.5, 4, 5)
    expect(await readNpy(path)).toEqual({ data: expected, rows: 2, cols: 2, type: 'float32' })
  })

  it.each([
    ['<f4', 'float32', Float32Array],
    ['=f4', 'float32', Float32Array],
    ['|f4', 'float32', Float32Array],
    ['f8', 'float64', Float64Array],
    ['<f2', 'float16', Uint16Array],
    ['|u1', 'uint8', Uint8Array],
    ['<u1', 'uint8', Uint8Array],
    ['>i1', 'int8', Int8Array],
    ['<i2', 'int16', Int16Array],
    ['<u2', 'uint16', Uint16Array],
    ['<i4', 'int32', Int32Array],
    ['<u4', 'uint32', Uint32Array],
    ['|b1', 'bool', Uint8Array],
  ])('of %s is read as %s', async (descr, type, Elements) => {
    const data = Elements.of(1, 2, 3, 4, 5, 6)
    const file = npy(dictionary(descr, '(3, 2)'), data)
    for (const content of [file, misaligned(file)]) {
      const matrix = await parseNpy(content, 'X.npy')
      expect(matrix).toEqual({ data, rows: 3, cols: 2, type })
    }
  })

  it.each([1, 2, 3])('of version %i is read', async (version) => {
    const content = npy(dictionary('<f4', '(3, 2)'), values, version)
    expect((await parseNpy(content, 'X.npy')).data).toEqual(values)
  })

  it('is read in other spellings of the same dictionary', async () => {
    const spelt = `{"shape":(3L,2L,) ,"descr" : "<f4",'fortran_order':False}  `
    expect(parseNpyHeader(npy(spelt), 'X.npy')).toMatchObject({ descr: '<f4', shape: [3, 2] })
    expect(parseNpyHeader(npy(dictionary('|S3', '()')), 'X.npy').shape).toEqual([])
  })

  it.each<[string, string, DenseData]>([
    ['<i8', 'int64', BigInt64Array.of(-1n, 2n, 3n, 4n, 5n, 6n)],
    ['>u8', 'uint64', BigUint64Array.of(1n, 2n, 3n, 4n, 5n, 2n ** 53n)],
    ['>f4', 'float32', values],
    ['>f8', 'float64', Float64Array.from(values)],
    ['>f2', 'float16', Uint16Array.of(1, 2, 3, 4, 5, 0x3c00)],
    ['>i2', 'int16', Int16Array.of(-1, 2, 3, 4, 5, 6)],
    ['>i4', 'int32', Int32Array.of(-1, 2, 3, 4, 5, 6)],
  ])('of %s is read as %s, in either order', async (descr, type, data) => {
    const rows = { data, rows: 3, cols: 2, type }
    const inOrder = npy(dictionary(descr, '(3, 2)'), inFile(descr, data))
    expect(await parseNpy(inOrder, 'X.npy')).toEqual(rows)
    const columns = data.slice() as Float32Array
    const from = data as Float32Array
    for (let i = 0; i < 3; i++) for (let j = 0; j < 2; j++) columns[j * 3 + i] = from[i * 2 + j]!
    const inColumns = npy(dictionary(descr, '(3, 2)', 'True'), inFile(descr, columns))
    expect(await parseNpy(inColumns, 'X.npy')).toEqual(rows)
    expect(await readNpy(folder.write('X.npy.gz', gzipSync(inColumns)))).toEqual(rows)
  })

  it('in Fortran order of more rows and columns than a tile has is read', async () => {
    const [rows, cols] = [67, 45]
    const columns = Int16Array.from({ length: rows * cols }, (_, t) => t)
    const content = npy(dictionary('<i2', `(${rows}, ${cols})`, 'True'), columns)
    const { data } = await parseNpy(content, 'X.npy')
    for (const [i, j] of [
      [0, 0],
      [66, 44],
      [31, 32],
      [64, 1],
    ] as const)
      expect(data[i * cols + j]).toBe(j * rows + i)
  })

  it('that has to be read whole is not opened, and read whatever the limit', async () => {
    const columns = npy(dictionary('<f4', '(3, 2)', 'True'), values)
    const path = folder.write('columns.npy', columns)
    await expectFileError(
      () => openNpy(path),
      `${path}: expected C order, one row after the other, to be read in blocks (np.ascontiguousarray makes it; readNpy reads it whole), received Fortran order`,
    )
    const packed = folder.write('packed.npy.gz', gzipSync(npy(dictionary('<f4', '(3, 2)'), values)))
    await expectFileError(
      () => openNpy(packed),
      `${packed}: expected unpacked data, to be read in blocks (readNpy reads it whole), received gzip data`,
    )
    for (const each of [path, packed])
      expect(await loadNpy(each, { limit: 0 })).toMatchObject({ rows: 3, cols: 2, type: 'float32' })
  })

  it.each(['(6, 1)', '(1, 6)'])('of shape %s has no order', async (shape) => {
    expect((await parseNpy(npy(dictionary('<f4', shape, 'True'), values), 'X.npy')).data).toEqual(
      values,
    )
  })

  it('of real data is read', async () => {
    const path = realFile('minilm_scifact/queries.npy')
    if (!path) return
    const matrix = await readNpy(path)
    expect(matrix).toMatchObject({ rows: 1109, cols: 384, type: 'float16' })
    expect(readFileSync(path).subarray(128).equals(Buffer.from(matrix.data.buffer))).toBe(true)
  })
})

describe('a list of int32', () => {
  it('is read from any integers that fit, packed too', async () => {
    const content = npy(dictionary('>u2', '(2,)', 'True'), inFile('>u2', Uint16Array.of(7, 65535)))
    const path = folder.write('u2.npy.gz', gzipSync(content))
    expect(await readInt32Npy(path)).toEqual(Int32Array.of(7, 65535))
  })

  it('is read from int32 and from int64 that fits', async () => {
    const groups = Int32Array.of(-1, 5, 2 ** 31 - 1)
    const narrow = folder.write('groups.npy', npy(dictionary('<i4', '(3,)'), groups))
    expect(await readInt32Npy(narrow)).toEqual(groups)
    const wide = folder.write(
      'wide.npy',
      npy(dictionary('<i8', '(3,)'), BigInt64Array.from(groups, BigInt)),
    )
    expect(await readInt32Npy(wide)).toEqual(groups)
  })

  it.each<[string, Buffer, string]>([
    [
      'beyond int32',
      npy(dictionary('<i8', '(2,)'), BigInt64Array.of(1n, 1n << 31n)),
      'expected an int32 at element 1, received 2147483648',
    ],
    ['of floats', npy(dictionary('<f4', '(2,)'), 8), 'expected int32 elements, received <f4'],
    [
      'of two dimensions',
      npy(dictionary('<i4', '(2, 1)'), 8),
      'expected 1 dimension, received 2: the shape (2, 1)',
    ],
    [
      'cut short',
      npy(dictionary('<i4', '(2,)'), 7),
      'expected 8 bytes of elements for the shape (2,), received 7',
    ],
  ])('%s is refused', async (_, content, sentence) => {
    const path = folder.write('list.npy', content)
    await expectFileError(() => readInt32Npy(path), `${path}: ${sentence}`)
  })
})

it('the parser of .npy files survives damage', async () => {
  const originals = [
    npy(dictionary('<f4', '(3, 2)'), values),
    npy(dictionary('<f2', '(4, 3)'), 24, 2),
    npy(dictionary('|u1', '(2, 7)'), 14, 3),
    npy(dictionary('>i8', '(2, 2)', 'True'), 32),
    Buffer.concat(formatNpy({ data: values, shape: [2, 3] })),
  ]
  await expectSurvival(
    'X.npy',
    originals,
    (content) => parseNpy(content, 'X.npy'),
    ({ data, rows, cols }) => {
      if (rows < 1 || cols < 1 || data.length !== rows * cols) throw new Error('ill-formed matrix')
    },
  )
})
