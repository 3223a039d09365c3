// All ways in which JavaScript can detach the memory that a job uses.
import { describe, expect, it } from 'vitest'
import { runProgram } from './child'

const times = 20

/** Whether this Node.js has the way at all. */
const ways: Record<string, boolean> = {
  postMessage: true,
  structuredClone: true,
  transfer: 'transfer' in ArrayBuffer.prototype,
  'transfer to another size': 'transfer' in ArrayBuffer.prototype,
  'transfer to a fixed length': 'transfer' in ArrayBuffer.prototype,
  resize: 'resize' in ArrayBuffer.prototype,
  'growth of shared memory': 'grow' in SharedArrayBuffer.prototype,
  'growth of wasm memory': true,
  'the end of its worker': true,
}

describe('memory that is taken away', () => {
  for (const [way, isThere] of Object.entries(ways))
    it.skipIf(!isThere)(
      `by ${way} leaves the process alive and no wrong answer, 20 times`,
      async () => {
        const program = await runProgram('memory-taken-away', [way, times], {
          flags: ['--expose-gc'],
        })
        expect(program).toMatchObject({ code: 0, stderr: '' })
        const seen = JSON.parse(program.stdout) as Record<string, [number, number]>
        console.log(way, seen)
        for (const [right, named] of Object.values(seen)) expect(right + named).toBe(times)
        expect(seen['a prepared corpus']).toEqual([times, 0])
      },
    )
})
