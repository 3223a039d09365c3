import type { AbortSignalLike } from '../cancellation'
import { invalid } from '../errors'
import { frozen, withDefaults, type Overrides } from '../options'
import { bytesInMemory, withBytes } from './byte-reader'
import type { Bytes } from './byte-reader'
import type { Loading } from './dense-elements'
import { isMatrixFile, type DenseMatrix, type MatrixFile } from './matrix'
import { chosenMatrix, type NamedArray } from './named-matrix'
import { checkLimit, loadNpyFrom, npySides } from './npy'
import { elementFormat, kindOfElements, readNpyHeader } from './npy-array'
import { checkSize, isSparseArchive, readSides, readSparse, type Archive } from './npz-sparse'
import type { SparseMatrix } from './sparse'
import { unpackedWhole } from './unpacked'
import { readMember, zipMembers, type Member } from './zip'

/** The only place where the defaults of {@link readNpz} are written. */
export const readNpzDefaults = frozen({
  /** Limit of the total unpacked size of the members, in bytes; 4294967296 unless given. */
  limit: 2 ** 32,
  /** The name of one of several arrays, as in `np.savez`; the only matrix of floats unless given. */
  name: undefined as string | undefined,
})

export type NpzOptions = Overrides<typeof readNpzDefaults>

interface DenseMember extends NamedArray {
  readonly member: Member
}

/** Reads the header of a member. */
const described = (bytes: Bytes, member: Member): Promise<DenseMember> =>
  readMember(bytes, member, async (reader) => {
    const { descr, shape } = await readNpyHeader(reader)
    const name = member.name.replace(/\.npy$/, '')
    const type = elementFormat(descr)?.type
    return { name, shape, type, dtype: kindOfElements(descr) ?? descr, member }
  })

async function denseMember({ bytes, members }: Archive, name: string | undefined) {
  const named = name === undefined ? undefined : members.get(`${name}.npy`)
  if (named) return named
  const arrays: DenseMember[] = []
  for (const member of members.values())
    if (member.name.endsWith('.npy')) arrays.push(await described(bytes, member))
  return chosenMatrix(bytes.path, arrays, name).member
}

/** Opens an archive, which may itself be packed. */
async function opened(packed: Bytes, limit: number, signal?: AbortSignalLike): Promise<Archive> {
  const bytes = await unpackedWhole(packed, limit)
  return { bytes, members: await zipMembers(bytes), limit, signal }
}

/** The numbers of rows and columns of the matrix of this name, or of the only one. */
export async function npzSides(packed: Bytes, name: string | undefined) {
  const archive = await opened(packed, Infinity)
  if (isSparseArchive(archive.members) && name === undefined) {
    const [rows, cols] = await readSides(archive)
    return { rows, cols, isSparse: true }
  }
  const member = await denseMember(archive, name)
  return readMember(archive.bytes, member, (reader) => npySides(reader))
}

/** Reads a matrix from an archive, dense or sparse. */
export async function loadNpzFrom(
  packed: Bytes,
  { limit, name }: { readonly limit: number; readonly name: string | undefined },
  loading: Loading,
): Promise<DenseMatrix | SparseMatrix | MatrixFile> {
  const archive = await opened(packed, limit, loading.signal)
  const { bytes, members } = archive
  if (isSparseArchive(members) && name === undefined) return readSparse(archive)
  const member = await denseMember(archive, name)
  checkSize(bytes.path, member.size, limit)
  return readMember(bytes, member, async (reader) => {
    const matrix = await loadNpyFrom(reader, loading)
    if (!isMatrixFile(matrix)) await reader.checkEnd()
    return matrix
  })
}

function optionsOf(given: NpzOptions) {
  const { limit, name } = withDefaults(readNpzDefaults, given)
  checkLimit(limit)
  if (name !== undefined && typeof name !== 'string')
    throw invalid('name', 'the name of an array', name)
  return { limit, name }
}

/** Reads everything into memory. */
const whole: Loading = { limit: Infinity }

/**
 * Reads a matrix from the bytes of a `.npz` file; see {@link readNpz}.
 *
 * @param path Names the file in errors.
 */
export const parseNpz = async (bytes: Uint8Array, path: string, given: NpzOptions = {}) =>
  (await loadNpzFrom(bytesInMemory(bytes, path), optionsOf(given), whole)) as
    DenseMatrix | SparseMatrix

/**
 * Reads a matrix from an `.npz` archive: a sparse one of SciPy's `save_npz` in the format csr, csc or coo, or
 * a dense one of NumPy's `savez`. A sparse one is returned as compressed rows with ascending columns;
 * repeated entries are summed. Zip64 archives and packed ones (`.npz.gz`) are read too.
 *
 * @returns A sparse matrix has `indptr`, a dense one `data` of the element type of the file.
 * @throws {GemmineError} with `code` `ERR_GEMMINE_FILE` if there is no such matrix, or several and no `name`,
 *   or if it is damaged, or its unpacked size exceeds `limit` bytes; `ERR_GEMMINE_OUT_OF_MEMORY`.
 * @see https://docs.scipy.org/doc/scipy/reference/generated/scipy.sparse.save_npz.html
 *
 * @example
 * const X = await readNpz('counts.npz')
 */
export async function readNpz(
  path: string,
  given: NpzOptions = {},
): Promise<DenseMatrix | SparseMatrix> {
  const options = optionsOf(given)
  const matrix = await withBytes(path, (bytes) => loadNpzFrom(bytes, options, whole))
  return matrix as DenseMatrix | SparseMatrix
}
