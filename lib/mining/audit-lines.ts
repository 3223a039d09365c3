// Judges the lines of a file of mined examples, one after the other.
import { fileError, printable } from '../data/file'
import { FieldMistake, parseObjectLine, type Fields } from '../data/json-line'
import { longLine, type LineReader } from '../data/lines'
import {
  layoutOf,
  type FoundLayout,
  type MinedExample,
  type ScoredWord,
  type Word,
} from '../data/mined-fields'
import { PairTable } from '../data/pair-table'
import type { JointReferenceName } from './mining-options'
import { AuditFindings, type MinedFault } from './audit-findings'
import type { KnownPositives, AuditWords } from './audit-positives'
import type { FoundRow } from './audit-words'

interface AuditKnowledge {
  readonly words: AuditWords
  readonly positives: KnownPositives
  readonly corpus: number
}

interface AuditRules {
  readonly numNegatives: number | undefined
  readonly reference: JointReferenceName
}

const shownWord = (word: Word) =>
  typeof word === 'object' ? printable(String(word.id), 40) : printable(String(word), 40)

/** What is known of the line at hand. */
interface Line {
  readonly number: number
  readonly queryWord: Word
  readonly query: FoundRow | undefined
  /** Rows of the positives, without those that are given by their text. */
  readonly positives: ReadonlySet<number>
  /** Classes of the positives' texts. */
  readonly positiveTexts: ReadonlySet<number>
  /** Number of the pair of query and positive in a file of triplets, of the query in labeled pairs. */
  readonly group: number | undefined
  /** Rows and classes of the negatives so far. */
  readonly seen: Set<number>
}

export class AuditReader implements LineReader<AuditFindings> {
  readonly lineLimit = longLine
  readonly findings: AuditFindings
  private layout: FoundLayout | undefined
  /** Pairs of a query and a positive; a triplet file has the negatives of a pair in several lines. */
  private readonly groups = new PairTable()
  private readonly members = new PairTable()

  constructor(
    private readonly path: string,
    private readonly known: AuditKnowledge,
    private readonly rules: AuditRules,
  ) {
    this.findings = new AuditFindings(rules.numNegatives)
  }

  line(text: string, number: number) {
    if (text.trim() !== '') this.take(() => parseObjectLine(text), number, 'line')
  }

  /** @param number From 0. */
  record(fields: Fields, number: number) {
    this.take(() => fields, number, 'row')
  }

  private take(parse: () => Fields, number: number, unit: 'line' | 'row') {
    try {
      const fields = parse()
      this.layout ??= layoutOf(fields)
      this.judge(this.layout.read(fields), number)
    } catch (error) {
      if (!(error instanceof FieldMistake)) throw error
      throw fileError(this.path, `${unit} ${number}: ${error.message}`)
    }
  }

  finish(): AuditFindings {
    if (this.layout === undefined)
      throw fileError(this.path, 'expected at least one line of mined examples, received none')
    this.findings.layout = this.layout.name
    return this.findings
  }

  private judge(example: MinedExample, number: number) {
    const { queries, documents } = this.known.words
    const { findings } = this
    const listed = [...example.positives, ...example.negatives, ...(example.unlabeled ?? [])]
    if (findings.lines++ === 0) {
      queries.settle([example.query])
      documents.settle(listed.map(({ word }) => word))
    }
    const query = queries.find(example.query)
    findings.saw('query', query !== undefined)
    if (!query)
      findings.add('unknownIds', number, `the query ${shownWord(example.query)} is not known`)
    example = this.labeled(example, query)
    const positives = example.positives.flatMap(({ word }) => this.row(word, 'positive', number))
    const group = this.groupOf(query, positives)
    const line = {
      number,
      queryWord: example.query,
      query,
      positives: new Set(positives.filter(({ byText }) => !byText).map(({ row }) => row)),
      positiveTexts: new Set(positives.map(({ row }) => documents.classOf(row))),
      group,
      seen: new Set<number>(),
    }
    const sound = example.negatives.filter(({ word }) =>
      this.row(word, 'negative', number).some((row) => this.judgeNegative(word, row, line)),
    )
    this.judgeCount(example.negatives.length, sound.length, line)
    for (const each of listed) this.judgeScore(each, number)
    this.judgeOrder(example, number)
  }

  /** Documents without a label are positives if they are known as such. */
  private labeled(example: MinedExample, query: FoundRow | undefined): MinedExample {
    const { unlabeled } = example
    if (!unlabeled) return example
    const isPositive = ({ word }: ScoredWord) => {
      const found = this.known.words.documents.find(word)
      return query && found ? this.isKnown(query, found) : false
    }
    const positives = unlabeled.filter(isPositive)
    return { ...example, positives, negatives: unlabeled.filter((each) => !isPositive(each)) }
  }

  private isKnown(query: FoundRow, { row, byText }: FoundRow): boolean {
    const { positives, words } = this.known
    const textClass = byText ? words.documents.classOf(row) : -1
    return positives.has(query, row) || positives.rowsWithText(query.row, textClass) > 0
  }

