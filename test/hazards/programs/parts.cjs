// Calls one function of much text, or with many names: prints what turns.cjs measures.
const { writeFileSync } = require('node:fs')
const { join } = require('node:path')
const { longestTurn } = require('./turns.cjs')
const gemmine = require(join(__dirname, '..', '..', '..'))

const [name, path] = process.argv.slice(2)

const ones = (rows, cols = 1) => ({ data: new Float32Array(rows * cols).fill(1), rows, cols })

/** Writes what `line` gives for 0..count - 1, and returns the path. */
function lines(file, count, line) {
  const parts = []
  for (let i = 0; i < count; i++) parts.push(line(i), '\n')
  writeFileSync(`${path}${file}`, parts.join(''))
  return `${path}${file}`
}

const texts = (count, of) => Array.from({ length: count }, (_, i) => `a text with the number ${of(i)}`)

const tensors = (count) => ({
  tensors: Object.fromEntries(
    Array.from({ length: count }, (_, i) => [
      `model.layers.${i}.weight`,
      { data: Float32Array.of(i), shape: [1, 1] },
    ]),
  ),
  metadata: {},
})

const rows = 300_000
const queries = 100_000

/** Every text stands in both shards. */
async function sharedTexts() {
  const corpusTexts = texts(rows, (i) => i)
  const digests = [0, rows].map((firstRow) =>
    gemmine.digestTexts(corpusTexts, { firstRow, corpusRows: 2 * rows }),
  )
  return { corpusTexts, digests: await Promise.all(digests) }
}

async function scoredTexts() {
  const { corpusTexts, digests } = await sharedTexts()
  const options = { corpusRows: 2 * rows, sharedTexts: await gemmine.mergeTextDigests(digests) }
  const shard = (firstRow) =>
    gemmine.scorePositives(ones(queries), ones(rows), new Int32Array(queries), {
      ...options,
      firstRow,
    })
  return { corpusTexts, options, shard, parts: await Promise.all([shard(0), shard(rows)]) }
}

/** For each name, what is made before the measured call, and the call. */
const calls = {
  readIds: [
    () => lines('ids.txt', 1_000_000, (i) => `document-${i}`),
    (file) => gemmine.readIds(file, 'any', 'corpus'),
  ],
  readTexts: [
    () => lines('texts.jsonl', 500_000, (i) => `{"_id":"${i}","text":"a text of some words ${i}"}`),
    (file) => gemmine.readTexts(file, 'any', 'corpus'),
  ],
  mineHardNegatives: [
    () => [texts(1000, (i) => i), texts(rows, (i) => i)],
    ([queryTexts, corpusTexts]) =>
      gemmine.mineHardNegatives(ones(1000), ones(rows), new Int32Array(1000), {
        queryTexts,
        corpusTexts,
      }),
  ],
  mergeTextDigests: [sharedTexts, ({ digests }) => gemmine.mergeTextDigests(digests)],
  scorePositives: [scoredTexts, ({ shard }) => shard(rows)],
  mergePositiveScores: [scoredTexts, ({ parts }) => gemmine.mergePositiveScores(parts)],
  mineCorpusShard: [
    async () => {
      const { corpusTexts, parts } = await scoredTexts()
      return { corpusTexts, scores: await gemmine.mergePositiveScores(parts) }
    },
    ({ corpusTexts, scores }) =>
      gemmine.mineCorpusShard(ones(queries), ones(rows), scores, {
        firstRow: 0,
        corpusTexts,
        queryTexts: texts(queries, (i) => i),
        excludeSelf: new Int32Array(queries).map((_, q) => q),
      }),
  ],
  auditMined: [
    () => ({
      corpusTexts: texts(rows, (i) => i),
      file: lines(
        'mined.jsonl',
        rows,
        (i) => `{"anchor":${i % 1000},"positive":${i},"negative":${(i * 7) % rows}}`,
      ),
    }),
    ({ corpusTexts, file }) =>
      gemmine.auditMined(file, {
        queries: 1000,
        corpus: rows,
        positives: new Int32Array(1000),
        corpusTexts,
      }),
  ],
  writeLines: [
    () => gemmine.mineHardNegatives(ones(queries), ones(16), new Int32Array(queries), {
      numNegatives: 8, relativeMargin: null, maxScore: 2 }),
    (mined) =>
      gemmine.writeLines(
        `${path}lines.jsonl`,
        gemmine.minedLines('triplet', mined, { query: String, document: (row) => `some text ${row}`.repeat(8) }),
      ),
  ],
  'reading 100 MB of tensors': [
    async () => {
      const data = new Float32Array(2.5e7)
      await gemmine.writeSafetensors(`${path}large.safetensors`, {
        tensors: { X: { data, shape: [1e5, 250] } },
        metadata: {},
      })
    },
    () => gemmine.readSafetensors(`${path}large.safetensors`),
  ],
  'reading many tensors': [
    () => gemmine.writeSafetensors(`${path}many.safetensors`, tensors(100_000)),
    () => gemmine.readSafetensors(`${path}many.safetensors`),
  ],
  'writing many tensors': [
    () => tensors(100_000),
    (contents) => gemmine.writeSafetensors(`${path}many.safetensors`, contents),
  ],
  'reading a long line': [
    () => lines('long.txt', 1, () => 'x'.repeat(Number(process.argv[4] ?? 2e8))),
    (file) => gemmine.readIds(file, 'any', 'corpus').catch(() => {}),
  ],
  'reading a long text': [
    () => lines('long.txt', 1, () => 'x'.repeat(Number(process.argv[4] ?? 2e8))),
    (file) => gemmine.readTexts(file, 'any', 'corpus').catch(() => {}),
  ],
}

async function main() {
  await gemmine.topK(ones(1), ones(1), { k: 1 }) // starts the threads
  const [prepare, call] = calls[name]
  const input = await prepare()
  console.log(JSON.stringify(await longestTurn(() => call(input))))
}
main()
