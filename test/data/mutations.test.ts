import { expect, it } from 'vitest'
import { fileError } from '../../lib/data/file'
import { expectSurvival } from './mutations'

// Counter-tests: parsers that damage breaks must not pass for ones that survive it.
const original = Buffer.from('{"length":12}')

const refuse = () => {
  throw fileError('X', 'expected something else')
}

it.each<[string, (bytes: Uint8Array) => unknown, string]>([
  ['throws other errors', (bytes) => JSON.parse(String(bytes)), 'JSON'],
  ['refuses everything', refuse, 'to be greater than'],
  ['accepts everything', () => 0, 'to be less than'],
  [
    'speaks in several lines',
    (bytes) => {
      throw fileError('X', `received ${bytes}\n`)
    },
    'expected one sentence',
  ],
  [
    'allocates what is claimed',
    (bytes) => new Uint8Array(bytes.length === original.length ? 8 : 2 ** 29),
    'bytes',
  ],
])('a parser that %s does not survive damage', async (_, parse, message) => {
  await expect(expectSurvival('X', [original], parse, () => {})).rejects.toThrow(message)
})
