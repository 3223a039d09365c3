// Warnings about files that a mining job leaves empty or does not write, which a training program may not
// report.
import type { MinedNegatives } from '../mining/mined-negatives'
import { mineDefaults, type MineOptions } from './mining-options'

type Written = {
  readonly [Name in 'out' | 'format' | 'incomplete' | 'parquet' | 'explain']?:
    MineOptions[Name] | undefined
}

/** The reason why negatives.jsonl has no line although some query has a negative. */
function ofNoLine(
  mined: MinedNegatives,
  { out, format = mineDefaults.format, incomplete, parquet }: Written,
): string[] {
  const { counts, positives, listStarts, numNegatives, shard } = mined
  // A part without lines does not mean that the whole has none.
  if (shard) return []
  if (out === undefined || mined.found === 0 || positives.indices.length === 0) return []
  const asks =
    format === 'n-tuple'
      ? ['a line of --format n-tuple needs', 'another --format']
      : incomplete === 'drop' && ['--incomplete drop asks for', '--incomplete keep']
  const fewest = asks ? numNegatives : 1
  // A list without a positive is that of a query without, which has one list.
  let query = 0
  const hasLine = (count: number, list: number) => {
    if (!listStarts) query = list
    else while (listStarts[query + 1]! <= list) query++
    return count >= fewest && mined.positivesOf(query).length > 0
  }
  if (counts.some(hasLine)) return []
  return [
    `negatives.${parquet ? 'parquet' : 'jsonl'} is empty: no query with a positive has ${
      asks
        ? `the ${numNegatives} negatives that ${asks[0]}; a lower --num-negatives or ${asks[1]} gives lines`
        : 'a negative'
    }`,
  ]
}

/** Options that only shape files, given without --out. */
const ofNoFiles = ({ out, format, incomplete, parquet, explain }: Written): string[] =>
  Object.entries({ format, incomplete, parquet, explain })
    .filter(([, value]) => out === undefined && value !== undefined)
    .map(
      ([name, value]) =>
        `--${name}${value === true ? '' : ` ${value}`} has no effect without --out, where its file would stand`,
    )

export const fileWarnings = (mined: MinedNegatives, given: Written): string[] => [
  ...ofNoLine(mined, given),
  ...ofNoFiles(given),
]
