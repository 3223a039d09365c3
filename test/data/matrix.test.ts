import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import {
  fromRows,
  fromRowsAsync,
  toDenseView,
  type Float16Data,
  type MatrixInput,
} from '../../lib/data/matrix'
import { toSparseView } from '../../lib/data/sparse'

const six = Float32Array.of(1, 2, 3, 4, 5, 6)

function detached(): Float32Array {
  const data = six.slice()
  structuredClone(data.buffer, { transfer: [data.buffer] })
  return data
}

describe('toDenseView', () => {
  it.each<[string, MatrixInput, object]>([
    [
      'rows and columns',
      { data: six, rows: 2, cols: 3 },
      { rows: 2, cols: 3, stride: 3, type: 'float32' },
    ],
    ['a stride', { data: six, rows: 2, cols: 2, stride: 3 }, { rows: 2, cols: 2, stride: 3 }],
    ['a shape', { data: six, shape: [3, 2] }, { rows: 3, cols: 2, stride: 2 }],
    [
      'an ndarray',
      { data: six, shape: [2, 2], stride: [3, 1], offset: 1 },
      { rows: 2, cols: 2, stride: 3 },
    ],
    [
      'a Tensor of a library that has texts too',
      { data: six as Float32Array | string[], dims: [2, 3] },
      { rows: 2 },
    ],
    ['a Tensor', { data: six, dims: [2, 3], type: 'float32' }, { rows: 2, cols: 3 }],
    [
      'a Tensor of float16',
      { data: new Uint16Array(6), dims: [2, 3], type: 'float16' },
      { type: 'float16' },
    ],
    ['int8', { data: new Int8Array(6), rows: 2, cols: 3 }, { type: 'int8' }],
    ['uint8', { data: new Uint8Array(6), rows: 2, cols: 3 }, { type: 'uint8' }],
    ['float64', { data: new Float64Array(6), rows: 2, cols: 3 }, { type: 'float64' }],
    ['int16', { data: new Int16Array(6), rows: 2, cols: 3 }, { type: 'int16' }],
    ['int32', { data: new Int32Array(6), shape: [2, 3] }, { type: 'int32' }],
    ['uint32', { data: new Uint32Array(6), rows: 2, cols: 3 }, { type: 'uint32' }],
    ['int64', { data: new BigInt64Array(6), dims: [2, 3], type: 'int64' }, { type: 'int64' }],
    ['uint64', { data: new BigUint64Array(6), rows: 2, cols: 3 }, { type: 'uint64' }],
    ['uint16', { data: new Uint16Array(6), rows: 2, cols: 3, type: 'uint16' }, { type: 'uint16' }],
    [
      'bfloat16',
      { data: new Uint16Array(6), rows: 2, cols: 3, type: 'bfloat16' },
      { type: 'bfloat16' },
    ],
    ['truth values', { data: new Uint8Array(6), dims: [2, 3], type: 'bool' }, { type: 'bool' }],
    [
      'int8 under another name',
      { data: new Int8Array(6), dims: [2, 3], type: 'q' },
      { type: 'int8' },
    ],
  ])('takes %s', (_, input, expected) => {
    expect(toDenseView('X', input)).toMatchObject(expected)
  })

  it('borrows fixed buffers and shared ones, and copies resizable ones', () => {
    const shared = new Float32Array(new SharedArrayBuffer(24))
    const Resizable = ArrayBuffer as unknown as new (length: number, options: object) => ArrayBuffer
    const resizable = new Float32Array(new Resizable(24, { maxByteLength: 48 }))
    expect(toDenseView('X', { data: six, rows: 2, cols: 3 }).data).toBe(six)
    expect(toDenseView('X', { data: shared, rows: 2, cols: 3 }).data).toBe(shared)
    expect(toDenseView('X', { data: resizable, rows: 2, cols: 3 }).data!.buffer).not.toBe(
      resizable.buffer,
    )
  })

  it('takes room after the last row where a stride or an offset tells where rows lie', () => {
    for (const given of [
      { data: six, rows: 1, cols: 3, stride: 3 },
      { data: six, shape: [1, 3], stride: [3, 1] },
      { data: six, shape: [1, 3], offset: 0 },
    ])
      expect([...toDenseView('X', given).data!]).toEqual([1, 2, 3])
  })

  it('takes an array of another realm', () => {
    const foreign = runInNewContext('Float32Array.of(1, 2, 3, 4, 5, 6)') as Float32Array
    expect(foreign instanceof Float32Array).toBe(false)
    expect(toDenseView('X', { data: foreign, rows: 2, cols: 3 }).type).toBe('float32')
  })

  it.each<[string, unknown, string]>([
    [
      'too little data',
      { data: six, rows: 3, cols: 3 },
      'Expected 9 elements for 3 rows of 3 for X.data, received 6',
    ],
    [
      'too much data',
      { data: six, rows: 1, cols: 3 },
      'Expected 3 elements for 1 rows of 3 for X.data, received 6',
    ],
    [
      'too much data for a shape',
      { data: six, shape: [1, 3] },
      'Expected 3 elements for 1 rows of 3 for X.data, received 6',
    ],
    [
      'too much data for the dims of a Tensor',
      { data: six, dims: [2, 2] },
      'Expected 4 elements for 2 rows of 2 for X.data, received 6',
    ],
    [
      'too little data for a stride',
      { data: six, rows: 2, cols: 2, stride: 5 },
      'Expected at least 7 elements for 2 rows of 2 for X.data, received 6',
    ],
    [
      'bytes of float32',
      { data: Buffer.from(six.buffer), rows: 2, cols: 3 },
      'of 3 (for bytes b of other numbers: new Float32Array(b.buffer, b.byteOffset, 6)) for X.data, received 24',
    ],
    [
      'bytes of float32 at an odd place, where only a copy helps',
      { data: Buffer.alloc(64).subarray(5, 29), rows: 2, cols: 3 },
      'of 3 (for bytes b of other numbers: new Float32Array(b.buffer.slice(b.byteOffset), 0, 6)) for X.data, received 24',
    ],
    [
      'bytes of float64',
      { data: new Uint8Array(48), shape: [2, 3] },
      'new Float64Array(b.buffer, b.byteOffset, 6)) for X.data, received 48',
    ],
    [
      'bytes of float16',
      { data: new Uint8Array(12), dims: [2, 3] },
      "new Uint16Array(b.buffer, b.byteOffset, 6) with type 'float16') for X.data, received 12",
    ],
    [
      'a Buffer of as many bytes as there are entries',
      { data: Buffer.alloc(6), rows: 2, cols: 3 },
      'Expected numbers (new Float32Array(new Uint8Array(b).buffer) for a Buffer b of float32, new Uint8Array(b) for one of uint8) for X.data, received Buffer',
    ],
    [
      'a Buffer of floats whose length fits a stride',
      { data: Buffer.alloc(24), rows: 2, cols: 3, stride: 4 },
      'Expected numbers (new',
    ],
    ['an ndarray over a Buffer', { data: Buffer.alloc(6), shape: [2, 3] }, 'Expected numbers (new'],
    [
      'a type that the data are not of',
      { data: new Uint8Array(6), rows: 2, cols: 3, type: 'int8' },
      "Expected 'uint8', which data holds, for X.type, received 'int8'",
    ],
    [
      'data that was transferred',
      { data: detached(), rows: 2, cols: 3 },
      'for X.data, received 0: its buffer may be detached (transferred)',
    ],
    ['no rows', { data: six, rows: 0, cols: 3 }, 'X.rows'],
    ['a stride below the columns', { data: six, rows: 2, cols: 3, stride: 2 }, 'X.stride'],
    ['plain numbers', { data: [1, 2], rows: 1, cols: 2 }, 'X.data'],
    [
      '16 bits of who knows what',
      { data: new Uint16Array(6), rows: 2, cols: 3 },
      "or a Uint16Array with type 'float16', 'bfloat16', 'uint16' for X.data, received a Uint16Array without its type",
    ],
    ['three dimensions', { data: six, shape: [1, 2, 3] }, 'two dimensions'],
    [
      'columns that are not next to each other',
      { data: six, shape: [2, 2], stride: [1, 2] },
      'X.stride',
    ],
    ['nothing', null, 'Expected a matrix { data, rows, cols } for X, received null'],
    ['elements alone', six, 'a matrix { data, rows, cols } for X, received Float32Array'],
    ['an array of rows', [[1, 2]], 'which fromRows() makes of rows for X, received an array of 1'],
    ['no data', { rows: 1, cols: 1 }, 'for X, received an object without data'],
    [
      'a sparse matrix',
      { rows: 1, cols: 1, indptr: Int32Array.of(0, 0) },
      'Expected a dense matrix for X, received a sparse one',
    ],
    ['no shape', { data: six, shape: 6 }, 'rows and columns for X.shape, received 6'],
    ['one stride', { data: six, shape: [6, 1], stride: [1] }, 'Expected two strides for X.stride'],
  ])('names what is wrong with %s', (_, input, message) => {
    expect(() => toDenseView('X', input as MatrixInput)).toThrow(message)
  })

  it('takes a Buffer whose bytes are said to be the numbers', () => {
    const data = Buffer.from([1, 2, 3, 4, 5, 6])
    expect(toDenseView('X', { data, rows: 2, cols: 3, type: 'uint8' }).type).toBe('uint8')
    expect(toDenseView('X', { data, dims: [2, 3], type: 'uint8' }).type).toBe('uint8')
    expect(toDenseView('X', { data: new Uint8Array(data), rows: 2, cols: 3 }).type).toBe('uint8')
  })

  it.each([
    ['Float32Array', 4],
    ['Float64Array', 8],
    ['Uint16Array', 2],
  ])('prints a remedy for bytes of a %s that works wherever they begin', (Kind, bytes) => {
    const pool = Buffer.alloc(128)
    for (let begin = 0; begin < 9; begin++) {
      const b = pool.subarray(begin, begin + 6 * bytes)
      const message = (() => {
        try {
          return String(toDenseView('X', { data: b, rows: 2, cols: 3 }))
        } catch (error) {
          return (error as Error).message
        }
      })()
      const remedy = new RegExp(`numbers: (new ${Kind}\\(.*?\\))(?: with type 'float16')?\\) for X`)
      const code = remedy.exec(message)![1]!
      const numbers = new Function('b', `return ${code}`)(b) as Float32Array
      expect(numbers.length).toBe(6)
      expect(Buffer.from(numbers.buffer, numbers.byteOffset, b.length)).toEqual(b)
    }
  })

  it('takes no text for a Tensor, as the compiler tells', () => {
    // @ts-expect-error data is neither an array nor a list
    expect(() => toDenseView('X', { data: 'nonsense', dims: [1, 3] })).toThrow('X.data')
  })

  it.each([-1, NaN, 0.5, '1', 5])('takes no offset of %s', (offset) => {
    const view = { data: six, shape: [1, 2], offset } as MatrixInput
    expect(() => toDenseView('X', view)).toThrow(/for X\.(offset|data), received/)
  })

  it.each([-3, NaN, 2.5, 1, '2'])('takes no stride of %s', (stride) => {
    expect(() =>
      toDenseView('X', { data: six, shape: [2, 2], stride: [stride, 1] } as never),
    ).toThrow('an integer of at least 2 for X.stride')
    expect(() => toDenseView('X', { data: six, rows: 2, cols: 2, stride } as never)).toThrow(
      'an integer of at least 2 for X.stride',
    )
  })

  it('takes a Float16Array, which not every compiler knows, as its bits', () => {
    const bits = Uint16Array.of(0x3c00, 0x4000)
    // As Node.js 24 has them.
    const data: Float16Data = Object.defineProperty(bits.slice() as never, Symbol.toStringTag, {
      value: 'Float16Array',
    })
    const view = toDenseView('X', { data, rows: 1, cols: 2 })
    expect(view).toEqual({ data: bits, rows: 1, cols: 2, stride: 2, type: 'float16' })
    expect(toDenseView('X', { data, shape: [1, 2] }).data).toEqual(bits)
  })
})

