// Mined candidates judged by a scorer: a stand-in for a cross-encoder or a language model, behind a slow and
// unreliable service. It keeps its answers in a file, so a second run asks nothing.
//   node examples/judge.mjs [CACHE]
import { fromRows, judgeNegatives, mineHardNegatives, minedLines } from 'gemmine'
import { setTimeout } from 'node:timers/promises'

const questions = ['how do I undo my last commit', 'how do I stop a running process']
const answers = [
  'undo the last commit but keep its changes',
  'take back the most recent commit',
  'list the last commit of each file',
  'stop a running process by its number',
  'end a process that runs',
  'list every running process by memory',
]
const positives = [[0], [3]]

// Embeddings of some model: the second answer to each question is as near as the first.
const queries = fromRows([
  [1, 0.1],
  [0.1, 1],
])
const corpus = fromRows([
  [1, 0.1],
  [1, 0.2],
  [0.9, 0.4],
  [0.1, 1],
  [0.2, 1],
  [0.3, 0.9],
])

/** Says how relevant a text is; here by words that a question and its answers share. */
const relevant = [/undo|take back/, /stop|end/]
const rate = ({ query, corpusText }) => (relevant[query].test(corpusText) ? 0.95 : 0.05)

async function score(pairs, { batch, attempt }) {
  await setTimeout(5)
  // The first call fails, as those of a service may; it is made again.
  if (batch === 0 && attempt === 0) throw new Error('HTTP 429')
  return pairs.map(rate)
}

// A pool larger than needed, without the margin that would drop the relevant rows unseen.
const pool = await mineHardNegatives(queries, corpus, positives, {
  numNegatives: 5,
  relativeMargin: null,
})
const judged = await judgeNegatives(pool, {
  score,
  numNegatives: 2,
  maxScore: 0.1, // a negative scores at most this
  minPositiveScore: 0.9, // from here on a candidate is relevant, and becomes a positive
  queryTexts: questions,
  corpusTexts: answers,
  cache: { path: process.argv[2] ?? 'judgements.jsonl', fingerprint: 'word rules, version 1' },
  batchSize: 4,
  retryDelay: 10,
})

console.log(`asked about ${judged.asked} pairs`, judged.outcomes)
const words = { query: (row) => questions[row], document: (row) => answers[row] }
for (const line of minedLines('triplet', judged, words)) console.log(line)
