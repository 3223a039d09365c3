import { mkdirSync, readFileSync, statSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  closeMatrix,
  formatNpy,
  loadNpy,
  openNpy,
  parseNpy,
  parseNpyHeader,
} from '../../lib/data/npy'
import { readInt32Npy, readNpy, writeNpy } from '../../lib/data/npy'
import type { DenseMatrix, MatrixFile } from '../../lib/data/matrix'
import { errorOf, expectFileError, misaligned, realFile, temporaryFolder } from './files'
import { expectSurvival } from './mutations'

const folder = temporaryFolder()

/** A `.npy` file with the given dictionary and elements. */
function npy(dictionary: string, elements: ArrayBufferView | number = 0, version = 1): Buffer {
  const start = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0, 0, 0, 0, 0])
  const head = start.subarray(0, version === 1 ? 10 : 12)
  const text = Buffer.from(`${dictionary}\n`)
  head.writeUIntLE(text.length, 8, head.length - 8)
  const data =
    typeof elements === 'number'
      ? Buffer.alloc(elements)
      : Buffer.from(elements.buffer, elements.byteOffset, elements.byteLength)
  return Buffer.concat([head, text, data])
}

const dictionary = (descr: string, shape: string, fortran = 'False') =>
  `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }`

const values = Float32Array.of(1, -2.5, 3e-30, 4, 5, 6)

