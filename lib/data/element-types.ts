/**
 * All element types of matrices, with their array types and their names in files. If types share an array
 * type, the first is the one that is assumed.
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

/** Element types of dense matrices. Results are as if the elements had been converted to float32 first. */
export type ElementType = keyof typeof elementTypes

/** An array of elements; float16 and bfloat16 as their bits, booleans as bytes. */
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

/** Size of an element in bytes. */
export const sizeOf = (type: ElementType): number => elementTypes[type].array.BYTES_PER_ELEMENT

const typesBy = (name: 'npy' | 'safetensors') =>
  new Map(elementTypeNames.map((type) => [elementTypes[type][name], type]))

export const npyTypes: ReadonlyMap<string | undefined, ElementType> = typesBy('npy')
export const safetensorsTypes: ReadonlyMap<string | undefined, ElementType> = typesBy('safetensors')

const nameOfArray = (type: ElementType) => elementTypes[type].array.name

/** The element types of each array type, such as `Int8Array`. */
const typesOfKind: ReadonlyMap<string, readonly ElementType[]> = new Map(
  elementTypeNames.map((type) => [
    nameOfArray(type),
    elementTypeNames.filter((other) => nameOfArray(other) === nameOfArray(type)),
  ]),
)

/**
 * For an array type of several element types the first is assumed, except for this one, which may also hold
 * floats.
 */
const ambiguousKind = 'Uint16Array'

const kinds = [...typesOfKind.keys()]

/** All array types of elements, as listed in messages. */
export const wantedArrays =
  `a ${kinds.filter((kind) => kind !== ambiguousKind).join(', ')}, Float16Array, ` +
  `or a ${ambiguousKind} with type '${typesOfKind.get(ambiguousKind)!.join("', '")}'`

/**
 * The element type of an array by its array type and its declared type; undefined if neither determines it.
 */
export function typeOfArray(kind: string, declared: string | undefined): ElementType | undefined {
  if (kind === 'Float16Array') return 'float16'
  const types = typesOfKind.get(kind) ?? []
  return types.find((type) => type === declared) ?? (kind === ambiguousKind ? undefined : types[0])
}

/** An array of elements over bytes in this machine's order; borrowed if aligned, otherwise copied. */
export function elementsOver(bytes: Uint8Array, type: ElementType): DenseData {
  const Elements = elementTypes[type].array
  const size = Elements.BYTES_PER_ELEMENT
  const aligned = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes)
  return new Elements(aligned.buffer as ArrayBuffer, aligned.byteOffset, aligned.byteLength / size)
}
