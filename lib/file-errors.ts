// Errors of files, with the same words in all modules.
import { getSystemErrorName } from 'node:util'
import { GemmineError } from './errors'

/** The error for a file that is missing, unreadable, damaged, or of the wrong format. */
export const fileError = (path: string, sentence: string, options?: { readonly cause?: unknown }) =>
  new GemmineError('ERR_GEMMINE_FILE', `${path}: ${sentence}`, options)

const reasons: Record<string, string> = {
  EACCES: 'permission is denied',
  EDQUOT: 'the quota of the disk is used up',
  EFBIG: 'a limit on the size of files is reached',
  EIO: 'the disk reports an error',
  EISDIR: 'expected a file, received a folder',
  EMFILE: 'too many files are open',
  ENAMETOOLONG: 'its name is too long',
  ENOENT: 'there is no such file or folder',
  ENOSPC: 'no space is left on the disk',
  ENOTDIR: 'a part of its path is not a folder',
  EPERM: 'permission is denied',
  EROFS: 'the file system can only be read',
}

/** Converts a system error to a file error; returns anything else, such as an abort, unchanged. */
export function systemFailure(path: string, error: unknown): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException
  if (code === 'ERR_INVALID_ARG_VALUE') return fileError(path, 'expected a path without zero bytes')
  if (syscall === undefined || code === undefined) return error
  return fileError(path, reasons[code] ?? `the system reports ${code}`, { cause: error })
}

/** A system error in the addon, in the form of an error of Node.js. */
export function nativeFileFailure(path: string, errno: number, { message }: Error): unknown {
  const code = getSystemErrorName(-errno)
  const cause = Object.assign(new Error(message), { code, errno: -errno, path, syscall: 'file' })
  return systemFailure(path, cause)
}
