// Messages for wrong command lines: one sentence with the words as typed.
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { failureOf, inTypedWords, optionOf } from '../../lib/cli/failure'
import { integer, real, realOrNone } from '../../lib/cli/numbers'
import { GemmineError, invalid, invalidEntry } from '../../lib/errors'
import { formatNpy } from '../../lib/data/npy'
import { temporaryFolder } from '../data/files'
import { failureFrom } from './commands'

const folder = temporaryFolder()
const npy = (name: string, rows: number, cols: number) => {
  const data = Float32Array.from({ length: rows * cols }, (_, i) => (i % 7) + 1)
  return folder.write(name, Buffer.concat(formatNpy({ data, shape: [rows, cols] })))
}
const X = npy('X.npy', 12, 5)
const wide = npy('wide.npy', 4, 6)
const positives = folder.write('positives.tsv', '0\t1\n')
const out = folder.path('out')

const factorize = (...args: string[]) => ['factorize', X, '--rank', '2', '--out', out, ...args]
const topk = (...args: string[]) => [
  'topk',
  '--queries',
  X,
  '--corpus',
  X,
  '--k',
  '3',
  '--out',
  out,
  ...args,
]
const mine = (...args: string[]) => [
  ...['mine', '--queries', X, '--corpus', X, '--positives', positives, '--out', out],
  ...args,
]

