// Mined lines and their audits, for tests.
import { expect } from 'vitest'
import { auditMined, type AuditMinedOptions } from '../../lib/mining/audit-mined'
import { minedFaults } from '../../lib/mining/audit-findings'
import { temporaryFolder } from '../data/files'

export const folder = temporaryFolder()

/** Documents 6 and 1 have one text, and so have 8 and 9; query 2 has the text of query 0. */
export const corpusTexts = ['a', 'b', 'c', 'd', 'e', 'f', 'b', 'g', 'h', 'h']
export const queryTexts = ['what', 'who', 'what', 'g']
export const idsOf = (letter: string, count: number) =>
  new Map(Array.from({ length: count }, (_, row) => [`${letter}${row}`, row]))
export const ids = { queryIds: idsOf('q', 4), corpusIds: idsOf('d', 10) }
export const texts = { queryTexts, corpusTexts }
export const sides = { queries: 4, corpus: 10, positives: [[1], [2, 3], [0], [4]] }

export type Given = Omit<Partial<AuditMinedOptions>, 'path'>

let files = 0
export const writeLinesOf = (lines: readonly unknown[]) =>
  folder.write(
    `${files++}.jsonl`,
    lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''),
  )

export const audit = (lines: readonly unknown[], options: Given = ids) =>
  auditMined(writeLinesOf(lines), { ...sides, ...options })

/** The faults that were found, those that were not left out. */
export async function faultsIn(lines: readonly unknown[], options?: Given) {
  const found = await audit(lines, options)
  const entries = minedFaults.map((fault) => [fault, found[fault]] as const)
  const faults = Object.fromEntries(entries.filter(([, count]) => count > 0))
  expect(found.isClean).toBe(Object.keys(faults).length === 0)
  for (const [fault, count] of entries)
    expect(found.examples.filter((each) => each.fault === fault)).toHaveLength(Math.min(count, 10))
  return faults
}

export const firstText = async (lines: readonly unknown[], options?: Given) =>
  (await audit(lines, options)).examples.map(({ line, text }) => `${line}: ${text}`)
