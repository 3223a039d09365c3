// benny suites whose cases are asynchronous jobs.
import b from 'benny'
import { resultsFolder } from './experiment'
import { isTrial } from './shapes'

type Summary = Awaited<ReturnType<typeof b.suite>>

/**
 * Measures each job until its mean is accurate enough, prints the list, and saves benny's summary beside the
 * results.
 */
export function suite(
  name: string,
  file: string,
  jobs: Readonly<Record<string, () => Promise<unknown>>>,
): Promise<Summary> {
  let running = false
  // Before a suite runs, benny calls all cases at once to detect that they are asynchronous.
  const once = (job: () => Promise<unknown>) => async () => void (running && (await job()))
  const begin =
    async () =>
    <Suite>(started: Suite) => {
      running = true
      return started
    }
  return b.suite(
    name,
    b.configure({
      cases: { minSamples: isTrial ? 2 : 5, maxTime: isTrial ? 0.1 : 5 },
      minDisplayPrecision: 3,
    }),
    ...Object.entries(jobs).map(([label, job]) => b.add(label, once(job))),
    begin,
    b.cycle(),
    b.complete(),
    b.save({ folder: resultsFolder, file: `${file}.benny`, details: true }),
  )
}
