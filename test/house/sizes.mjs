// Fails if a file has more than 400 lines, or a function 60 or more. A kernel in native/backend may have up
// to 90 if the comment above it gives the reason: "Long: ...".
import ts from 'typescript'
import { filesUnder, runAsProgram, textOf } from './files.mjs'
import { cppFunctions } from './cpp-functions.mjs'

const fileLimit = 400
const functionLimit = 59
const kernelLimit = 90

const lineCount = (text) => text.split('\n').length - (text.endsWith('\n') ? 1 : 0)

const suiteCall = /^(describe|suite|b\.suite)\b/

/** Functions of a TypeScript or JavaScript file; of a test suite, only the inner functions count. */
function scriptFunctions(path, text) {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const found = []
  const visit = (node) => {
    if (ts.isFunctionLike(node) && node.body && !isSuiteBody(node)) {
      const line = (position) => source.getLineAndCharacterOfPosition(position).line
      const begin = line(node.getStart())
      found.push({ name: nameOf(node), line: begin + 1, lines: line(node.getEnd()) - begin + 1 })
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

/**
 * Whether it is the callback of describe(), or a suite over implementations, as in factorizationSuite(run).
 */
const isSuiteBody = (node) =>
  /Suite$/.test(node.name?.getText() ?? '') ||
  (ts.isCallExpression(node.parent) && suiteCall.test(node.parent.expression.getText()))

const nameOf = (node) => node.name?.getText() ?? node.parent.name?.getText() ?? 'a function'

function functionViolations(path, text) {
  const functions = /\.(ts|mjs|cjs|js)$/.test(path)
    ? scriptFunctions(path, text)
    : cppFunctions(text)
  return functions.flatMap(({ name, line, lines, comment = '' }) => {
    const kernel = path.startsWith('native/backend/') && comment.includes('Long: ')
    const limit = kernel ? kernelLimit : functionLimit
    return lines > limit ? [`${path}:${line}: ${name} has ${lines} lines, more than ${limit}`] : []
  })
}

const folders = ['lib', 'native', 'test', 'bench', 'examples', 'scripts']

export const sizeViolations = (root) =>
  folders
    .flatMap((folder) => filesUnder(root, folder, /\.(ts|mjs|cjs|js|h|cc|cu|cuh|inl|c)$/))
    .flatMap((path) => {
      const text = textOf(root, path)
      const lines = lineCount(text)
      const long = lines > fileLimit ? [`${path}: ${lines} lines, more than ${fileLimit}`] : []
      return [...long, ...functionViolations(path, text)]
    })

runAsProgram(import.meta.url, sizeViolations)
