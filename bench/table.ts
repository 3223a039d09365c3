// Writes the README's table of measurements from files of bench/results, between its two markers.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  keptResults,
  speedText,
  type Comparison,
  type Results,
  type Shortcoming,
} from './experiment'

const readme = join(__dirname, '..', 'README.md')
const [begin, end] = ['<!-- bench:begin -->', '<!-- bench:end -->']

const figure = (value: number, unit: string) => `${value.toPrecision(3)} ${unit}`

function targetText(comparison: Comparison): string {
  const { target, met } = comparison
  if (target === undefined) return ''
  return `≥ ${speedText(comparison, target)}, ${met ? 'met' : '**missed**'}`
}

function row(comparison: Comparison): string {
  const { job, against, unit, gemmine, other, speed } = comparison
  const text = (value: number) => speedText(comparison, value)
  const ratio = `${text(speed.median)} (${text(speed.min)} to ${text(speed.max)})`
  return `| ${[job, figure(gemmine, unit), against, figure(other, unit), ratio, targetText(comparison)].join(' | ')} |`
}

/** One line per machine, library and date of the results. */
function provenance(results: readonly Results[]): string[] {
  const lines = results.map(({ date, machine, command }) => {
    const { gemmine, cpu, threads, blas, scan, node } = machine
    return [
      `gemmine ${gemmine}, ${cpu}, ${threads} threads, ${blas.name} ${blas.version} (${blas.core}), searches begin in ${scan}, Node ${node}, ${date}`,
      command,
    ] as const
  })
  const machines = [...new Set(lines.map(([machine]) => machine))]
  return machines.map((machine) => {
    const commands = lines
      .filter(([other]) => other === machine)
      .map(([, command]) => `\`${command}\``)
    return `${machine}: ${commands.join(', ')}.`
  })
}

function rivalLines(results: readonly Results[]): string[] {
  const named = results.flatMap(({ rivals }) =>
    rivals.map(({ name, version, blas }) => `${name} ${version} (${blas})`),
  )
  return named.length > 0 ? [`Rivals: ${[...new Set(named)].join('; ')}.`] : []
}

const shortcomings = (label: string, all: readonly Shortcoming[]) =>
  all.map(({ name, reason }) => `${label}: ${name}: ${reason}.`)

export function tableOf(results: readonly Results[]): string {
  const comparisons = results.flatMap(({ comparisons: each }) => each)
  const missed = results.flatMap(({ missed: each }) => each)
  const notRun = results.flatMap(({ notRun: each }) => each)
  const footnotes = [
    ...provenance(results),
    ...rivalLines(results),
    ...shortcomings('Missed', missed),
    ...shortcomings('Not run', notRun),
  ]
  return [
    '| job | gemmine | against | its figure | speed (lowest to highest round) | target |',
    '|---|---|---|---|---|---|',
    ...comparisons.map(row),
    '',
    ...footnotes.map((line) => `- ${line}`),
    '',
    'Both sides of a row took turns on the same arrays; `OPENBLAS_CORETYPE` and `OPENBLAS_L2_SIZE` were unset except where a row names them.',
  ].join('\n')
}

/** The benches of the README: the results of all others are in bench/results and in the decisions. */
const shown = ['mine', 'nmf-time-to-loss', 'semi-nmf-iteration', 'semi-nmf-time-to-loss', 'top-k']

const readResults = (): Results[] =>
  shown.map(
    (name) => JSON.parse(readFileSync(join(keptResults, `${name}.json`), 'utf8')) as Results,
  )

function updateReadme() {
  const text = readFileSync(readme, 'utf8')
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from < 0 || to < from)
    throw new Error(`Expected the markers ${begin} and ${end} in README.md`)
  const updated = `${text.slice(0, from + begin.length)}\n${tableOf(readResults())}\n${text.slice(to)}`
  writeFileSync(readme, updated)
}

if (require.main === module) updateReadme()
