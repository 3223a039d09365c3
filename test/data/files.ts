// Temporary files and folders for the tests of formats.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect } from 'vitest'
import { GemmineError } from '../../lib/errors'

/** A folder that is removed when the tests of the file are done. */
export function temporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'gemmine-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return {
    path: (name: string) => join(folder, name),
    write(name: string, content: string | Uint8Array) {
      writeFileSync(join(folder, name), content)
      return join(folder, name)
    },
  }
}

/** The error that `run` throws or rejects with. */
export async function errorOf(run: () => unknown): Promise<unknown> {
  try {
    await run()
  } catch (error) {
    return error
  }
  throw new Error('expected an error, received none')
}

/** Expects a file error with exactly this message. */
export async function expectFileError(run: () => unknown, message: string) {
  const error = (await errorOf(run)) as GemmineError
  expect(error).toBeInstanceOf(GemmineError)
  expect([error.code, error.message]).toEqual(['ERR_GEMMINE_FILE', message])
}

export const bytes = (text: string) => new Uint8Array(Buffer.from(text))

/** Bytes that begin at an odd address. */
export function misaligned(content: Uint8Array): Uint8Array {
  const room = new Uint8Array(content.length + 1)
  room.set(content, 1)
  return room.subarray(1)
}

const dataFolder = join(__dirname, '../../../shared/data')

/** The path of a file of real data, or nothing, with a message, where it is absent. */
export function realFile(name: string): string | undefined {
  const path = join(dataFolder, name)
  if (existsSync(path)) return path
  console.log(`skipped: ../shared/data/${name} is absent`)
  return undefined
}
