import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { elementTypeNames, elementTypes } from '../../lib/data/element-types'
import { formatSafetensors, parseSafetensors } from '../../lib/data/safetensors'
import { readSafetensors, writeSafetensors } from '../../lib/data/safetensors'
import { errorOf, expectFileError, misaligned, temporaryFolder } from './files'
import { expectSurvival } from './mutations'

const folder = temporaryFolder()

const contents = {
  tensors: {
    W: { data: Float32Array.of(1, 2, 3, 4, 5, 6), shape: [3, 2] },
    H: { data: Float32Array.of(-1, 0.5), shape: [2, 1] },
    empty: { data: new Float32Array(0), shape: [0, 7] },
  },
  metadata: { model: 'semi-nmf', note: 'naïve "quote"\n' },
}

/** The same, with the type of every tensor. */
const asRead = {
  ...contents,
  tensors: Object.fromEntries(
    Object.entries(contents.tensors).map(([name, each]) => [name, { ...each, type: 'float32' }]),
  ),
}

/** A file with any header. */
function file(header: unknown, data: Uint8Array = new Uint8Array(8)): Buffer {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(text.length))
  return Buffer.concat([length, text, data])
}

const tensor = (shape: unknown, offsets: unknown, dtype: unknown = 'F32') => ({
  dtype,
  shape,
  data_offsets: offsets,
})

