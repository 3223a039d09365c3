import type { MatrixInput } from '../data/matrix'
import type { SourceInput } from '../data/source'
import { inTurns } from '../data/slices'
import { invalid, invalidText } from '../errors'
import { sidesOf } from '../data/source'
import {
  checkInteger,
  frozen,
  jobDefaults,
  withDefaults,
  type JobOptions,
  type Overrides,
} from '../options'
import { conceptHealth, conceptHealthDefaults, type CollinearPair } from './concept-health'
import { checkContexts, contextOf, isTokens, type Contexts, type RowContext } from './contexts'
import { denseMatrix, largestColumns } from './dense'
import { steeringVectors } from './directions'
import type { Reducer } from './reducer'
import { topActivations, topActivationsDefaults, type TopActivations } from './top-activations'
import { vocabularyProjection } from './vocabulary-projection'

/** A vocabulary into which components are projected. */
export interface ProjectedVocabulary {
  /** [V × m], a row for each token; see {@link vocabularyProjection}. */
  readonly unembedding: MatrixInput
  /** The text of each token, [V]. */
  readonly words: readonly string[]
  /** The weights by which the d features write to the m of the unembedding, [m × d]; none if m is d. */
  readonly output?: SourceInput | undefined
}

/** The only place where the defaults of {@link describeConcepts} are written. */
export const describeConceptsDefaults = frozen({
  /** Rows, and words of the vocabulary, for each component; 10 unless given. */
  count: topActivationsDefaults.count,
  /** What the rows stand for; only their numbers unless given. */
  contexts: undefined as Contexts | undefined,
  /** Tokens of the sample on either side of a token; 15 unless given. */
  window: 15,
  /**
   * True if a sample may occur several times in the contexts of a component, with different tokens; otherwise
   * its best token stands for it; false unless given.
   */
  repeatSamples: false,
  /** Features (neurons) of largest weight for each component; 10 unless given. */
  features: 10,
  /** Components whose cosine has at least this magnitude are collinear; 0.99 unless given. */
  collinearAt: conceptHealthDefaults.collinearAt,
  /** A vocabulary into which the components are projected; none unless given. */
  vocabulary: undefined as ProjectedVocabulary | undefined,
})

export type DescribeConceptsOptions = Overrides<typeof describeConceptsDefaults> & JobOptions

/** A row that activates a concept. */
export interface ConceptContext extends Partial<RowContext> {
  /** Row of the activations, counted row-major over their leading dimensions. */
  readonly row: number
  /** How strongly the row shows the concept; comparable within a concept. */
  readonly activation: number
}

/** A component as a person reads it. */
export interface Concept {
  /** Number of the component, from 0. */
  readonly component: number
  /** Share of the energy of all components, in [0, 1]; see {@link conceptHealth}. */
  readonly share: number
  /** Number of rows whose code is not 0. */
  readonly activeRows: number
  /** Whether the component has no energy. */
  readonly isDead: boolean
  /** Components of nearly the same or the opposite direction. */
  readonly collinear: readonly number[]
  /** The features of largest magnitude that are not 0, largest first, with their weights. */
  readonly features: readonly { readonly feature: number; readonly weight: number }[]
  /** The rows that activate the component most, largest activation first. */
  readonly contexts: readonly ConceptContext[]
  /** The words of the vocabulary that it promotes and suppresses most, if a vocabulary is given. */
  readonly words?: { readonly top: readonly string[]; readonly bottom: readonly string[] }
}

/** The collinear components of each component. */
function partnersOf(pairs: readonly CollinearPair[], rank: number): number[][] {
  const partners = Array.from({ length: rank }, () => [] as number[])
  for (const { first, second } of pairs) {
    partners[first]!.push(second)
    partners[second]!.push(first)
  }
  return partners
}

function contextsOf(
  { rows, values, count }: TopActivations,
  component: number,
  { contexts, window }: { contexts: Contexts | undefined; window: number },
): ConceptContext[] {
  const found: ConceptContext[] = []
  for (let at = component * count; at < (component + 1) * count && rows[at] !== -1; at++) {
    const [row, activation] = [rows[at]!, values[at]!]
    found.push({ row, activation, ...(contexts && contextOf(contexts, row, window)) })
  }
  return found
}

/** The words of each component. */
async function wordsOf(
  components: MatrixInput,
  vocabulary: ProjectedVocabulary | undefined,
  count: number,
  job: JobOptions,
) {
  if (vocabulary === undefined) return undefined
  const { unembedding, words, output } = vocabulary
  const { rows } = sidesOf('vocabulary.unembedding', unembedding)
  if (words?.length !== rows)
    throw invalidText('vocabulary.words', `${rows} words, one for each row`, `${words?.length}`)
  const vectors = await steeringVectors(components, { ...job, output })
  const wanted = Math.min(count, rows)
  const { top, bottom } = await vocabularyProjection(vectors, unembedding, {
    ...job,
    count: wanted,
  })
  const wordsAt = (tokens: Int32Array, k: number) =>
    Array.from(tokens.subarray(k * wanted, (k + 1) * wanted))
      .filter((token) => token !== -1)
      .map((token) => words[token]!)
  return (k: number) => ({ top: wordsAt(top.tokens, k), bottom: wordsAt(bottom.tokens, k) })
}

/**
 * Describes each component of a fitted reducer as a person reads it: the rows that activate it most, in words;
 * its features; what it has in common with others.
 *
 * @param reducer A {@link Reducer}; its `activations` rank the rows.
 * @throws {TypeError | RangeError} if there is not one context for each row, or an option is wrong or unknown.
 * @see Shafran, Geiger & Geva (2025), arXiv 2506.10920; Parekh et al. (2024), arXiv 2406.08074
 *
 * @example
 * const concepts = await describeConcepts(reducer, { contexts: { samples, tokens } })
 * for (const { component, contexts } of concepts) console.log(component, contexts[0])
 */
export async function describeConcepts(
  reducer: Reducer,
  given?: DescribeConceptsOptions,
): Promise<readonly Concept[]> {
  const options = withDefaults({ ...describeConceptsDefaults, ...jobDefaults }, given)
  const { count, contexts, window, repeatSamples, features, collinearAt, vocabulary, ...job } =
    options
  checkInteger('window', window, 0)
  checkInteger('features', features, 0)
  if (typeof repeatSamples !== 'boolean')
    throw invalid('repeatSamples', 'true or false', repeatSamples)
  const { components, activations, rank } = reducer
  if (contexts !== undefined) checkContexts(contexts, activations.data.length / rank)
  const isGrouped = contexts !== undefined && isTokens(contexts) && !repeatSamples
  const groups = isGrouped ? contexts.samples : undefined
  const top = await topActivations(activations, { count, groups })
  const health = await conceptHealth(reducer, { ...job, collinearAt })
  const words = await wordsOf(components, vocabulary, count, job)
  const H = await denseMatrix('components', components)
  const partners = partnersOf(health.collinear, rank)
  return inTurns<Concept[]>(function* (slice) {
    const concepts: Concept[] = []
    for (let component = 0; component < rank; component++) {
      const row = H.data.subarray(component * H.cols, (component + 1) * H.cols)
      concepts.push({
        component,
        share: health.share[component]!,
        activeRows: health.activeRows[component]!,
        isDead: health.dead.includes(component),
        collinear: partners[component]!,
        features: largestColumns(row, features).map((feature) => ({
          feature,
          weight: row[feature]!,
        })),
        contexts: contextsOf(top, component, { contexts, window }),
        ...(words && { words: words(component) }),
      })
      if (slice.spend(16 * H.cols)) yield
    }
    return concepts
  })
}
