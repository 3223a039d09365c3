import { mkdirSync, statSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { openNpy, parseNpy } from '../../lib/data/npy'
import { readNpy, writeNpy } from '../../lib/data/npy'
import { formatSafetensors } from '../../lib/data/safetensors'
import { errorOf, expectFileError } from './files'
import { folder, npy, dictionary, values, full, elements, remedy } from './npy-samples'

const safetensors = Buffer.concat(await formatSafetensors({ tensors: {}, metadata: { rank: '3' } }))

describe('a .npy file is refused', () => {
  it.each<[string, Uint8Array, string]>([
    ['when empty', Buffer.alloc(0), 'expected a NumPy .npy file, received an empty file'],
    [
      'when it is a .csv',
      Buffer.from('0.5,1\n2,3\n'),
      'expected a NumPy .npy file, received text: 0.5,1\\n2,3\\n',
    ],
    [
      'when it is a .safetensors',
      safetensors,
      'expected a NumPy .npy file, received a safetensors file',
    ],
    [
      'when it is an .npz',
      Buffer.from('PK\x03\x04 and so on'),
      'expected a NumPy .npy file, received a zip archive, as .npz is',
    ],
    [
      'when it is something else',
      Buffer.of(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a),
      'expected a NumPy .npy file, received an HDF5 file',
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
    [
      'of no known format',
      Buffer.of(0xff, 0x00, 0x80, 0x01),
      'expected a NumPy .npy file, received a file that begins with the bytes ff008001',
    ],
    [
      'complex',
      npy(dictionary('<c8', '(12, 5)'), 480),
      `expected ${elements}, received complex numbers, <c8`,
    ],
    [
      'of extended floats',
      npy(dictionary('<f16', '(12, 5)'), 960),
      `expected ${elements}${remedy}, received floats of more than 8 bytes, <f16`,
    ],
    [
      'of objects',
      npy(dictionary('|O', '(12, 5)'), 240),
      `expected ${elements}${remedy}, received Python objects, |O`,
    ],
    [
      'of bfloat16 as NumPy writes it',
      npy(dictionary('|V2', '(12, 5)'), 120),
      `expected ${elements} (.astype('float32') makes them of bfloat16), received bytes without a type, |V2`,
    ],
    [
      'of no known type',
      npy(dictionary('<q9', '(12, 5)'), 120),
      `expected ${elements}, received <q9`,
    ],
    [
      'structured',
      npy(`{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (12, 5), }`, 240),
      `expected ${elements}, received records, [('a', '<f4')]`,
    ],
    [
      'of records of records',
      npy(
        `{'descr': [('a', '<f4'), ('b', [('c', '>i2'), ('d', '|S3')], (2,))], 'fortran_order': False, 'shape': (12, 5), }`,
        840,
      ),
      `expected ${elements}, received records, [('a', '<f4'), ('b', [('c', '>i2'), ('d', '|S3')], (2,))]`,
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

  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'a matrix { data, rows, cols }, or { data, shape } for array'],
    [
      'other elements',
      { data: new Int16Array(6), shape: [6] },
      'a Float32Array, a Float64Array, an Int32Array or a BigInt64Array for data, received Int16Array',
    ],
    [
      'too few elements',
      { data: values, rows: 3, cols: 3 },
      'Expected 9 elements for 3 rows of 3 for array.data, received 6',
    ],
    [
      'a shape below zero',
      { data: values, shape: [-2, -3] },
      'an array of non-negative integers for shape',
    ],
    [
      'no shape',
      { data: values, shape: 6 },
      'an array of non-negative integers for shape, received 6',
    ],
  ])('for writing when there is %s', async (_, array, message) => {
    const error = await errorOf(() => writeNpy(folder.path('no.npy'), array as never))
    expect(error).toMatchObject({ message: expect.stringContaining(message) })
  })
})
