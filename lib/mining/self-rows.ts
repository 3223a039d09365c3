import { isInt32Array } from 'node:util/types'
import { borrowable, invalidLength } from '../data/typed-array'
import { invalid, invalidText } from '../errors'

/** Which corpus row a query is itself: the row of its own number, or the one that an array gives. */
export type SelfRows = boolean | Int32Array

/**
 * Checks `excludeSelf` up to the elements of an array, which the job checks. Without an array a query can
 * only be left out of its own answer where the two sides are the same rows.
 */
export function checkedSelf(excludeSelf: unknown, queries: number, corpus: number): SelfRows {
  if (isInt32Array(excludeSelf)) {
    if (excludeSelf.length !== queries)
      throw invalidLength('excludeSelf', `${queries} rows, one for each query`, excludeSelf)
    return borrowable(excludeSelf)
  }
  if (typeof excludeSelf !== 'boolean')
    throw invalid('excludeSelf', 'true, false or an Int32Array of rows', excludeSelf)
  if (excludeSelf && queries !== corpus)
    throw invalidText(
      'excludeSelf',
      `as many queries as corpus rows (${corpus})`,
      `${queries} queries`,
    )
  return excludeSelf
}
