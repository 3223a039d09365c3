// A page of concepts for a browser: one file, no network, no script.
import { createHash } from 'node:crypto'
import { invalid } from '../errors'
import { frozen, withDefaults, type Overrides } from '../options'
import { version } from '../version'
import type { Concept, ConceptContext } from './describe-concepts'

/** The only place where the defaults of {@link conceptPage} are written. */
export const conceptPageDefaults = frozen({
  /** Title of the page; `Concepts` unless given. */
  title: 'Concepts' as string,
  /** Lines below the title, as pairs of a name and a text, such as the shape of X; none unless given. */
  facts: undefined as readonly (readonly [name: string, text: string])[] | undefined,
})

export type ConceptPageOptions = Overrides<typeof conceptPageDefaults>

/** Levels of emphasis of a token, by its activation as a share of the largest one of its concept. */
const levels = 5

const style = `
:root { color-scheme: light dark; --ink: #1d1d1b; --faint: #6b6a66; --paper: #fdfcf9; --line: #dedbd2;
  --link: #23538a; --m1: #f6f0dc; --m2: #f3e6bd; --m3: #f0da99; --m4: #edcd72; --m5: #e9bf4a; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #dcdad4; --faint: #97958e; --paper: #191917; --line: #3a3935; --link: #8fb8e8;
    --m1: #2c2a20; --m2: #3b3722; --m3: #4d4523; --m4: #625622; --m5: #79681f; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2.5rem 1.25rem 5rem; max-width: 46rem; background: var(--paper);
  color: var(--ink); font: 1.0625rem/1.5 Charter, "Bitstream Charter", Cambria, Georgia, serif; }
h1 { margin: 0 0 1rem; font-size: 1.75rem; font-weight: 600; line-height: 1.2; }
h2 { margin: 0; font-size: 1.1875rem; font-weight: 600; }
a { color: var(--link); text-decoration: none; }
a:hover, a:focus-visible { text-decoration: underline; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; margin: 0 0 2rem; }
dt, .facts, .value, footer, th, .rank { color: var(--faint); }
dd { margin: 0; overflow-wrap: anywhere; }
table { width: 100%; border-collapse: collapse; margin: 0 0 3rem; font-size: .9375rem; }
th { font-weight: normal; text-align: start; }
th, td { padding: .125rem .75rem .125rem 0; border-bottom: 1px solid var(--line); vertical-align: baseline; }
th.number, td.number { width: 1%; padding-right: 1.25rem; text-align: end; white-space: nowrap; }
td { overflow-wrap: anywhere; }
.number, .value { font-variant-numeric: tabular-nums lining-nums; }
section { margin: 0 0 2.5rem; padding-top: .75rem; border-top: 1px solid var(--line); }
.facts { margin: 0 0 .5rem; font-size: .9375rem; overflow-wrap: anywhere; }
ol { list-style: none; margin: 0; padding: 0; }
li { display: grid; grid-template-columns: 3.75rem 1fr; gap: .75rem; padding: .125rem 0; }
.value { text-align: end; font-size: .875rem; line-height: 1.7; }
bdi { overflow-wrap: anywhere; }
mark { color: inherit; border-radius: .15em; padding: 0 .1em; background: var(--m1); }
mark.l2 { background: var(--m2); } mark.l3 { background: var(--m3); }
mark.l4 { background: var(--m4); } mark.l5 { background: var(--m5); }
footer { font-size: .875rem; }
@media print { body { max-width: none; } section { break-inside: avoid; } }
`

