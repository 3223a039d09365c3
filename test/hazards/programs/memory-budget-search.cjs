// Runs one search within a budget; prints the growth of the resident set at its peak, in bytes, without the
// answer and the packed copy of the corpus.
const { mkdtempSync, readFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')
const { noise } = require('./jobs.cjs')
const lib = require(join(__dirname, '..', '..', '..', 'dist'))

const matrix = (rows, cols, scale = 1) => {
  const data = noise(rows * cols)
  if (scale !== 1) for (let i = 0; i < data.length; i++) data[i] *= scale
  return { data, rows, cols }
}

const mining = (options) => (Q, C, k, own) =>
  lib.mineHardNegatives(
    Q,
    C,
    Array.from({ length: Q.rows }, (_, i) => [i % (C.rows ?? Q.rows)]),
    { numNegatives: k, ...options(), ...own },
  )

const jobs = {
  topK: (Q, C, k, own) => lib.topK(Q, C, { k, ...own }),
  selfJoin: (Q, C, k, own) => lib.topK(C, C, { k, excludeSelf: true, ...own }),
  reverseTopK: (Q, C, k, own) => lib.reverseTopK(Q, C, { k, ...own }),
  rangeSearch: (Q, C, k, own) => lib.rangeSearch(Q, C, { threshold: 0.4, limit: k, ...own }),
  // A quarter of all pairs are near.
  communities: (_, C, __, own) => lib.communities(C, { threshold: 0.17, minSize: 10, ...own }),
  nearDuplicates: (_, C, __, own) => lib.nearDuplicates(C, { threshold: 0.4, ...own }),
  mutualNeighbours: (Q, C, k, own) => lib.mutualNeighbours(Q, C, { k, ...own }),
  maxSim: (Q, C, k, own) => {
    const many = (tokens) => ({
      tokens,
      starts: Array.from({ length: tokens.rows / 10 + 1 }, (_, i) => 10 * i),
    })
    return lib.maxSim(many(Q), many(C), { k, ...own })
  },
  logSumExp: (Q, C, _, own) => lib.logSumExp(Q, C, { temperature: 0.1, ...own }),
  mineHardNegatives: mining(() => ({})),
  explained: mining(() => ({ explain: 40 })),
  drawn: mining(() => ({ sampling: 'random', pool: 200 })),
  textsFromADeepPool: (Q, C, k, own) => {
    const texts = (rows) => Array.from({ length: rows }, (_, i) => `text ${i % (rows / 2)}`)
    const all = { queryTexts: texts(Q.rows).map((text) => `q ${text}`), corpusTexts: texts(C.rows) }
    return mining(() => ({ sampling: 'random', pool: 8 * k, ...all }))(Q, C, k, own)
  },
  inShards: (Q, C, k, own) => {
    const rows = Math.ceil(C.rows / 6)
    function* shards() {
      for (let begin = 0; begin < C.rows; begin += rows) {
        const data = C.data.subarray(begin * C.cols, (begin + rows) * C.cols)
        yield { data, rows: data.length / C.cols, cols: C.cols }
      }
    }
    return mining(() => ({}))(Q, shards, k, own)
  },
  diverse: mining(() => ({ sampling: 'mmr', pool: 100 })),
  capped: mining(() => ({ hubCap: 100 })),
  swept: mining(() => ({ sweep: [{ relativeMargin: 0.1 }, { relativeMargin: 0.4 }] })),
  // Half of the rows are positives of test queries, the others documents of training queries.
  leakage: (_, C, __, own) => {
    const lists = (first) => Array.from({ length: C.rows / 100 }, (_, i) => fifty(first + 50 * i))
    const fifty = (first) => Array.from({ length: 50 }, (_, i) => first + i)
    const [train, test] = [{ positives: lists(0) }, { positives: lists(C.rows / 2) }]
    return lib.findLeakage(train, test, { corpusRows: C.rows, corpus: C, threshold: 0.4, ...own })
  },
  // A million texts, each twice.
  equalTexts: (_, __, ___, own) => {
    const positives = texts.slice(0, 1000).map((_, i) => [i])
    const split = { positives, queryTexts: texts.slice(0, 1000) }
    return lib.findLeakage(split, split, { corpusRows: texts.length, corpusTexts: texts, ...own })
  },
  checkpointed: mining(() => ({
    checkpoint: join(mkdtempSync(join(tmpdir(), 'budget-')), 'run.safetensors'),
    checkpointSeconds: 0,
  })),
}

const resident = (field) =>
  1024 *
  Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync('/proc/self/status', 'utf8'))[1])

const isParent = (value) => typeof value === 'object' && value !== null

/** The arrays of an answer, or of the answers to a sweep. */
const bytesOf = (found) =>
  Object.values(found).reduce((sum, each) => {
    if (ArrayBuffer.isView(each)) return sum + each.byteLength
    return sum + (isParent(each) ? bytesOf(each) : 0)
  }, 0)

/** Strings that have their characters in one piece. */
const flat = (text) => Buffer.from(text).toString('latin1')

let texts = []

async function main() {
  const [job, ...sizes] = process.argv.slice(2)
  if (job === 'equalTexts')
    texts = Array.from({ length: 1_000_000 }, (_, i) => flat(`text number ${i % 500_000}`))
  const [queries, rows, cols, k, memoryBudget] = sizes.map(Number)
  const [Q, C] = [matrix(queries, cols), matrix(rows, cols)]
  const few = matrix(8, 8)
  await lib.topK(few, few, { k: 1 })
  const before = resident('VmRSS')
  const found = await jobs[job](Q, C, k, memoryBudget ? { memoryBudget } : {})
  // To find leakage only parts of the rows are copied and packed.
  const packed = job === 'leakage' ? 0 : 8 * (rows + queries) * cols
  console.log(resident('VmHWM') - before - bytesOf(found) - packed)
}
main()
