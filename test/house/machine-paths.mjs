// Fails if a tracked file contains a path of a developer's machine, or the host of a package registry.
import { runAsProgram, textOf, trackedFiles } from './files.mjs'

// Assembled from pieces, so that this file passes its own check.
const folders = ['work', 'tmp', 'farm', 'home', 'root', 'Users'].join('|')
const path = new RegExp(`(?:^|[\\s"'\`(=:,[])/(?:${folders})/[\\w.-]`)
const registry = new RegExp(`registry\\.(?:npmjs|yarnpkg)|npm\\.pkg\\.github`)

const binary = /\0/

function violationsIn(root, file) {
  const text = textOf(root, file)
  if (binary.test(text)) return []
  return text.split('\n').flatMap((line, index) => {
    const found = path.exec(line) ?? registry.exec(line)
    return found ? [`${file}:${index + 1}: names "${found[0].trim()}..." of a machine`] : []
  })
}

export const machinePathViolations = (root) =>
  trackedFiles(root).flatMap((file) => violationsIn(root, file))

runAsProgram(import.meta.url, machinePathViolations)
