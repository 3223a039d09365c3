// A judge by plain loops: one candidate after the other, in rounds of all queries where a budget is given.
import type { ScorerAnswer } from '../../lib/mining/scorer-answers'

export interface JudgeRules {
  readonly numNegatives: number
  readonly maxScore?: number
  readonly absoluteMargin?: number
  readonly relativeMargin?: number
  readonly minScore?: number
  readonly reference?: 'min' | 'max' | 'mean'
  readonly minPositiveScore?: number
  readonly falseNegatives?: 'relabel' | 'remove' | 'remove-query'
  readonly rankBy?: 'mined' | 'judge'
  readonly stride?: number
  readonly judgePositives?: boolean
  readonly budget?: number
  readonly queryBudget?: number
}

/** Rows of one query, candidates best first. */
export interface Judgeable {
  readonly positives: readonly number[]
  readonly candidates: readonly number[]
}

export type Answering = (query: number, row: number) => ScorerAnswer

export interface JudgedQuery {
  readonly negatives: number[]
  readonly found: number[]
  /** What became of the candidates that were asked about. */
  readonly outcomes: string[]
  readonly judgedPositives: number
}

const parts = (answer: ScorerAnswer): { score?: number; verdict?: string } | null => {
  if (answer === null) return null
  if (typeof answer === 'number') return { score: answer }
  if (typeof answer === 'string') return { verdict: answer }
  return answer as { score?: number; verdict?: string }
}

function highest(scores: readonly number[], rules: JudgeRules): number {
  const { maxScore, absoluteMargin, relativeMargin, reference = 'min' } = rules
  const limits = maxScore === undefined ? [] : [maxScore]
  if (absoluteMargin === undefined && relativeMargin === undefined)
    return Math.min(Infinity, ...limits)
  if (scores.length === 0) return maxScore ?? -Infinity
  const sum = scores.reduce((a, b) => a + b, 0)
  const p = reference === 'mean' ? sum / scores.length : Math[reference](...scores)
  if (absoluteMargin !== undefined) limits.push(p - absoluteMargin)
  if (relativeMargin !== undefined) limits.push(p - relativeMargin * Math.abs(p))
  return Math.min(...limits)
}

function became(answer: ScorerAnswer, ceiling: number, rules: JudgeRules): string {
  const given = parts(answer)
  if (given === null) return 'unanswered'
  const { score, verdict } = given
  const isHigh = score !== undefined && score >= (rules.minPositiveScore ?? Infinity)
  if (verdict === 'positive' || (verdict === undefined && isHigh)) return 'positive'
  if (verdict === 'drop') return 'drop'
  if (score !== undefined && score > ceiling) return 'ceiling'
  return score !== undefined && score < (rules.minScore ?? -Infinity) ? 'floor' : 'keep'
}

/** One query while it is judged. */
class Walk {
  readonly outcomes: string[] = []
  judgedPositives = 0
  readonly isOpen: boolean
  readonly margin: boolean

  constructor(
    readonly query: number,
    readonly given: Judgeable,
    readonly rules: JudgeRules,
    readonly answer: Answering,
  ) {
    const { absoluteMargin, relativeMargin, maxScore } = rules
    this.margin = absoluteMargin !== undefined || relativeMargin !== undefined
    this.isOpen = given.positives.length > 0 || maxScore !== undefined || !this.margin
  }

  get needed(): number {
    const { numNegatives, stride = 1, rankBy } = this.rules
    const kept = this.outcomes.filter((outcome) => outcome === 'keep').length
    return rankBy === 'judge' ? Infinity : 1 + (numNegatives - 1) * stride - kept
  }

  get wants(): boolean {
    const { queryBudget = Infinity, falseNegatives } = this.rules
    if (falseNegatives === 'remove-query' && this.outcomes.includes('positive')) return false
    const limit = Math.min(queryBudget, this.given.candidates.length)
    return this.isOpen && this.needed > 0 && this.outcomes.length < limit
  }

  /** Pairs that the next candidate costs. */
  get cost(): number {
    const asksPositives = this.rules.judgePositives || this.margin
    return 1 + (asksPositives && this.outcomes.length === 0 ? this.given.positives.length : 0)
  }

  step() {
    this.judgedPositives += this.cost - 1
    const scores = this.given.positives.flatMap(
      (row) => parts(this.answer(this.query, row))?.score ?? [],
    )
    const row = this.given.candidates[this.outcomes.length]!
    this.outcomes.push(
      became(this.answer(this.query, row), highest(scores, this.rules), this.rules),
    )
  }

  result(): JudgedQuery {
    const { numNegatives, rankBy, falseNegatives, stride = 1 } = this.rules
    const of = (wanted: string) =>
      this.given.candidates.filter((_, i) => this.outcomes[i] === wanted)
    const found = of('positive').sort((a, b) => a - b)
    const scoreOf = (row: number) => parts(this.answer(this.query, row))?.score ?? -Infinity
    const kept = of('keep')
    const order = [...kept.keys()]
    if (rankBy === 'judge')
      order.sort((a, b) => {
        const [x, y] = [scoreOf(kept[a]!), scoreOf(kept[b]!)]
        return x === y ? a - b : x > y ? -1 : 1
      })
    const ranked = order.map((i) => kept[i]!)
    const inTurn = ranked
      .map((row, i) => ({ row, i }))
      .sort((a, b) => (a.i % stride) - (b.i % stride) || a.i - b.i)
      .slice(0, numNegatives)
      .sort((a, b) => a.i - b.i)
      .map(({ row }) => row)
    const isRemoved = falseNegatives === 'remove-query' && found.length > 0
    const { outcomes, judgedPositives } = this
    return { negatives: isRemoved ? [] : inTurn, found, outcomes, judgedPositives }
  }
}

/** Judges in rounds: first the next candidate of each query, then the one after it, … */
function spend(walks: readonly Walk[], budget: number) {
  let left = budget
  for (;;) {
    // What a query needs is settled at the beginning of a round.
    const quotas = walks.map((walk) => (walk.wants ? walk.needed : 0))
    const passedOver = new Set<Walk>()
    const steps = walks.map(() => 0)
    const pending: Walk[] = []
    for (let depth = 0; quotas.some((quota) => quota > depth); depth++) {
      let isAny = false
      walks.forEach((walk, q) => {
        const limit = Math.min(walk.rules.queryBudget ?? Infinity, walk.given.candidates.length)
        const at = walk.outcomes.length + steps[q]!
        if (quotas[q]! <= depth || passedOver.has(walk) || at >= limit) return
        const cost = steps[q] === 0 ? walk.cost : 1
        if (cost > left) return void passedOver.add(walk)
        left -= cost
        steps[q]!++
        pending.push(walk)
        isAny = true
      })
      if (!isAny) break
    }
    if (pending.length === 0) return
    pending.forEach((walk) => walk.step())
  }
}

export function judgedBy(
  queries: readonly Judgeable[],
  rules: JudgeRules,
  answer: Answering,
): JudgedQuery[] {
  const walks = queries.map((given, query) => new Walk(query, given, rules, answer))
  const isInRounds = rules.budget !== undefined || rules.falseNegatives === 'remove-query'
  if (isInRounds) spend(walks, rules.budget ?? Infinity)
  else for (const walk of walks) while (walk.wants) walk.step()
  return walks.map((walk) => walk.result())
}
