// Calls one function with many texts, ids or tensors: prints what turns.cjs measures.
const { writeFileSync } = require('node:fs')
const { join } = require('node:path')
const { measure } = require('./turns.cjs')
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

const texts = (count, of) =>
  Array.from({ length: count }, (_, i) => `a text with the number ${of(i)}`)

const tensors = (count) => ({
  tensors: Object.fromEntries(
    Array.from({ length: count }, (_, i) => [
      `layers.${i}.weight`,
      { data: Float32Array.of(i), shape: [1, 1] },
    ]),
  ),
  metadata: {},
})

const headerEntry = (i) =>
  `"layers.${i}.weight":{"dtype":"F32","shape":[1,1],"data_offsets":[${4 * i},${4 * i + 4}]}`

const rows = 300_000
const queries = 10

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
  loadMatrix: [
    () => {
      const parts = Array.from({ length: 100_000 }, (_, i) => headerEntry(i))
      const text = Buffer.from(`{${parts.join(',')}}`)
      const prefix = Buffer.alloc(8)
      prefix.writeBigUInt64LE(BigInt(text.length))
      writeFileSync(`${path}.safetensors`, Buffer.concat([prefix, text, Buffer.alloc(4e5)]))
    },
    () => gemmine.loadMatrix(`${path}.safetensors`, { name: 'layers.77.weight' }),
  ],
  writeSafetensors: [
    () => tensors(10_000),
    (contents) => gemmine.writeSafetensors(`${path}.safetensors`, contents),
  ],
  readIdsOfOneLine: [
    () => lines('.txt', 1, () => 'x'.repeat(1e8)),
    (file) => gemmine.readIds(file, 'any', 'corpus').catch(() => {}),
  ],
}

measure(gemmine, calls[name])