describe('a mistake on the command line', () => {
  it.each([
    [[], 'expected a command; gemmine --help lists them all'],
    [['factorise'], "unknown command 'factorise' (Did you mean factorize?)"],
    [
      ['help', 'nope'],
      "unknown command 'nope'; expected one of factorize, select-rank, consensus, transform, kmeans, svd, concepts, topics, topk, range, near-duplicates, communities, mine, merge, audit, info, demo",
    ],
    [factorize('--k', '5'), "unknown option '--k' (Did you mean --rank?)"],
    [mine('-k', '5'), "unknown option '-k' (Did you mean --num-negatives?)"],
    [factorize('--rnak', '3'), "unknown option '--rnak' (Did you mean --rank?)"],
    [
      ['factorize', '', '--rank', '2', '--out', out],
      'Expected the path of a file for X, received nothing',
    ],
    [
      ['transform', '', '--model', X, '--out', out],
      'Expected the path of a file for X, received nothing',
    ],
    [
      factorize('--loss', 'logistic'),
      'Expected one of frobenius, huber, l21, correntropy, row-correntropy for --loss, received logistic',
    ],
    [
      factorize('--forget-factor', '0.5'),
      'Expected none without --batch-size for --forget-factor, received 0.5',
    ],
    [
      factorize('--memory-budget', '12MB'),
      'Expected a number of bytes, or of KiB, MiB or GiB, such as 512MiB for --memory-budget, received 12MB',
    ],
    [
      mine('--memory-budget', '63.5MiB'),
      'Expected an integer of at least 67108864 for --memory-budget, received 66584576',
    ],
    [topk('--exclude', ''), 'Expected the path of a file for --exclude, received nothing'],
    [mine('--query-ids', ''), 'Expected the path of a file for --query-ids, received nothing'],
    [['factorize', '--rank', '2'], "missing required argument 'X'"],
    [
      ['factorize', X, '--out', out],
      'Expected the number of components for --rank, received nothing',
    ],
    [factorize('--rank', 'many'), 'Expected an integer for --rank, received many'],
    [factorize('--rank', '--force'), 'Expected an integer for --rank, received --force'],
    [factorize('--rank', '0'), 'Expected an integer of at least 1 for --rank, received 0'],
    [
      factorize('--rank', '9', '--init', 'svd'),
      'Expected an integer from 1 to 5 (svd needs that many rows and columns; random and kmeans do not) for --rank, received 9',
    ],
    [
      factorize('--rank', '9', '--model', 'separable-nmf'),
      'Expected an integer from 1 to 5 (spa needs that many rows and columns) for --rank, received 9',
    ],
    [
      factorize('--init', 'nndsvd'),
      'Expected one of random, kmeans, svd, custom for --init, received nndsvd',
    ],
    [
      factorize('--model', 'nmf', '--solver', 'mu', '--upper-w', '1'),
      'Expected hals or projected-gradient beside --upper-w for --solver, received mu',
    ],
    [
      factorize('--model', 'nmf', '--upper-h', '-1'),
      'Expected a finite number of at least 1e-30 for --upper-h, received -1',
    ],
    [
      factorize('--upper-h', '1'),
      'Expected nothing (the model semi-nmf has no such option) for --upper-h, received 1',
    ],
    [
      factorize('--solver', 'anls-bpp', '--inner-sweeps', '3'),
      'Expected 1 for the solver anls-bpp, whose steps are exact for --inner-sweeps, received 3',
    ],
    [
      factorize('--model', 'nmf', '--solver', 'mu', '--init', 'nndsvd'),
      'Expected nndsvda, nndsvdar, kmeans or random for the solver mu, which cannot leave a zero for --init, received nndsvd',
    ],
    [
      factorize('--model', 'nmf', '--solver', 'mu', '--init', 'low-rank'),
      'Expected nndsvda, nndsvdar, kmeans or random for the solver mu, which cannot leave a zero for --init, received low-rank',
    ],
    [
      factorize('--tolerance', '-1'),
      'Expected a finite number of at least 0 for --tolerance, received -1',
    ],
    [factorize('--l1-w', '-2'), 'Expected a finite number of at least 0 for --l1-w, received -2'],
    [topk('--k', '0'), 'Expected an integer of at least 1 for --k, received 0'],
    [topk('--k', '2.5'), 'Expected an integer of at least 1 for --k, received 2.5'],
    [topk('--metric', 'euclid'), 'Expected one of cosine, dot, l2 for --metric, received euclid'],
    [topk('--threads', '0'), 'Expected an integer of at least 1 for --threads, received 0'],
    [topk('--seed', 'x'), 'Expected an integer for --seed, received x'],
    [
      topk('--out', ''),
      'Expected a folder for the results (or --json for the summary alone) for --out, received nothing',
    ],
    [topk('--queries', wide), `${wide}: expected 5 columns, as in ${X}, received 6`],
    [
      topk('--device', 'gpu'),
      "Expected 'auto', 'cpu', 'cuda' or 'cuda:N' for --device, received gpu",
    ],
    [
      mine('--num-negatives', '0'),
      'Expected an integer of at least 1 for --num-negatives, received 0',
    ],
    [
      mine('--relative-margin', 'wide'),
      'Expected a number, or none for --relative-margin, received wide',
    ],
    [mine('--max-score', '0,5'), 'Expected a number for --max-score, received 0,5'],
    [mine('--pool', '2'), 'Expected an integer of at least 4 for --pool, received 2'],
    [
      mine('--sampling', 'band', '--pool', '9'),
      'Expected no pool beside the sampling band, which is all survivors for --pool, received 9',
    ],
    [mine('--explain', '0'), 'Expected an integer of at least 1 for --explain, received 0'],
    [
      mine('--groups', 'same'),
      '--groups needs --query-groups and --corpus-groups, but --query-groups is not given',
    ],
    [
      mine('--query-texts', X),
      '--query-texts needs --corpus-texts, but --corpus-texts is not given',
    ],
    [
      ['mine', '--queries', X, '--corpus', X],
      'Expected a file of query<TAB>corpus lines for --positives, received nothing',
    ],
    [
      ['transform', X, '--out', out],
      'Expected the folder that factorize wrote, or its model.safetensors for --model, received nothing',
    ],
    [
      ['transform', X, '--model', positives, '--out', out],
      `${positives}: expected a safetensors file, received 4 bytes; --model takes the folder that factorize wrote, or its model.safetensors`,
    ],
    [['info', '--out', out], "unknown option '--out'; gemmine info --help lists its options"],
  ])('%j', async (args, sentence) => {
    expect(await failureFrom(...args)).toEqual({ sentence, exitCode: 2 })
  })

  it('a matrix is no model, and is told so', async () => {
    const { sentence } = await failureFrom('transform', X, '--model', X, '--out', out)
    expect(sentence).toMatch(/^\S+X\.npy: .*safetensors.*; --model takes the folder that factorize/)
  })

  it('a device that is absent is the environment, not a mistake', async () => {
    const { sentence, exitCode } = await failureFrom(...topk('--device', 'cuda:99'))
    expect([exitCode, sentence]).toEqual([3, expect.stringContaining('cuda:99')])
  })
})

