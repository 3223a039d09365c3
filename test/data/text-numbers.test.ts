import { expect, it } from 'vitest'
import { TextNumbers } from '../../lib/data/text-numbers'

const texts = ['b', 'a', '', 'a'.repeat(100), `${'a'.repeat(99)}b`, '\ud800', '\ud801', 'é']

it('texts are numbered in the order in which they come, each once', () => {
  const numbers = new TextNumbers()
  for (let i = 0; i < 50_000; i++) expect(numbers.add(`text ${i}`)).toBe(i)
  for (let i = 0; i < 50_000; i += 7) expect(numbers.add(`text ${i}`)).toBe(i)
  expect(numbers.size).toBe(50_000)
  expect(numbers.get('text 49999')).toBe(49_999)
  expect([numbers.get('text 50000'), numbers.has('text 50000')]).toEqual([undefined, false])
})

it('numbers of texts are read as a Map is', () => {
  const numbers = new TextNumbers()
  const map = new Map(texts.map((text, i) => [text, i]))
  for (const text of texts) numbers.add(text)
  expect(new Map(numbers)).toEqual(map)
  expect([...numbers.keys()]).toEqual([...map.keys()])
  expect([...numbers.values()]).toEqual([...map.values()])
  const seen: unknown[] = []
  numbers.forEach((number, text, self) => seen.push([text, number, self === numbers]))
  expect(seen).toEqual([...map].map((entry) => [...entry, true]))
  expect(numbers.get(7 as never)).toBeUndefined()
})