const policy = () => {
  const digest = createHash('sha256').update(style).digest('base64')
  return `default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none'; form-action 'none'`
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Characters that HTML forbids: controls, lone surrogates and noncharacters. */
const forbidden =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufdd0-\ufdef\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/** A text inside an element or a quoted attribute. */
const escaped = (text: string) =>
  text.replace(forbidden, '\ufffd').replace(/[&<>"']/g, (character) => entities[character]!)

/** Characters of a text that are shown, at most. */
const shownLength = 400

const cut = (text: string, limit = shownLength) =>
  text.length > limit ? `${text.slice(0, limit).replace(/[\ud800-\udbff]$/, '')} …` : text

const cutBefore = (text: string) =>
  text.length > shownLength ? `… ${text.slice(-shownLength).replace(/^[\udc00-\udfff]/, '')}` : text

const rounded = (value: number, digits: number) =>
  Number(value).toPrecision(digits).replace('-', '−')

const percent = (share: number) => `${(100 * share).toFixed(1)} %`

function levelOf(activation: number, largest: number): number {
  const share = largest > 0 ? activation / largest : 0
  return Math.min(levels, Math.max(1, Math.ceil(levels * share)))
}

function contextLine(context: ConceptContext, largest: number): string {
  const { activation, row, before, token, after } = context
  const level = levelOf(activation, largest)
  const marked = `<mark class="l${level}">${escaped(cut(token ?? `row ${row}`))}</mark>`
  const words = `${escaped(cutBefore(before ?? ''))}${marked}${escaped(cut(after ?? ''))}`
  const value = `<span class="value" title="row ${plain(row)}">${rounded(activation, 3)}</span>`
  return `<li>${value}<bdi>${words}</bdi></li>`
}

/** A number; concepts may come from a file, where anything may stand in its place. */
const plain = (value: number) => escaped(String(value))

const linked = (component: number) => `<a href="#c${plain(component)}">${plain(component)}</a>`

const paragraph = (text: string) => `<p class="facts">${text}</p>`

const isolated = (words: readonly string[]) =>
  words.map((word) => `<bdi>${escaped(cut(word, 60))}</bdi>`).join(' · ')

function factsOf({ share, activeRows, isDead, collinear, features }: Concept): string {
  const rows = `${Number(activeRows).toLocaleString('en')} active ${activeRows === 1 ? 'row' : 'rows'}`
  const first = isDead ? 'dead: no energy' : `${percent(share)} of the energy, ${rows}`
  const like = collinear.length > 0 ? [`collinear with ${collinear.map(linked).join(', ')}`] : []
  const weights = features.map(({ feature, weight }) => `${plain(feature)} (${rounded(weight, 2)})`)
  const largest = weights.length > 0 ? [`features ${weights.join(', ')}`] : []
  return paragraph([first, ...like, ...largest].join('; '))
}

const wordLine = (verb: string, words: readonly string[]) =>
  words.length > 0 ? `${paragraph(`${verb} ${isolated(words)}`)}\n` : ''

function sectionOf(concept: Concept): string {
  const { component, contexts, words } = concept
  const largest = contexts[0]?.activation ?? 0
  const lines = contexts.map((context) => contextLine(context, largest))
  const list = lines.length > 0 ? `<ol>\n${lines.join('\n')}\n</ol>` : paragraph('No active row.')
  const vocabulary = words
    ? wordLine('promotes', words.top) + wordLine('suppresses', words.bottom)
    : ''
  return `<section id="c${plain(component)}">
<h2>Concept ${plain(component)}</h2>
${factsOf(concept)}
${vocabulary}${list}
</section>`
}

/** The different tokens of a concept, most active first, for the table. */
function tokensOf({ contexts }: Concept): string[] {
  const tokens = contexts.map(({ token, row }) => token ?? `row ${row}`)
  return [...new Set(tokens)].slice(0, 8)
}

function tableOf(concepts: readonly Concept[]): string {
  const rows = concepts.map(
    (concept) =>
      `<tr><td class="number">${linked(concept.component)}</td>` +
      `<td class="number">${percent(concept.share)}</td>` +
      `<td>${isolated(tokensOf(concept))}</td></tr>`,
  )
  return `<table>
<thead><tr><th class="number" scope="col">Concept</th><th class="number" scope="col">Energy</th><th scope="col">Activated by</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>`
}

/**
 * A page of concepts in HTML, to write to a file: each concept with the rows that activate it, largest energy
 * first. It loads nothing and runs nothing (its policy allows only its own style), reads well without a
 * script, in dark and light, and on paper. All texts are escaped; a text shows 400 characters at most.
 *
 * @param concepts From {@link describeConcepts}.
 * @throws {TypeError} if `concepts` is no array, or an option is wrong or unknown.
 *
 * @example
 * await writeFile('concepts.html', conceptPage(concepts, { title: 'Layer 3' }))
 */
export function conceptPage(concepts: readonly Concept[], given?: ConceptPageOptions): string {
  const { title, facts = [] } = withDefaults(conceptPageDefaults, given)
  if (!Array.isArray(concepts)) throw invalid('concepts', 'an array of concepts', concepts)
  if (typeof title !== 'string') throw invalid('title', 'a text', title)
  const ordered = [...(concepts as readonly Concept[])].sort(
    (a, b) => b.share - a.share || a.component - b.component,
  )
  const told = facts.map(([name, text]) => `<dt>${escaped(name)}</dt><dd>${escaped(text)}</dd>`)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy()}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${style}</style>
</head>
<body>
<header>
<h1>${escaped(title)}</h1>
${told.length > 0 ? `<dl>\n${told.join('\n')}\n</dl>` : ''}
</header>
<main>
${tableOf(ordered)}
${ordered.map(sectionOf).join('\n')}
</main>
<footer>gemmine ${escaped(version)}</footer>
</body>
</html>
`
}