const custom = (...args: string[]) => factorize('--init', 'custom', ...args)
const nmf = (...args: string[]) => factorize('--model', 'nmf', ...args)
const float64 = (name: string, values: number[], shape: number[]) =>
  folder.write(name, Buffer.concat(formatNpy({ data: Float64Array.from(values), shape })))
const start = (name: string, at: number, value: number) =>
  float64(
    name,
    Array.from({ length: 24 }, (_, i) => (i === at ? value : 1)),
    [12, 2],
  )
const beta = (...args: string[]) => nmf('--loss', 'beta', ...args)

describe('what is missing or wrong beside another option', () => {
  const w4 = npy('w4.npy', 12, 4)
  const turned = npy('turned.npy', 5, 2)
  const list = npy('list.npy', 1, 11)
  const mask = folder.write(
    'mask.npy',
    Buffer.concat(
      formatNpy({ data: new Uint8Array(60).fill(1), rows: 5, cols: 12, type: 'uint8' }),
    ),
  )
  const [negative, infinite, large] = [-1, NaN, 1e300].map((value, i) =>
    start(`start${i}.npy`, 7, value),
  ) as [string, string, string]

  it.each([
    [
      'no β: "received undefined" told nothing',
      beta(),
      'Expected a number beside the loss beta for --beta, received none',
    ],
    [
      'no dispersion',
      nmf('--loss', 'negative-binomial'),
      'Expected a number beside the loss negative-binomial for --dispersion, received none',
    ],
    [
      'a power that no distribution has',
      nmf('--loss', 'tweedie', '--power', '0.5'),
      'Expected a number of at least 1 or at most 0, as Tweedie distributions have, for --power, received 0.5',
    ],
    [
      'a number of another loss',
      nmf('--loss', 'l21', '--delta', '1'),
      'Expected no number beside the loss l21 for --delta, received 1',
    ],
    [
      'the loss of another model',
      factorize('--loss', 'huber', '--delta', '1', '--model', 'snmf', '--sparsity', '0.1'),
      'Expected --model semi-nmf, nmf, or semi-orthogonal-nmf beside it for --loss, received --model snmf',
    ],
    [
      'a loss that no squares bound, for an H of any sign',
      factorize('--loss', 'poisson'),
      'Expected one of frobenius, huber, l21, correntropy, row-correntropy for --loss, received poisson',
    ],
    [
      'batches beside what has none',
      factorize('--batch-size', '4', '--acceleration', 'extrapolated'),
      "Expected none beside --batch-size for --acceleration, received 'extrapolated'",
    ],
    [
      'a start of another rank was called --init',
      custom('--w0', w4),
      `Expected 2 columns, one for each component, for ${w4}, received 4`,
    ],
    [
      'a start that is turned round',
      custom('--h0', turned),
      `Expected 2 rows, one for each component, for ${turned}, received 5`,
    ],
    [
      'a start for fewer rows',
      custom('--w0', turned),
      `Expected 12 rows, one for each row of X, for ${turned}, received 5`,
    ],
    [
      'a start of the wrong sign',
      custom('--w0', negative),
      `Expected a non-negative number at row 3, column 1 of ${negative}, received -1`,
    ],
    [
      'a start that is not finite',
      custom('--w0', infinite),
      `Expected a finite number at row 3, column 1 of ${infinite}, received NaN`,
    ],
    [
      'a number that float32 does not hold was received as Infinity',
      custom('--w0', large),
      `${large}: expected a number within float32's range at row 3, column 1, received 1e+300`,
    ],
    ['an empty name', custom('--w0', ''), 'Expected the path of a file for --w0, received nothing'],
    [
      'a mask that is turned round was taken',
      nmf('--mask', mask),
      `${mask}: expected 12 rows and 5 columns, as in ${X}, received 5 and 12`,
    ],
    [
      'weights that are a matrix',
      nmf('--sample-weight', list),
      `${list}: expected 1 dimension, received 2: the shape (1, 11)`,
    ],
    [
      'weights for fewer rows',
      nmf('--sample-weight', float64('weights.npy', [1, 2, 3], [3])),
      `Expected 12 elements, one for each row of X, for ${folder.path('weights.npy')}, received 3`,
    ],
  ])('%s', async (_, args, sentence) => {
    expect(await failureFrom(...args)).toEqual({ sentence, exitCode: 2 })
  })
})

