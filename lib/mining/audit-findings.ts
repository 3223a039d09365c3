// The faults that an audit finds, counted, with a few examples of each.
import { inSlices } from '../data/slices'

/** The faults of mined examples, in the order in which they are reported. */
export const minedFaults = [
  'unknownIds',
  'positivesAmongNegatives',
  'equalTexts',
  'repeatedNegatives',
  'tooFew',
  'scoresNotFinite',
  'scoresAbovePositive',
] as const
export type MinedFault = (typeof minedFaults)[number]

/** One place where a fault was found. */
export interface AuditExample {
  readonly fault: MinedFault
  /** Number of the line, from 1; of the row of a Parquet file, from 0. */
  readonly line: number
  /** What was found there. */
  readonly text: string
}

/** Examples of each fault at most. */
const examplesOfFault = 10

interface CountedLines {
  count: number
  readonly first: { readonly line: number; readonly query: string }[]
}

export class AuditFindings {
  lines = 0
  layout = ''
  readonly counts = Object.fromEntries(minedFaults.map((fault) => [fault, 0])) as Record<
    MinedFault,
    number
  >
  private readonly examples = new Map<MinedFault, AuditExample[]>(
    minedFaults.map((fault) => [fault, []]),
  )
  private readonly words = { query: { all: 0, known: 0 }, document: { all: 0, known: 0 } }
  /** The largest number of negatives without a fault in a line. */
  private longest = 1
  /** Lines by their number of negatives. */
  private readonly lengths = new Map<number, CountedLines>()
  /** Negatives and first line of each group of lines. */
  private readonly groupCounts: number[] = []
  private readonly groupLines: number[] = []

  constructor(private readonly numNegatives: number | undefined) {}

  add(fault: MinedFault, line: number, text: string) {
    this.counts[fault]++
    const examples = this.examples.get(fault)!
    if (examples.length < examplesOfFault) examples.push({ fault, line, text })
  }

  saw(side: 'query' | 'document', isKnown: boolean) {
    this.words[side].all++
    this.words[side].known += Number(isKnown)
  }

  /** Whether there were words of a side, and none was known. */
  knowsNone(side: 'query' | 'document'): boolean {
    const { all, known } = this.words[side]
    return all > 0 && known === 0
  }

  /** @param sound Negatives without a fault: a repeat in one line is no reason to ask more of others. */
  countLine(negatives: number, sound: number, line: number, query: string) {
    this.longest = Math.max(this.longest, sound)
    const counted = this.lengths.get(negatives) ?? { count: 0, first: [] }
    this.lengths.set(negatives, counted)
    counted.count++
    if (counted.first.length < examplesOfFault) counted.first.push({ line, query })
  }

  countGroup(group: number, negatives: number, line: number) {
    this.groupCounts[group] = (this.groupCounts[group] ?? 0) + negatives
    this.groupLines[group] ??= line
  }

  /** Compares the numbers of negatives with the number wanted, by default the largest of any line. */
  async settleCounts() {
    const wanted = this.numNegatives ?? this.longest
    const short = [...this.lengths].filter(([length]) => length < wanted)
    const told = short.flatMap(([length, { first }]) =>
      first.map(({ line, query }) => ({
        line,
        text: `the query ${query} has ${of(length, wanted)}`,
      })),
    )
    const counts = short.reduce((sum, [, { count }]) => sum + count, 0)
    for (const { line, text } of told.sort((a, b) => a.line - b.line).slice(0, examplesOfFault))
      this.add('tooFew', line, text)
    this.counts.tooFew = counts
    const whose = this.layout === 'triplet' ? 'its query and positive have' : 'the query has'
    await inSlices(this.groupCounts.length, (begin, end) => {
      for (let group = begin; group < end; group++) {
        const count = this.groupCounts[group]!
        if (count >= wanted) continue
        const text = `${whose} ${of(count, wanted)} in all ${this.layout === 'triplet' ? 'their' : 'its'} lines`
        this.add('tooFew', this.groupLines[group]!, text)
      }
    })
  }

  /** All examples, by fault. */
  allExamples(): AuditExample[] {
    return [...this.examples.values()].flat()
  }
}

const of = (count: number, wanted: number) =>
  `${count} ${count === 1 ? 'negative' : 'negatives'}, fewer than ${wanted}`
