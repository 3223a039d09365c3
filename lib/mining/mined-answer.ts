// The result of a mining job, from what the addon found.
import { ruleNames } from '../data/mined-lines'
import { handOut } from '../lending'
import type { NativeMined } from '../native'
import { summedCounts, type SummedCounts } from './mined-arrays'
import { MinedNegatives, type MinedRun } from './mined-negatives'
import type { SettledMining } from './mining-options'
import { miningWarnings } from './mining-warnings'

/** The answer, with counters by the names of their rules. */
export async function answerOf(
  found: Omit<MinedRun, keyof NativeMined | keyof SummedCounts | 'warnings'>,
  { dropped, ...mined }: NativeMined,
  settled: SettledMining,
): Promise<MinedNegatives> {
  for (const array of Object.values(mined.rejected)) handOut(array as ArrayBufferView)
  const counters = Object.fromEntries(
    ruleNames.map((name, i) => [name, dropped[i]!]),
  ) as MinedNegatives['dropped']
  const sums = await summedCounts(found.counts, found.numNegatives)
  const run = { ...found, ...sums, ...mined, dropped: counters }
  return new MinedNegatives({ ...run, warnings: miningWarnings(run, settled, String) })
}
