// Finds begin and end of the functions of a C++ file by its braces. This is a heuristic, not a parser.

/** The text with comments and literals blanked out, line breaks kept. */
const bare = (text) =>
  text.replace(
    /\/\/[^\n]*|\/\*[\s\S]*?\*\/|R"(\w*)\([\s\S]*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])*'|^[ \t]*#(?:\\\n|[^\n])*/gm,
    (match) => match.replace(/[^\n]/g, ' '),
  )

const scopeHead =
  /^(?:inline\s+)?namespace\b|^extern\s*$|^(?:template\s*<[\s\S]*?>\s*)?(?:class|struct|union|enum)\b/

/** The kind of block that a brace opens, from the text between the last statement's end and the brace. */
function kindOf(head) {
  if (scopeHead.test(head)) return 'scope'
  return head.includes('(') && !/=\s*$/.test(head) ? 'function' : 'other'
}

const nameIn = (head) => /([\w:~]+|operator\s*\S+?)\s*\(/.exec(head)?.[1] ?? 'a function'

/** The line comments directly above `line` (0-based). */
function commentAbove(lines, line) {
  let first = line
  while (first > 0 && lines[first - 1].trimStart().startsWith('//')) first--
  return lines.slice(first, line).join('\n')
}

/** Whether the brace at `i` begins a value, as in `x_{3}` or inside parentheses, not a body. */
const beginsValue = (code, head, i) =>
  /[\w>]/.test(code[i - 1]) || head.split('(').length !== head.split(')').length

/**
 * Functions at namespace or class level; lambdas count as part of the enclosing function.
 *
 * @returns {{ name: string, line: number, lines: number, comment: string }[]}
 */
export function cppFunctions(text) {
  const code = bare(text)
  const lines = text.split('\n')
  const lineAt = (position) => code.slice(0, position).split('\n').length - 1
  const found = []
  const open = []
  let statement = 0
  const close = (end) => {
    const { kind, head, begin } = open.pop() ?? {}
    if (kind !== 'function') return
    const first = lineAt(begin)
    found.push({
      name: nameIn(head),
      line: first + 1,
      lines: lineAt(end) - first + 1,
      comment: commentAbove(lines, first),
    })
  }
  for (let i = 0; i < code.length; i++) {
    if (!/[{};]/.test(code[i])) continue
    const top = open.at(-1)?.kind ?? 'scope'
    if (code[i] === '{') {
      const before = code.slice(statement, i)
      const head = before.trim()
      const kind = top !== 'scope' || beginsValue(code, head, i) ? 'value' : kindOf(head)
      open.push({ kind, head, begin: i - before.trimStart().length })
    } else if (code[i] === '}') close(i)
    // A value is part of its statement, which continues after it.
    if (open.every(({ kind }) => kind === 'scope') && !(code[i] === '}' && top === 'value'))
      statement = i + 1
  }
  return found
}
