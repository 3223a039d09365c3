// Runs one job on a matrix in a file, within a budget; prints the growth of the resident set at its peak, in
// bytes. The file has rows of zeros between some of ones, which take no room on the disk.
const {
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')
const lib = require(join(__dirname, '..', '..', '..', 'dist'))

const jobs = {
  nmf: (X, rank, own) => lib.nmf(X, { rank, iterations: 1, ...own }),
  'nmf by mu': (X, rank, own) =>
    lib.nmf(X, { rank, iterations: 1, solver: 'mu', init: 'nndsvda', ...own }),
  'nmf by KL': (X, rank, own) =>
    lib.nmf(X, { rank, iterations: 1, loss: 'kullback-leibler', ...own }),
  'nmf of missing entries': (X, rank, own) =>
    lib.nmf(X, { rank, iterations: 1, missing: 'nan', ...own }),
  'nmf in batches': (X, rank, own) => lib.nmf(X, { rank, iterations: 1, batchSize: 5000, ...own }),
  semiNmf: (X, rank, own) => lib.semiNmf(X, { rank, iterations: 1, ...own }),
  snmf: (X, rank, own) => lib.snmf(X, { rank, iterations: 1, ...own }),
  semiOrthogonalNmf: (X, rank, own) => lib.semiOrthogonalNmf(X, { rank, iterations: 1, ...own }),
  separableNmf: (X, rank, own) => lib.separableNmf(X, { rank: Math.min(rank, 8), ...own }),
  convexNmf: (X, rank, own) => lib.convexNmf(X, { rank, iterations: 1, ...own }),
  archetypalAnalysis: (X, rank, own) => lib.archetypalAnalysis(X, { rank, iterations: 1, ...own }),
  minVolumeNmf: (X, rank, own) =>
    lib.minVolumeNmf(X, { rank, iterations: 1, init: 'furthest-sum', ...own }),
  kmeans: (X, rank, own) => lib.kmeans(X, { clusters: rank, iterations: 1, ...own }),
  truncatedSvd: (X, rank, own) => lib.truncatedSvd(X, { rank, powerIterations: 1, ...own }),
  selectRank: (X, rank, own) =>
    lib.selectRank(X, { ranks: [2, rank], restarts: 2, iterations: 1, ...own }),
  transform: (X, rank, own) => {
    const H = {
      data: Float32Array.from({ length: rank * X.cols }, (_, i) => (i * 7919) % 13),
      rows: rank,
      cols: X.cols,
    }
    return new lib.FactorizationModel('nmf', H, {}).transform(X, own)
  },
}

/** A .npy file of rows [n × d], of which every 50th is not zero. */
function sparseFile(path, rows, cols) {
  const fd = openSync(path, 'w')
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${cols}), }`
  const header = Buffer.alloc(128, ' ')
  header.write('\x93NUMPY\x01\x00', 'latin1')
  header.writeUInt16LE(118, 8)
  header.write(text, 10)
  header.write('\n', 127)
  writeSync(fd, header)
  for (let i = 0; i < rows; i += 50)
    writeSync(
      fd,
      new Float32Array(cols).map((_, j) => ((i + 1) * (j + 3)) % 17),
      0,
      4 * cols,
      128 + 4 * cols * i,
    )
  ftruncateSync(fd, 128 + 4 * cols * rows)
  closeSync(fd)
}

const resident = (field) =>
  1024 *
  Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync('/proc/self/status', 'utf8'))[1])

async function main() {
  const [job, rows, cols, rank, memoryBudget] = process.argv
    .slice(2)
    .map((each) => (/^\d+$/.test(each) ? Number(each) : each))
  const folder = mkdtempSync(join(tmpdir(), 'gemmine-budget-'))
  try {
    const path = join(folder, 'X.npy')
    sparseFile(path, rows, cols)
    await lib.kmeans({ data: new Float32Array(64).fill(1), rows: 8, cols: 8 }, { clusters: 1 })
    const X = await lib.openNpy(path)
    const before = resident('VmRSS')
    await jobs[job](X, rank, memoryBudget ? { memoryBudget } : {})
    console.log(resident('VmHWM') - before)
    await lib.closeMatrix(X)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
main()
