import { isInt32Array } from 'node:util/types'
import { borrowable, invalidLength } from '../data/typed-array'
import { invalid, invalidText } from '../errors'

/** The corpus row that is a query itself: the row with its number (true), or the row in an array. */
export type SelfRows = boolean | Int32Array

/**
 * Checks `excludeSelf`, except the elements of an array: the job checks them. Without an array both sides
 * must be the same rows.
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