describe('a safetensors file', () => {
  it('has the bytes of the format', async () => {
    const tensors = { a: { data: Float32Array.of(1.5), shape: [1, 1] } }
    const written = Buffer.concat(await formatSafetensors({ tensors, metadata: { k: 'v' } }))
    const header =
      '{"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]}}'
    const length = Math.ceil(header.length / 8) * 8
    const expected = file(header.padEnd(length), new Uint8Array(Float32Array.of(1.5).buffer))
    expect(written).toEqual(expected)
  })

  it('comes back as it was written', async () => {
    const path = folder.path('model.safetensors')
    await writeSafetensors(path, contents)
    expect(await readSafetensors(path)).toEqual(asRead)
    expect(await readSafetensors(folder.write('m.gz', gzipSync(readFileSync(path))))).toEqual(
      asRead,
    )
    const written = Buffer.concat(await formatSafetensors(contents))
    expect(await parseSafetensors(misaligned(written), 'model.safetensors')).toEqual(asRead)
  })

  it('is written without copying the elements', async () => {
    const pieces = await formatSafetensors(contents)
    expect(pieces.map(({ buffer }) => buffer)).toContain(contents.tensors.W.data.buffer)
  })

  it('may lack metadata, and list its tensors in any order', async () => {
    const data = new Uint8Array(Float32Array.of(1, 2).buffer)
    const header = { b: tensor([1], [4, 8]), a: tensor([], [0, 4]) }
    expect(await parseSafetensors(file(header, data), 'm.safetensors')).toEqual({
      tensors: {
        a: { data: Float32Array.of(1), shape: [], type: 'float32' },
        b: { data: Float32Array.of(2), shape: [1], type: 'float32' },
      },
      metadata: {},
    })
  })

  it('may hold tensors of every type', async () => {
    const tensors = Object.fromEntries(
      elementTypeNames.map((type) => [
        type,
        { data: new elementTypes[type].array(2), shape: [2], type },
      ]),
    )
    const written = Buffer.concat(await formatSafetensors({ tensors, metadata: {} }))
    expect((await parseSafetensors(written, 'm.safetensors')).tensors).toEqual(tensors)
    const unknown = file({ a: tensor([8], [0, 8], 'F8_E4M3') })
    expect((await parseSafetensors(unknown, 'm.safetensors')).tensors).toEqual({
      a: { data: new Uint8Array(8), shape: [8] },
    })
  })

  it('may name a tensor __proto__', async () => {
    const header = `{"__proto__":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`
    const { tensors } = await parseSafetensors(file(header), 'm.safetensors')
    expect(Object.keys(tensors)).toEqual(['__proto__'])
    expect(Object.getPrototypeOf(tensors)).toBe(Object.prototype)
  })

  const deep = `{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}`

  it.each<[string, Uint8Array, string]>([
    ['of 7 bytes', Buffer.alloc(7), 'expected a safetensors file, received 7 bytes'],
    [
      'with a header beyond its end',
      Buffer.from('9000000000000000', 'hex'),
      'expected a safetensors header of at most 0 bytes, received 144',
    ],
    [
      'with a huge header claimed',
      Buffer.alloc(20, 0xff),
      'expected a safetensors header of at most 12 bytes, received 18446744073709551615',
    ],
    [
      'without JSON',
      file('{"a":'),
      'expected a JSON object as the safetensors header, received {"a":',
    ],
    ['with a list', file('[]'), 'expected a JSON object as the safetensors header, received []'],
    [
      'with a number in its metadata',
      file({ __metadata__: { rank: 3 } }),
      'expected an object of strings for __metadata__, received an object',
    ],
    [
      'of float16 and too short',
      file({ a: tensor([5], [0, 8], 'F16') }),
      'expected 10 bytes of data for the tensor a, received 8',
    ],
    [
      'of another type and below nothing',
      file({ a: tensor([5], [8, 0], 'F8_E4M3') }),
      'expected 0 bytes of data for the tensor a, received -8',
    ],
    ['without a dtype', file({ a: {} }), 'expected a dtype for the tensor a, received undefined'],
    [
      'with a number for a tensor',
      file({ a: 1 }),
      'expected an object for the tensor a, received 1',
    ],
    [
      'with a name twice',
      file('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"\\u0061":1}'),
      'expected every tensor once, received a twice',
    ],
    [
      'with a comma too many',
      file('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},}'),
      'expected a JSON object as the safetensors header, received {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},}',
    ],
    [
      'with text behind the header',
      file('{} 1'),
      'expected a JSON object as the safetensors header, received {} 1',
    ],
    [
      'with a megabyte about a tensor',
      file(`{"a":[${'1,'.repeat(1 << 19)}1]}`),
      'expected at most 1048576 bytes about the tensor a, received 1048579',
    ],
    [
      'with a deep header',
      file(deep),
      'expected an object for the tensor a, received an array of 1',
    ],
    [
      'with a negative side',
      file({ a: tensor([-2], [0, 8]) }),
      'expected a shape of non-negative integers for the tensor a, received an array of 1',
    ],
    [
      'with one offset',
      file({ a: tensor([2], [8]) }),
      'expected two data_offsets for the tensor a, received an array of 1',
    ],
    [
      'with offsets that do not fit the shape',
      file({ a: tensor([3], [0, 8]) }),
      'expected 12 bytes of data for the tensor a, received 8',
    ],
    [
      'with 1e12 rows claimed',
      file({ a: tensor([1e12, 4], [0, 16e12]) }),
      'expected 16000000000000 bytes of data, received 8',
    ],
    [
      'with tensors that overlap',
      file({ a: tensor([1], [0, 4]), b: tensor([2], [0, 8]) }),
      'expected the tensor b to begin at byte 4 of the data, received 0',
    ],
    [
      'with a gap',
      file({ a: tensor([1], [4, 8]) }),
      'expected the tensor a to begin at byte 0 of the data, received 4',
    ],
    ['that is longer', file({ a: tensor([1], [0, 4]) }), 'expected 4 bytes of data, received 8'],
  ])('%s is refused', async (_, content, sentence) => {
    await expectFileError(
      () => parseSafetensors(content, 'm.safetensors'),
      `m.safetensors: ${sentence}`,
    )
    const path = folder.write('bad.safetensors', content)
    await expectFileError(() => readSafetensors(path), `${path}: ${sentence}`)
  })

  it('is not written when a shape does not fit', async () => {
    const tensors = { W: { data: new Float32Array(3), shape: [2, 2] } }
    const error = await errorOf(() => formatSafetensors({ tensors, metadata: {} }))
    expect(error).toMatchObject({
      message: 'Expected 4 elements for its shape for tensors.W.data, received 3',
    })
    const taken = { __metadata__: { data: new Float32Array(1), shape: [1] } }
    expect(await errorOf(() => formatSafetensors({ tensors: taken, metadata: {} }))).toBeInstanceOf(
      TypeError,
    )
  })

  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'objects of tensors and metadata for contents, received undefined'],
    ['numbers as metadata', { tensors: {}, metadata: { rank: 3 } }, 'metadata.rank, received 3'],
    [
      'a list of numbers',
      { tensors: { W: { data: [1], shape: [1] } }, metadata: {} },
      'for tensors.W.data, received an array of 1',
    ],
    [
      '16 bits of who knows what',
      { tensors: { W: { data: new Uint16Array(1), shape: [1] } }, metadata: {} },
      "a Uint16Array with type 'float16', 'bfloat16', 'uint16' for tensors.W.data",
    ],
    [
      'no shape',
      { tensors: { W: { data: new Float32Array(1) } }, metadata: {} },
      'non-negative integers for tensors.W.shape, received undefined',
    ],
  ])('is not written from %s', async (_, given, message) => {
    const error = await errorOf(() =>
      writeSafetensors(folder.path('no.safetensors'), given as never),
    )
    expect(error).toMatchObject({ message: expect.stringContaining(message) })
  })
})

it('the parser of safetensors survives damage', async () => {
  const originals = [
    Buffer.concat(await formatSafetensors(contents)),
    file({ b: tensor([1], [4, 8]), a: tensor([2], [0, 4], 'BF16') }),
  ]
  const run = (content: Uint8Array) => parseSafetensors(content, 'm.safetensors')
  await expectSurvival('m.safetensors', originals, run, ({ tensors, metadata }) => {
    for (const { data, shape, type } of Object.values(tensors))
      if (type && data.length !== shape.reduce((a, b) => a * b, 1))
        throw new Error('ill-formed tensor')
    if (Object.values(metadata).some((text) => typeof text !== 'string'))
      throw new Error('ill-formed text')
  })
})
