// Terms in documents, as the measures and the keywords of topics read them.
import { inSlices } from '../data/slices'
import { toSparseView, type SparseMatrix, type SparseView } from '../data/sparse'
import { invalidEntry } from '../errors'

/** A sparse matrix [n × T], not 0 where a term is in a document, whose entries are finite. */
export async function occurrencesView(name: string, input: SparseMatrix): Promise<SparseView> {
  const view = await toSparseView(name, input)
  const { indptr, indices, values } = view
  await inSlices(values.length, (begin, end) => {
    for (let at = begin; at < end; at++) {
      if (Number.isFinite(values[at])) continue
      const row = indptr.findIndex((start) => start > at) - 1
      throw invalidEntry(name, 'a finite number', values[at]!, row, indices[at]!)
    }
  })
  return view
}