describe('fromRowsAsync', () => {
  it('gives what fromRows gives, and the same errors', async () => {
    const rows = Array.from({ length: 700 }, (_, i) => Float64Array.from({ length: 300 }, () => i))
    expect(await fromRowsAsync(rows)).toEqual(fromRows(rows))
    for (const wrong of [[], [[1, 2], [3]], [[1], null], [['a']], [[NaN]], undefined] as never[]) {
      const refused = await fromRowsAsync(wrong).catch((error: Error) => error.message)
      expect(() => fromRows(wrong)).toThrow(refused as string)
    }
  })
})

describe('fromRows', () => {
  it('copies rows into one matrix', () => {
    expect(fromRows([[1, 2], Float64Array.of(3, 4)])).toEqual({
      data: Float32Array.of(1, 2, 3, 4),
      rows: 2,
      cols: 2,
    })
  })

  it('names the row that differs', () => {
    expect(() => fromRows([[1, 2], [3]])).toThrow(
      'Expected 2 numbers, as in rows[0] for rows[1], received 1 numbers',
    )
    expect(() => fromRows([])).toThrow('at least one row')
    expect(() => (fromRows as (...none: unknown[]) => void)()).toThrow(
      'for rows, received undefined',
    )
    expect(() => fromRows([1, 2] as never)).toThrow('at least one row of at least one number')
    expect(() => fromRows([[1], null] as never)).toThrow('for rows[1], received null')
    // eslint-disable-next-line no-sparse-arrays
    expect(() => fromRows([[1], , [2]] as never)).toThrow('for rows[1], received undefined')
    expect(() => fromRows([['a']] as never)).toThrow('rows[0][0]')
  })

  it('names the entry that is not finite, as it was given', () => {
    const make = (value: number) => () => fromRows([Float64Array.of(1, 3.4e38), [1, value]])
    const place = 'at row 1, column 1 of rows, received'
    expect(make(NaN)).toThrow(`Expected a finite number ${place} NaN`)
    expect(make(-Infinity)).toThrow(`Expected a finite number ${place} -Infinity`)
    expect(make(1e300)).toThrow(`Expected a number within float32's range ${place} 1e+300`)
  })
})

