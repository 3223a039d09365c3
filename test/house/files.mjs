// Common part of the house checks: the list of files, and the report.
import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, readFileSync, readdirSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { pathToFileURL } from 'node:url'

/** Paths below `folder`, relative to `root`, with forward slashes; none if the folder is absent. */
export function filesUnder(root, folder, extension) {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && extension.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort()
}

/** All files of the repository, committed or not. */
export function trackedFiles(root) {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard']
  const listed = execFileSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 28 })
  const isFile = (path) => lstatSync(join(root, path), { throwIfNoEntry: false })?.isFile()
  return listed.split('\0').filter((path) => path !== '' && isFile(path))
}

export const textOf = (root, path) => readFileSync(join(root, path), 'utf8')

/** Runs `check(root)` if its file is the main program; the root is an argument or the working folder. */
export function runAsProgram(url, check) {
  if (url !== pathToFileURL(process.argv[1]).href) return
  const violations = check(process.argv[2] ?? '.')
  for (const violation of violations) console.error(violation)
  if (violations.length > 0) process.exitCode = 1
  else console.log('none found')
}