describe('a place where no checkpoint can stand is told before work starts', () => {
  const within = folder.path('out/deep')
  mkdirSync(within, { recursive: true })
  symlinkSync(within, folder.path('link'))
  mkdirSync(folder.path('folder'))
  const plain = folder.write('plain', 'text')

  it.each([
    ['its folder is missing', 'nofolder/x', ': there is no such file or folder'],
    ['its folder is a file', 'plain/x', ': a part of its path is not a folder'],
    ['a folder', 'folder', ': expected a file, received a folder'],
    [
      'another file, which it would replace',
      'plain',
      ': expected a new file, or a checkpoint to replace, received another file',
    ],
  ])('%s', async (_, name, sentence) => {
    const path = `${folder.path('.')}/${name}`
    expect(await failureFrom(...factorize('--checkpoint', path))).toEqual({
      sentence: path + sentence,
      exitCode: 2,
    })
    expect(readFileSync(plain, 'utf8')).toBe('text')
  })

  it.each(['out/x', 'out/deep/x', 'link/x', 'link/../x', 'out'])(
    'in --out, or in its way: %s',
    async (name) => {
      const path = `${folder.path('.')}/${name}`
      expect(await failureFrom(...factorize('--checkpoint', path))).toEqual({
        sentence: `Expected a file outside --out ${out} for --checkpoint, received ${path}`,
        exitCode: 2,
      })
    },
  )
})

describe('numbers are read strictly', () => {
  it.each(['', ' 1', '1 ', '0x10', '1,5', '1_000', 'Infinity', 'NaN', '1e999', '--2'])(
    '%j',
    (text) => {
      expect(() => real('--max-score')(text)).toThrow('for --max-score')
    },
  )

  it('in every decimal notation', () => {
    expect(['1', '-.5', '+2.', '1e-3'].map(real('--x'))).toEqual([1, -0.5, 2, 0.001])
    expect(Object.is(real('--x')('-0'), 0)).toBe(true)
    expect(realOrNone('--x')('none')).toBe('none')
  })

  it('and no integer is rounded', () => {
    expect(integer('--seed')('9007199254740991')).toBe(Number.MAX_SAFE_INTEGER)
    expect(() => integer('--seed')('9007199254740993')).toThrow('received 9007199254740993')
  })
})

describe('an error of lib in the words of the command line', () => {
  const files = { X: 'a.npy', 'init.W': 'w.npy' }
  const sentenceOf = (error: unknown) => failureOf(inTypedWords(error, files)).sentence

  it.each([
    [
      invalidEntry('X', 'a finite number', NaN, 7, 3),
      'Expected a finite number at row 7, column 3 of a.npy, received NaN',
    ],
    [
      invalid('numNegatives', 'an integer in 1..12', 13),
      'Expected an integer from 1 to 12 for --num-negatives, received 13',
    ],
    [invalid('X.cols', '5 columns', 6), 'Expected 5 columns for a.npy, received 6'],
    [invalid('init.W.rows', '5 rows', 6), 'Expected 5 rows for w.npy, received 6'],
    [invalid('init.H.rows', '5 rows', 6), 'Expected 5 rows for --init, received 6'],
  ])('%s', (error, sentence) => {
    expect(sentenceOf(error)).toBe(sentence)
  })

  it('a checkpoint of another run names the option that differs', () => {
    const sentence = (message: string) =>
      sentenceOf(new GemmineError('ERR_GEMMINE_FILE', `run.safetensors: expected ${message}`))
    expect(sentence('innerSweeps 3, as in this call, received 2')).toBe(
      'run.safetensors: expected --inner-sweeps 3, as in this call, received 2',
    )
    expect(sentence('a checkpoint of this sampleWeight, received 1')).toBe(
      'run.safetensors: expected a checkpoint of this --sample-weight, received 1',
    )
    expect(sentence('a checkpoint of this X, received 1')).toContain('of this X, received 1')
  })

  it('l1W is --l1-w', () => {
    expect(optionOf('l1W')).toBe('--l1-w')
  })
})
