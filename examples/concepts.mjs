// Concepts in activations: parts that a person can read by the tokens that activate them.
//   node examples/concepts.mjs [X.npy TOKENS.tsv [RANK]]
// X has one row a token; TOKENS.tsv has a line sample<TAB>token for each row, in reading order. Without files the
// example plants four meanings in sentences of its own. The page concepts.html shows all that was found.
import { writeFile } from 'node:fs/promises'
import { conceptPage, describeConcepts, fitReducer, loadMatrix, readContexts } from 'gemmine'

const meanings = {
  food: ['bread', 'soup', 'rice', 'cheese'],
  weather: ['rain', 'snow', 'wind', 'sun'],
  music: ['song', 'piano', 'drums', 'choir'],
  travel: ['train', 'ticket', 'hotel', 'map'],
}
const frames = [
  'we want some * and',
  'there was * again with',
  'he likes the * more than',
  'no * before',
]

/** Numbers between −1 and 1, the same in every run. */
function numbers(seed) {
  let state = seed
  return () => (state = (state * 16807) % 2147483647) / 1073741823.5 - 1
}

/** Tokens of invented sentences, each with a vector of its meaning, of either sign, and noise. */
function planted(features = 48) {
  const next = numbers(7)
  const vector = () => Float64Array.from({ length: features }, next)
  const directions = Object.fromEntries(Object.keys(meanings).map((name) => [name, vector()]))
  const [samples, tokens, rows] = [[], [], []]
  const add = (sample, token, meaning) => {
    const strength = meaning ? 2 + 0.5 * next() : 0
    samples.push(sample)
    tokens.push(token)
    rows.push(vector().map((x, j) => 0.1 * x + strength * (meaning ? directions[meaning][j] : 0)))
  }
  let sample = 0
  for (const [meaning, words] of Object.entries(meanings))
    for (const word of words)
      for (const frame of frames) {
        for (const token of frame.split(' ')) {
          if (token === '*') add(sample, word, meaning)
          else add(sample, token)
        }
        sample++
      }
  const data = Float32Array.from(rows.flatMap((row) => [...row]))
  return { X: { data, rows: rows.length, cols: features }, contexts: { samples, tokens } }
}

async function loaded(matrix, tokens) {
  const X = await loadMatrix(matrix)
  return { X, contexts: await readContexts(tokens, X.rows) }
}

const [matrix, tokens, rank = '4'] = process.argv.slice(2)
const { X, contexts } = matrix ? await loaded(matrix, tokens) : planted()
// The penalties make codes sparse, so that a concept does not stand for several meanings at once.
const fit = { l1W: 1, l2H: 1 }
const reducer = await fitReducer(X, { model: 'semi-nmf', rank: Number(rank), fit })
const concepts = await describeConcepts(reducer, { contexts, count: 5, window: 6 })

for (const { component, share, contexts } of concepts) {
  console.log(`concept ${component}, ${(100 * share).toFixed(1)} % of the energy`)
  for (const { activation, before, token, after } of contexts)
    console.log(`  ${activation.toFixed(2)}  ${before}[${token}]${after}`)
}
await writeFile('concepts.html', conceptPage(concepts, { title: 'Concepts' }))
console.log(`${concepts.length} concepts, relative error ${reducer.relativeError.toFixed(3)}`)
