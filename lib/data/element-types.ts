/**
 * Every element type that a matrix may hold: the array that holds it, and its names in files. Types that
 * share an array with others stand after the one that such an array is taken for.
 */
export const elementTypes = {
  float32: { array: Float32Array, npy: 'f4', safetensors: 'F32' },
  float64: { array: Float64Array, npy: 'f8', safetensors: 'F64' },
  float16: { array: Uint16Array, npy: 'f2', safetensors: 'F16' },
  bfloat16: { array: Uint16Array, npy: undefined, safetensors: 'BF16' },
  int8: { array: Int8Array, npy: 'i1', safetensors: 'I8' },
  uint8: { array: Uint8Array, npy: 'u1', safetensors: 'U8' },
  int16: { array: Int16Array, npy: 'i2', safetensors: 'I16' },
  uint16: { array: Uint16Array, npy: 'u2', safetensors: 'U16' },
  int32: { array: Int32Array, npy: 'i4', safetensors: 'I32' },
  uint32: { array: Uint32Array, npy: 'u4', safetensors: 'U32' },
  int64: { array: BigInt64Array, npy: 'i8', safetensors: 'I64' },
  uint64: { array: BigUint64Array, npy: 'u8', safetensors: 'U64' },
  bool: { array: Uint8Array, npy: 'b1', safetensors: 'BOOL' },
} as const

/** The element types that a dense matrix may hold; everything is computed as if converted to float32 first. */
export type ElementType = keyof typeof elementTypes

/** An array of elements; float16 and bfloat16 as their bits, truth values as bytes. */
export type DenseData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array

export const elementTypeNames = Object.keys(elementTypes) as ElementType[]

export const isFloat = (type: ElementType) => type.includes('float')

/** In bytes. */
export const sizeOf = (type: ElementType): number => elementTypes[type].array.BYTES_PER_ELEMENT

const typesBy = (name: 'npy' | 'safetensors') =>
  new Map(elementTypeNames.map((type) => [elementTypes[type][name], type]))

export const npyTypes: ReadonlyMap<string | undefined, ElementType> = typesBy('npy')
export const safetensorsTypes: ReadonlyMap<string | undefined, ElementType> = typesBy('safetensors')

/** The types that arrays of a kind, such as `Int8Array`, may hold. */
const typesOfKind = (kind: string): readonly ElementType[] =>
  elementTypeNames.filter((type) => elementTypes[type].array.name === kind)

/** An array that several types share is taken for the first of them, but this one holds more than integers. */
const ambiguousKind = 'Uint16Array'

const kinds = [...new Set(elementTypeNames.map((type) => elementTypes[type].array.name))]

/** Every kind of array that holds elements, as messages list them. */
export const wantedArrays =
  `a ${kinds.filter((kind) => kind !== ambiguousKind).join(', ')}, Float16Array, ` +
  `or a ${ambiguousKind} with type '${typesOfKind(ambiguousKind).join("', '")}'`

/** What an array holds, by its kind and the type that was declared for it; nothing where neither tells. */
export function typeOfArray(kind: string, declared: string | undefined): ElementType | undefined {
  if (kind === 'Float16Array') return 'float16'
  const types = typesOfKind(kind)
  return types.find((type) => type === declared) ?? (kind === ambiguousKind ? undefined : types[0])
}

/** Elements over bytes of this machine's order, borrowed where they are aligned and copied where not. */
export function elementsOver(bytes: Uint8Array, type: ElementType): DenseData {
  const Elements = elementTypes[type].array
  const size = Elements.BYTES_PER_ELEMENT
  const aligned = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes)
  return new Elements(aligned.buffer as ArrayBuffer, aligned.byteOffset, aligned.byteLength / size)
}
