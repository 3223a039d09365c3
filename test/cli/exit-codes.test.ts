// The exit code and the sentence of a failure.
import { describe, expect, it } from 'vitest'
import { failureOf } from '../../lib/cli/failure'
import { Interruption } from '../../lib/cli/interruption'
import { GemmineError } from '../../lib/errors'

describe('the exit code tells whose failure it is', () => {
  const fileError = (code: string) =>
    new GemmineError('ERR_GEMMINE_FILE', 'out/W.npy: …', {
      cause: Object.assign(new Error(), { code }),
    })
  it.each([
    [fileError('EACCES'), 2],
    [fileError('ENOSPC'), 3],
    [new GemmineError('ERR_GEMMINE_OUT_OF_MEMORY', '…'), 3],
    [new GemmineError('ERR_GEMMINE_NATIVE_LOAD', '…'), 3],
    [new RangeError('Array buffer allocation failed'), 3],
    [new TypeError('x is not a function'), 3],
    [new Interruption('SIGINT'), 130],
    [new Interruption('SIGTERM'), 143],
  ])('%s', (error, exitCode) => {
    expect(failureOf(error).exitCode).toBe(exitCode)
  })

  it('and however many lines an error has, it is told on one', () => {
    expect(failureOf(new Error('first\n  second')).sentence).toBe(
      'unexpected failure: first second',
    )
  })
})