describe('a .npy file', () => {
  it('has the bytes that NumPy writes', () => {
    const written = Buffer.concat(formatNpy({ data: values, shape: [3, 2] }))
    const header = `\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }`
    expect(written.toString('latin1', 0, 128)).toBe(`${header.padEnd(127)}\n`)
    expect(written.subarray(128)).toEqual(Buffer.from(values.buffer))
    const list = Buffer.concat(formatNpy({ data: Int32Array.of(7), shape: [1] }))
    expect(list.toString('latin1', 10, 65)).toBe(
      "{'descr': '<i4', 'fortran_order': False, 'shape': (1,), }".slice(0, 55),
    )
  })

  it('is written without copying the elements', () => {
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

  it.each([
    ['<f4', 'float32', Float32Array],
    ['=f4', 'float32', Float32Array],
    ['|f4', 'float32', Float32Array],
    ['f8', 'float64', Float64Array],
    ['<f2', 'float16', Uint16Array],
    ['|u1', 'uint8', Uint8Array],
    ['<u1', 'uint8', Uint8Array],
    ['>i1', 'int8', Int8Array],
  ])('of %s is read as %s', (descr, type, Elements) => {
    const data = Elements.of(1, 2, 3, 4, 5, 6)
    const file = npy(dictionary(descr, '(3, 2)'), data)
    for (const content of [file, misaligned(file)]) {
      const matrix = parseNpy(content, 'X.npy')
      expect(matrix).toEqual({ data, rows: 3, cols: 2, type })
    }
  })

  it.each([1, 2, 3])('of version %i is read', (version) => {
    expect(parseNpy(npy(dictionary('<f4', '(3, 2)'), values, version), 'X.npy').data).toEqual(
      values,
    )
  })

  it('is read in other spellings of the same dictionary', () => {
    const spelt = `{"shape":(3L,2L,) ,"descr" : "<f4",'fortran_order':False}  `
    expect(parseNpyHeader(npy(spelt), 'X.npy')).toMatchObject({ descr: '<f4', shape: [3, 2] })
    expect(parseNpyHeader(npy(dictionary('|S3', '()')), 'X.npy').shape).toEqual([])
  })

  it.each(['(6, 1)', '(1, 6)'])('of shape %s has no order', (shape) => {
    expect(parseNpy(npy(dictionary('<f4', shape, 'True'), values), 'X.npy').data).toEqual(values)
  })

  it('of real data is read', async () => {
    const path = realFile('minilm_scifact/queries.npy')
    if (!path) return
    const matrix = await readNpy(path)
    expect(matrix).toMatchObject({ rows: 1109, cols: 384, type: 'float16' })
    expect(readFileSync(path).subarray(128).equals(Buffer.from(matrix.data.buffer))).toBe(true)
  })
})

describe('a .npy file larger than the limit', () => {
  it('stays open and is closed once', async () => {
    const path = folder.path('large.npy')
    await writeNpy(path, { data: values, shape: [3, 2] })
    const inMemory = (await loadNpy(path, { limit: 24 })) as DenseMatrix
    expect(inMemory.data).toEqual(values)
    const file = (await loadNpy(path, { limit: 23 })) as MatrixFile
    expect(file).toEqual({ path, fd: file.fd, offset: 128, rows: 3, cols: 2, type: 'float32' })
    await closeMatrix(file)
    await expectFileError(() => closeMatrix(file), `${path}: the system reports EBADF`)
    await closeMatrix(inMemory)
  })

  it('leaves no file open after a refusal', async () => {
    const { fd } = await openNpy(folder.path('large.npy')).then((file) =>
      closeMatrix(file).then(() => file),
    )
    const path = folder.write('cut.npy', npy(dictionary('<f4', '(3, 2)'), 23))
    for (let i = 0; i < 20; i++) await errorOf(() => readNpy(path))
    const again = await openNpy(folder.path('large.npy'))
    expect(again.fd).toBeLessThan(fd + 10)
    await closeMatrix(again)
  })

  it('wants a limit in bytes', async () => {
    expect(await errorOf(() => loadNpy('X.npy', { limit: NaN }))).toMatchObject({
      message: 'Expected a number of bytes for limit, received NaN',
    })
  })
})

const full = dictionary('<f4', '(12, 5)')
const elements = 'float32, float64, float16, uint8 or int8 elements'

describe('a .npy file is refused', () => {
  it.each<[string, Uint8Array, string]>([
    ['when empty', Buffer.alloc(0), 'expected a NumPy .npy file, received an empty file'],
    [
      'with another magic string',
      Buffer.from('PK\x03\x04 this is something else'),
      'expected a NumPy .npy file, which begins with 93 4e 55 4d 50 59, received 50 4b 03 04 20 74',
    ],
    [
      'when it is only the magic string',
      npy(full).subarray(0, 7),
      'expected a header of 8 bytes, received a file cut short after 7',
    ],
    [
      'in version 4',
      npy(full, 240, 4),
      'expected version 1, 2 or 3 of the .npy format, received 4',
    ],
    [
      'when cut in its header',
      npy(full).subarray(0, 40),
      'expected a header of 71 bytes, received a file cut short after 40',
    ],
    [
      'when cut in its elements',
      npy(full, 239),
      'expected 240 bytes of elements for the shape (12, 5), received 239',
    ],
    [
      'when longer',
      npy(full, 241),
      'expected 240 bytes of elements for the shape (12, 5), received 241',
    ],
    [
      'with 1e12 rows claimed',
      npy(dictionary('<f4', '(1000000000000, 4)'), 64),
      'expected 16000000000000 bytes of elements for the shape (1000000000000, 4), received 64',
    ],
    ['big-endian', npy(dictionary('>f4', '(12, 5)'), 240), `expected ${elements}, received >f4`],
    ['complex', npy(dictionary('<c8', '(12, 5)'), 480), `expected ${elements}, received <c8`],
    ['of int32', npy(dictionary('<i4', '(12, 5)'), 240), `expected ${elements}, received <i4`],
    ['of objects', npy(dictionary('|O', '(12, 5)'), 240), `expected ${elements}, received |O`],
    [
      'structured',
      npy(`{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (12, 5), }`, 240),
      `expected ${elements}, received [('a', '<f4')]`,
    ],
    [
      'in Fortran order',
      npy(dictionary('<f4', '(12, 5)', 'True'), 240),
      'expected C order, one row after the other, received Fortran order',
    ],
    [
      'of three dimensions',
      npy(dictionary('<f4', '(3, 4, 5)'), 240),
      'expected 2 dimensions, rows and columns, received 3: the shape (3, 4, 5)',
    ],
    [
      'of one dimension',
      npy(dictionary('<f4', '(5,)'), 20),
      'expected 2 dimensions, rows and columns, received 1: the shape (5,)',
    ],
    [
      'without rows',
      npy(dictionary('<f4', '(0, 5)')),
      'expected at least one row and one column, received the shape (0, 5)',
    ],
    [
      'without columns',
      npy(dictionary('<f4', '(5, 0)')),
      'expected at least one row and one column, received the shape (5, 0)',
    ],
    [
      'with a negative side',
      npy(dictionary('<f4', '(-3, 5)')),
      'expected a shape of at most 64 non-negative integers, received (-3, 5)',
    ],
    [
      'with an entry twice',
      npy(`{'descr': '<f4', 'descr': '<f4', 'shape': (1, 1)}`),
      `expected a header with descr, fortran_order and shape, received {'descr': '<f4', 'descr': '<f4', 'shape': (1, 1)}`,
    ],
    [
      'with code in its header',
      npy(`{'descr': '<f4', 'fortran_order': False, 'shape': exit()}`),
      `expected a header with descr, fortran_order and shape, received {'descr': '<f4', 'fortran_order': False, 'shape': exit()}`,
    ],
  ])('%s', async (_, content, sentence) => {
    await expectFileError(() => parseNpy(content, 'X.npy'), `X.npy: ${sentence}`)
    const path = folder.write('X.npy', content)
    await expectFileError(() => readNpy(path), `${path}: ${sentence}`)
    await expectFileError(() => openNpy(path), `${path}: ${sentence}`)
  })

  it('with a header beyond the limit', async () => {
    const content = npy(full, 0, 2)
    content.writeUInt32LE(2 ** 31, 8)
    await expectFileError(
      () => parseNpy(content, 'X.npy'),
      'X.npy: expected a header of at most 65535 bytes, received 2147483648',
    )
  })

  it('when it is no file', async () => {
    mkdirSync(folder.path('folder.npy'))
    const [absent, inFile] = [folder.path('absent.npy'), folder.path('X.npy/in.npy')]
    folder.write('X.npy', npy(full))
    await expectFileError(() => readNpy(absent), `${absent}: there is no such file or folder`)
    await expectFileError(() => readNpy(inFile), `${inFile}: a part of its path is not a folder`)
    const path = folder.path('folder.npy')
    await expectFileError(() => readNpy(path), `${path}: expected a file, received a folder`)
    await expectFileError(() => readNpy('a\0b'), 'a\0b: expected a path without zero bytes')
    const nowhere = folder.path('none/W.npy')
    await expectFileError(
      () => writeNpy(nowhere, { data: values, shape: [6] }),
      `${nowhere}: there is no such file or folder`,
    )
    expect(await errorOf(() => readNpy(undefined as never))).toBeInstanceOf(TypeError)
  })

  it('for writing when the shape does not fit', async () => {
    const error = await errorOf(() =>
      writeNpy(folder.path('W.npy'), { data: values, shape: [2, 2] }),
    )
    expect(error).toMatchObject({
      message: 'Expected 4 elements for the shape (2, 2) for data, received 6',
    })
    expect(() => statSync(folder.path('W.npy'))).toThrow()
  })
})

describe('a list of int32', () => {
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

it('the parser of .npy files survives damage', () => {
  const originals = [
    npy(dictionary('<f4', '(3, 2)'), values),
    npy(dictionary('<f2', '(4, 3)'), 24, 2),
    npy(dictionary('|u1', '(2, 7)'), 14, 3),
    Buffer.concat(formatNpy({ data: values, shape: [2, 3] })),
  ]
  expectSurvival(
    'X.npy',
    originals,
    (content) => parseNpy(content, 'X.npy'),
    ({ data, rows, cols }) => {
      if (rows < 1 || cols < 1 || data.length !== rows * cols) throw new Error('ill-formed matrix')
    },
  )
})
