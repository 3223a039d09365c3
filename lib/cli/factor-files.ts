// The arrays that factorizations read, and the files that they write.
import { fileError } from '../data/file'
import { toFloat32 } from '../data/floats'
import { toDenseView, type Matrix } from '../data/matrix'
import { readFloatsNpy, readNpy, writeNpy } from '../data/npy'
import type { Factorization } from '../factorization/fit'
import type { FactorizeOptions } from './factorize-options'
import type { Job } from './job'
import type { Shape } from './load'

/** Reads a factor of any real type as float32. */
async function readFactor(path: string | undefined): Promise<Matrix | undefined> {
  if (path === undefined) return undefined
  const { data, type, rows, cols } = toDenseView(path, await readNpy(path))
  return { data: await toFloat32(path, data!, type, cols), rows, cols }
}

async function readMask(path: string, X: Shape, matrix: string): Promise<Uint8Array> {
  const { data, type, rows, cols } = toDenseView(path, await readNpy(path))
  if (rows !== X.rows || cols !== X.cols)
    throw fileError(
      path,
      `expected ${X.rows} rows and ${X.cols} columns, as in ${matrix}, received ${rows} and ${cols}`,
    )
  if (type !== 'uint8' && type !== 'bool')
    throw fileError(path, `expected uint8 or bool, received ${type}`)
  return data as Uint8Array
}

/** Reads the arrays that are given as files. */
export async function readArrays(
  { w0, h0, init, mask, sampleWeight }: FactorizeOptions,
  path: string,
  shape: Shape,
) {
  const start = { W: await readFactor(w0), H: await readFactor(h0) }
  const seen = mask === undefined ? undefined : await readMask(mask, shape, path)
  const weights = sampleWeight === undefined ? undefined : await readFloatsNpy(sampleWeight)
  return {
    ...(init !== undefined && { init: init === 'custom' ? start : init }),
    ...(seen && { mask: seen }),
    ...(weights && { sampleWeight: weights }),
  }
}

export async function writeFactors(found: Factorization, { write }: Job) {
  const { W, H, A } = found
  await write('W.npy', (path) => writeNpy(path, { data: W.data, shape: [W.rows, W.cols] }))
  await write('H.npy', (path) => writeNpy(path, { data: H.data, shape: [H.rows, H.cols] }))
  if (A) await write('A.npy', (path) => writeNpy(path, { data: A.data, shape: [A.rows, A.cols] }))
  await write('model.safetensors', (path) => found.save(path))
}
