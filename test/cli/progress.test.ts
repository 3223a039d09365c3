import { describe, expect, it } from 'vitest'
import { duration, Pace } from '../../lib/cli/progress'

describe('progress of a phase', () => {
  it('tells its rate and the time that is left', () => {
    const pace = new Pace()
    const at = (done: number, now: number) => pace.of({ phase: 'scan', done, total: 100 }, now)
    expect([at(10, 0), at(12, 100), at(20, 2000), at(60, 10_000), at(100, 20_000)]).toEqual([
      '',
      '',
      '5/s, 16 s left',
      '5/s, 8 s left',
      '',
    ])
  })

  it('is measured from its own beginning, also after a resume', () => {
    const pace = new Pace()
    pace.of({ phase: 'prepare', done: 0, total: 5 }, 0)
    expect(pace.of({ phase: 'mine', done: 900, total: 1000 }, 60_000)).toBe('')
    expect(pace.of({ phase: 'mine', done: 910, total: 1000 }, 70_000)).toBe('1/s, 1 min 30 s left')
  })

  it.each([
    [0, '0 s'],
    [59.4, '59 s'],
    [59.6, '1 min 0 s'],
    [200, '3 min 20 s'],
    [3599.7, '1 h 0 min'],
    [7500, '2 h 5 min'],
  ])('says %f seconds in words', (seconds, words) => {
    expect(duration(seconds)).toBe(words)
  })
})