  private row(word: Word, kind: string, number: number): FoundRow[] {
    const found = this.known.words.documents.find(word)
    this.findings.saw('document', found !== undefined)
    if (found) return [found]
    this.findings.add('unknownIds', number, `the ${kind} ${shownWord(word)} is not in the corpus`)
    return []
  }

  /** Whether the negatives of a query stand in several lines. */
  private get isSplit() {
    const name = this.layout?.name
    return name === 'triplet' || name === 'labeled-pair'
  }

  /** A triplet is one of several lines with the same query and positive, a labeled pair of those of its query. */
  private groupOf(query: FoundRow | undefined, [positive]: readonly FoundRow[]) {
    if (!this.isSplit || !query) return undefined
    if (this.layout?.name === 'labeled-pair') return this.groups.add(query.row, -1)
    if (!positive) return undefined
    return this.groups.add(query.row, this.identityOf(positive))
  }

  /** One number for a row, or for all rows with the text that a word is. */
  private identityOf({ row, byText }: FoundRow): number {
    const textClass = byText ? this.known.words.documents.classOf(row) : -1
    return textClass === -1 ? row : this.known.corpus + textClass
  }

  /** Whether a negative has no fault. */
  private judgeNegative(word: Word, found: FoundRow, line: Line): boolean {
    const told = (fault: MinedFault, what: string) => {
      this.findings.add(fault, line.number, `the negative ${shownWord(word)} ${what}`)
      return false
    }
    const query = shownWord(line.queryWord)
    const textClass = this.known.words.documents.classOf(found.row)
    const isRepeated = this.isRepeated(this.identityOf(found), line)
    const isSameText = textClass !== -1 && this.isRepeated(this.known.corpus + textClass, line)
    const kind = this.kindOf(found, textClass, line)
    if (kind === 'positive')
      return told('positivesAmongNegatives', `is a positive of the query ${query}`)
    if (isRepeated) return told('repeatedNegatives', `of the query ${query} is repeated`)
    if (kind !== 'other') return told('equalTexts', `has the text of ${kind} ${query}`)
    if (isSameText && !found.byText)
      return told('equalTexts', `has the text of another negative of the query ${query}`)
    return true
  }

  /** Whether a row or class was a negative before, in this line or, if they are split, in one like it. */
  private isRepeated(identity: number, { group, seen }: Line): boolean {
    const before = group === undefined ? seen.size : this.members.size
    if (group === undefined) return seen.add(identity).size === before
    this.members.add(group, identity)
    return this.members.size === before
  }

  /** How a negative relates to the query and its positives. */
  private kindOf({ row, byText }: FoundRow, textClass: number, line: Line) {
    const { positives: known, words } = this.known
    const { query, positives, positiveTexts } = line
    const isOwn = query !== undefined && known.has(query, row)
    if ((!byText || textClass === -1) && (isOwn || positives.has(row))) return 'positive'
    if (textClass === -1) return 'other'
    const rows = query ? known.rowsWithText(query.row, textClass) : 0
    if (rows > 0 || positiveTexts.has(textClass)) {
      // A text stands for any of its rows: it is a positive if no other row has it.
      const isOnlyPositive = byText && known.sizeOf(textClass) <= Math.max(rows, 1)
      return isOnlyPositive ? 'positive' : 'a positive of the query'
    }
    const isQuery = query && words.queries.classOf(query.row) === textClass
    return isQuery ? 'the query' : 'other'
  }

  /** @param sound Negatives without a fault. */
  private judgeCount(negatives: number, sound: number, { number, queryWord, group }: Line) {
    const { findings, rules } = this
    const isPair = this.layout?.name === 'labeled-pair'
    if (this.isSplit && rules.numNegatives !== undefined) {
      if (group !== undefined) findings.countGroup(group, negatives, number)
    } else if (!this.isSplit || (negatives === 0 && !isPair))
      findings.countLine(negatives, sound, number, shownWord(queryWord))
  }

  private judgeScore({ word, score }: ScoredWord, number: number) {
    if (score === undefined || Number.isFinite(score)) return
    const shown = printable(JSON.stringify(score) ?? 'nothing', 40)
    const text = `the score of ${shownWord(word)} is ${typeof score === 'number' ? score : shown}`
    this.findings.add('scoresNotFinite', number, `${text}, not a finite number`)
  }

  private judgeOrder({ query, positives, negatives }: MinedExample, number: number) {
    const scores = positives.map(({ score }) => score).filter(isFiniteNumber)
    if (scores.length === 0) return
    const { reference } = this.rules
    const limit =
      reference === 'mean'
        ? scores.reduce((sum, score) => sum + score, 0) / scores.length
        : scores.reduce((a, b) => Math[reference](a, b))
    for (const { word, score } of negatives)
      if (isFiniteNumber(score) && score > limit)
        this.findings.add(
          'scoresAbovePositive',
          number,
          `the negative ${shownWord(word)} of the query ${shownWord(query)} scores ${score}, above its positive's ${limit}`,
        )
  }
}

const isFiniteNumber = (value: unknown): value is number => Number.isFinite(value)