describe('toSparseView', () => {
  const X = {
    rows: 2,
    cols: 4,
    indptr: Int32Array.of(0, 2, 3),
    indices: Int32Array.of(0, 3, 1),
    values: Float32Array.of(5, 6, 7),
  }

  it('takes row starts of any integer type', async () => {
    const { indptr } = await toSparseView('X', { ...X, indptr: BigInt64Array.of(0n, 2n, 3n) })
    expect(indptr).toEqual(Float64Array.of(0, 2, 3))
  })

  it.each<[string, object, string]>([
    ['a column beyond the last', { indices: Int32Array.of(0, 4, 1) }, 'X.indices[1]'],
    [
      'columns that do not ascend',
      { indices: Int32Array.of(3, 0, 1) },
      'Expected columns that ascend within row 0, without repeats for X.indices[1], received 0 after 3',
    ],
    ['a column below zero', { indices: Int32Array.of(-1, 3, 1) }, 'a column in 0..3'],
    ['row starts that fall', { indptr: Int32Array.of(0, 3, 2) }, 'X.indptr[2]'],
    ['too few row starts', { indptr: Int32Array.of(0, 3) }, 'X.indptr'],
    ['values that are missing', { values: Float32Array.of(5) }, 'X.values'],
    [
      "SciPy's name of the values",
      { values: undefined, data: Float32Array.of(5, 6, 7) },
      'a Float32Array (SciPy calls it data) for X.values, received undefined',
    ],
    [
      'values of float64',
      { values: Float64Array.of(5, 6, 7) },
      'a Float32Array (new Float32Array(values) makes one) for X.values, received Float64Array',
    ],
    ['plain indices', { indices: [0, 3, 1] }, 'for X.indices, received an array of 3'],
    ['no indices', { indices: undefined }, 'for X.indices, received undefined'],
    [
      'indices of int64',
      { indices: BigInt64Array.of(0n, 3n, 1n) },
      '(Int32Array.from(indices, Number) makes one) for X.indices, received BigInt64Array',
    ],
    ['indices of int16', { indices: Int16Array.of(0, 3, 1) }, 'X.indices, received Int16Array'],
    ['plain row starts', { indptr: [0, 2, 3] }, 'for X.indptr, received an array of 3'],
  ])('names %s', async (_, wrong, message) => {
    await expect(toSparseView('X', { ...X, ...wrong })).rejects.toThrow(message)
  })
})
