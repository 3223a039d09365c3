// Calls one function whose work was once done at a single turn: prints what turns.cjs measures.
const { join } = require('node:path')
const { measure } = require('./turns.cjs')
const gemmine = require(join(__dirname, '..', '..', '..'))

const [name, path] = process.argv.slice(2)

const ones = (rows, cols, stride = cols) => ({
  data: new Float32Array(rows * stride).fill(1),
  rows,
  cols,
  stride,
})

const queries = 200_000
const corpusRows = 16
const numNegatives = 8
const rules = { numNegatives, relativeMargin: null, maxScore: 2, explain: 1 }

/** Mines in one dimension, where every score is 1. */
async function minedParts(count) {
  const positives = new Int32Array(queries)
  return Promise.all(
    Array.from({ length: count }, (_, index) =>
      gemmine.mineHardNegatives(ones(queries, 1), ones(corpusRows, 1), positives, {
        ...rules,
        shard: { index, count },
      }),
    ),
  )
}

const firstRows = [0, corpusRows / 2]

const scoredShards = () =>
  Promise.all(
    firstRows.map((firstRow) =>
      gemmine.scorePositives(
        ones(queries, 1),
        ones(corpusRows / 2, 1),
        new Int32Array(queries).map((_, q) => q % corpusRows),
        { firstRow, corpusRows },
      ),
    ),
  )

async function minedShards() {
  const scored = await gemmine.mergePositiveScores(await scoredShards())
  return Promise.all(
    firstRows.map((firstRow) =>
      gemmine.mineCorpusShard(ones(queries, 1), ones(corpusRows / 2, 1), scored, {
        ...rules,
        firstRow,
      }),
    ),
  )
}

/** For each name, what is made before the measured call, and the call. */
const calls = {
  statistics: [async () => (await minedParts(1))[0], (mined) => mined.statistics()],
  mergeMined: [() => minedParts(2), gemmine.mergeMined],
  mergePositiveScores: [scoredShards, gemmine.mergePositiveScores],
  mergeCorpusShards: [minedShards, gemmine.mergeCorpusShards],
  FactorizationModel: [
    () => ones(3, 4_000_000, 4_000_001),
    (H) => new gemmine.FactorizationModel('nmf', H, {}).save(path),
  ],
  writeNpy: [() => ones(3, 4_000_000, 4_000_001), (matrix) => gemmine.writeNpy(path, matrix)],
  writeNpyOfManyRows: [() => ones(20_000, 500, 600), (matrix) => gemmine.writeNpy(path, matrix)],
  fromRowsAsync: [
    () => Array.from({ length: 100_000 }, () => Array(128).fill(1)),
    gemmine.fromRowsAsync,
  ],
  prepareRowSet: [
    () => new Uint32Array(1 << 24).fill(2 ** 32 - 1),
    (bitmap) => gemmine.prepareRowSet(bitmap, 32 * bitmap.length),
  ],
  prepareRowSetOfList: [
    () => Array.from({ length: 4_000_000 }, (_, row) => row),
    (rows) => gemmine.prepareRowSet(rows, rows.length),
  ],
  reverseTopK: [
    () => ({ data: new Float32Array(0), rows: 0, cols: 1 }),
    (none) => gemmine.reverseTopK(none, ones(1000, 1), { k: 20_000 }),
  ],
}

measure(gemmine, calls[name])
