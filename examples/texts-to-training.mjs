// The road from texts to training: embed, mine, and write a JSONL that sentence-transformers reads:
//   from datasets import load_dataset
//   train = load_dataset('json', data_files='triplets.jsonl', split='train')   # anchor, positive, negative
//
//   node examples/texts-to-training.mjs [FILE]
//
// The embedding here is a truncated SVD of word counts, so that the example needs nothing else; put your
// model's vectors in its place.
import { mineHardNegatives, minedLines, truncatedSvd, writeLines } from 'gemmine'

const questions = [
  'how do I undo my last commit',
  'how do I list files by size',
  'how do I stop a running process',
  'how do I see which ports are open',
]
const answers = [
  'undo the last commit but keep its changes in the working tree',
  'list files sorted by their size with the largest first',
  'stop a running process by its number',
  'see which ports are open and which process listens',
  'list the last commit of each file',
  'undo all changes in the working tree',
  'list every running process by memory',
  'close all open files of a process',
]

const wordsOf = (text) => text.split(' ').filter((word) => word.length > 2)
const vocabulary = [...new Set([...questions, ...answers].flatMap(wordsOf))]

function countWords(texts) {
  const data = new Float32Array(texts.length * vocabulary.length)
  texts.forEach((text, i) => {
    for (const word of wordsOf(text)) data[i * vocabulary.length + vocabulary.indexOf(word)] += 1
  })
  return { data, rows: texts.length, cols: vocabulary.length }
}

/** X Vᵀ: rows in the space of the right singular vectors. */
function project({ data, rows, cols }, V) {
  const result = { data: new Float32Array(rows * V.rows), rows, cols: V.rows }
  for (let i = 0; i < rows; i++)
    for (let c = 0; c < V.rows; c++)
      for (let j = 0; j < cols; j++)
        result.data[i * V.rows + c] += data[i * cols + j] * V.data[c * cols + j]
  return result
}

const { V } = await truncatedSvd(countWords([...questions, ...answers]), { rank: 8 })
const queries = project(countWords(questions), V)
const corpus = project(countWords(answers), V)

const positives = Int32Array.from(questions.keys())
const mined = await mineHardNegatives(queries, corpus, positives, {
  numNegatives: 2,
  queryTexts: questions,
  corpusTexts: answers,
})

const path = process.argv[2] ?? 'triplets.jsonl'
const words = { query: (row) => questions[row], document: (row) => answers[row] }
await writeLines(path, minedLines('triplet', mined, words))
console.log(`${mined.found} negatives for ${mined.queries} questions in ${path}`)
