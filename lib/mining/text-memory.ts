// The memory that mining takes for texts beside those of the caller.
import type { RowLists } from '../data/row-lists'
import { textTableBytes } from '../data/text-table'
import { planMemory } from '../memory'
import type { SettledMining } from './mining-options'

/**
 * Bytes of the addon's index of texts: three arrays of rows, two of which grow by doubling, the copy of a
 * sort, and the ends of classes; the list of a query text in a hash table; positives in these lists, which
 * grow by doubling.
 */
const indexBytes = { corpus: 29, query: 112, positive: 8 }

/**
 * The memory that is left for a scan beside tables and numbers of texts, and what the addon derives from them.
 *
 * @param positives Positives of all queries, if they are known.
 * @throws {GemmineError} `ERR_GEMMINE_OUT_OF_MEMORY` if texts take more than half of the budget.
 */
export function budgetBesideTexts(
  { queryTexts, corpusTexts, memoryBudget }: SettledMining,
  queries: { readonly rows: number },
  corpus: { readonly rows: number },
  positives?: RowLists,
): number | undefined {
  if (queryTexts === undefined || corpusTexts === undefined) return memoryBudget
  const texts = queries.rows + corpus.rows
  const bytes =
    textTableBytes(texts) +
    8 * texts +
    indexBytes.corpus * corpus.rows +
    indexBytes.query * queries.rows +
    indexBytes.positive * (positives?.indices.length ?? 0)
  const what = 'A table of the texts, for which half of memoryBudget is free,'
  planMemory(what, bytes, memoryBudget && memoryBudget / 2)
  return memoryBudget && memoryBudget - bytes
}
