import { isSparse, type SparseMatrix } from '../data/sparse'
import { toSource } from '../data/source'
import { invalid } from '../errors'
import { checkNumber, required, withDefaults } from '../options'
import type { OwnOptions } from './fit'
import type { FitOptions } from './fit-options'
import { graphBytes } from './memory'

/** A weighted graph of the rows of a matrix. */
export interface Graph {
  /**
   * A [n × n] for the n rows of X: symmetric up to a millionth of each entry, no entry below zero, 0 for rows
   * without an edge. The diagonal has no effect.
   */
  readonly adjacency: SparseMatrix
  /** Weight λ ≥ 0 of λ·tr(Wᵀ(D − A)W) = λ/2·Σ A_ij ‖w_i − w_j‖², added to ‖X − W H‖². */
  readonly weight: number
}

const graphArguments = { adjacency: required, weight: required } as Graph

/**
 * Checks a graph of so many rows, except its entries.
 *
 * @throws {TypeError | RangeError} naming the part of the graph.
 */
export function checkGraph(name: string, given: Graph, rows: number): Graph {
  const { adjacency, weight } = withDefaults(graphArguments, given, name)
  checkNumber(`${name}.weight`, weight, 0)
  if (!isSparse(adjacency))
    throw invalid(`${name}.adjacency`, `a sparse matrix of ${rows} × ${rows}`, adjacency)
  for (const side of ['rows', 'cols'] as const)
    if (adjacency[side] !== rows)
      throw invalid(`${name}.adjacency.${side}`, `${rows}, the rows of X`, adjacency[side])
  return { adjacency, weight }
}

/** The graph term in the form for the addon; checked, except its entries. */
export async function graphTerm(
  given: Graph,
  { loss, solver, innerSweeps, acceleration, rank, batchSize }: Omit<FitOptions, 'init'>,
  rows: number,
): Promise<OwnOptions> {
  const { adjacency, weight } = checkGraph('graph', given, rows)
  if (loss !== 'frobenius')
    throw invalid('loss', 'frobenius for a factorization with a graph', loss)
  if (solver !== 'mu')
    throw invalid(
      'solver',
      'mu for a factorization with a graph, whose term it alone takes',
      solver,
    )
  if (innerSweeps !== 1)
    throw invalid(
      'innerSweeps',
      '1 for a factorization with a graph, where each sweep needs the new codes of all neighbours',
      innerSweeps,
    )
  if (acceleration !== 'none')
    throw invalid('acceleration', 'none for a factorization with a graph', acceleration)
  if (batchSize !== undefined)
    throw invalid('batchSize', 'none for a factorization with a graph', batchSize)
  const source = await toSource('graph.adjacency', adjacency)
  return { adjacency: source, graphWeight: weight, graphBytes: graphBytes(rows, rank) }
}
