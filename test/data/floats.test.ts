import { describe, expect, it } from 'vitest'
import { toFloat32 } from '../../lib/data/floats'

describe('toFloat32', () => {
  it('widens half precision as NumPy does, subnormals, infinities and -0 too', async () => {
    const bits = Uint16Array.of(
      0,
      1,
      0x8001,
      0x03ff,
      0x0400,
      0x3c00,
      0xc500,
      0x7bff,
      0x7c00,
      0x8000,
    )
    const [smallest, ...others] = [2 ** -24, 1023 * 2 ** -24, 2 ** -14, 1, -5, 65504, Infinity, -0]
    expect(Array.from(await toFloat32('x.npy', bits, 'float16', 1))).toEqual(
      [0, smallest, -smallest!].concat(others),
    )
    expect(await toFloat32('x.npy', Uint16Array.of(0x7e00), 'float16', 1)).toEqual(
      Float32Array.of(NaN),
    )
  })

  it('names row and column of an integer beyond 2^53', async () => {
    const data = BigInt64Array.of(1n, 2n ** 53n, 3n, -(2n ** 53n) - 1n)
    await expect(toFloat32('x.npy', data, 'int64', 2)).rejects.toThrow(
      'x.npy: expected an integer from -2^53 to 2^53 at row 1, column 1, received -9007199254740993',
    )
  })
})
