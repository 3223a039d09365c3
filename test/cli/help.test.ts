import { describe, expect, it, vi } from 'vitest'
import { helpList } from '../../lib/cli/common-options'
import { gemmine } from '../../lib/cli/program'
import { minedFormats } from '../../lib/data/mined-layouts'
import { defaultForgetFactor } from '../../lib/factorization/batches'
import { upperHDefaults } from '../../lib/factorization/bounds'
import { entryDefaults } from '../../lib/factorization/entry-options'
import { nmfDefaults } from '../../lib/factorization/nmf'
import { semiNmfDefaults } from '../../lib/factorization/semi-nmf'
import { snmfDefaults } from '../../lib/factorization/snmf'
import { mineHardNegativesDefaults } from '../../lib/mining/mining-options'
import { defaultPool } from '../../lib/mining/samplings'
import { helpOf } from './commands'

const common = '--out --force --json --quiet --progress -h,'

/** What the contract of the command line gives each command. */
const promised = {
  factorize:
    '--threads --device --memory-budget --seed --rank --model --layers --level-model --fine-tune-iterations --labels --label-weight --graph --graph-weight --solver --loss --init --iterations --tolerance --inner-sweeps --sparsity --patience --l1-w --l2-w --l1-h --l2-h --upper-w --upper-h --batch-size --forget-factor --bandwidth',
  'select-rank':
    '--threads --device --memory-budget --seed --ranks --model --restarts --perturbation --threshold --init --solver --loss --iterations --tolerance --inner-sweeps --l1-w --l2-w --l1-h --l2-h --upper-w --upper-h --checkpoint --resume',
  consensus:
    '--threads --device --memory-budget --seed --rank --restarts --perturbation --density-threshold --neighbourhood --init --iterations --tolerance --checkpoint --resume',
  topics:
    '--threads --device --memory-budget --seed --model --vocabulary --words --semantics --ranks --weight --restarts --rank --documents --terms --top-terms --time-slices --checkpoint --resume',
  transform: '--threads --device --memory-budget --model --layer',
  kmeans:
    '--threads --device --memory-budget --seed --clusters --iterations --tolerance --restarts',
  svd: '--threads --device --memory-budget --seed --rank --oversamples --power-iterations',
  concepts:
    '--threads --device --seed --rank --model --iterations --tolerance --sparsity --l1-w --l2-h --restarts --contexts ' +
    '--count --window --repeat-samples --features --collinear-at --unembedding --vocabulary --output-weights',
  topk: '--threads --device --memory-budget --queries --corpus --k --metric --min-score --exclude --allow --exclude-rows --dims --exclude-self --query-ids --corpus-ids --unknown-ids',
  range:
    '--threads --device --memory-budget --queries --corpus --threshold --limit --metric --exclude --allow --exclude-rows --exclude-self --query-ids --corpus-ids --unknown-ids',
  'near-duplicates': '--threads --device --memory-budget --threshold --metric',
  communities: '--threads --device --memory-budget --threshold --min-size --metric',
  mine:
    '--threads --device --memory-budget --seed --queries --corpus --positives --unknown-ids --query-ids --corpus-ids --num-negatives --metric --max-score --min-score ' +
    '--absolute-margin --relative-margin --reference --skip-ranks --max-rank --max-positive-rank --skip-survivors ' +
    '--sampling --pool --temperature --simans-a --simans-b --distance-cutoff --distance-limit --stride --bins --mmr-lambda --near-duplicate-score --hub-cap --candidates --candidate-mode --exclude-self --exclude --allow --exclude-rows --near-positive-score --query-groups --corpus-groups --groups --query-texts ' +
    '--corpus-texts --explain --format --incomplete --parquet --shard',
  merge: '--out',
  audit:
    '--corpus-ids --positives --query-ids --corpus-texts --query-texts --unknown-ids --num-negatives --reference',
}

describe.each(Object.entries(promised))('gemmine %s --help', (command, own) => {
  const help = helpOf(command)

  it.each(`${own} ${common}`.split(' '))('explains %s', (option) => {
    expect(help).toMatch(new RegExp(`^  ${option}( <[\\w/=]+>| --help)? {2,}\\S`, 'm'))
  })

  it('shows an example that can be typed', () => {
    expect(help).toContain(`$ gemmine ${command} `)
  })

  it('has no line of more than 104 columns on a terminal of 104', () => {
    const lines = helpOf(command, 104).split('\n')
    expect(lines.filter((line) => line.length > 104)).toEqual([])
  })
})

it('merge --help offers no threads and devices, which it does not use, and says so', () => {
  const help = helpOf('merge')
  expect(help).not.toMatch(/^  --(threads|device|seed) /m)
  expect(help).toContain(
    '--threads, --device and --seed are accepted, as by every command, and have',
  )
})

it.each(['merge', 'audit'])(
  '%s --help offers no memory budget, which it does not have',
  (command) => {
    expect(helpOf(command)).not.toContain('--memory-budget')
  },
)

it.each(['transform', 'topk', 'range', 'near-duplicates', 'communities'])(
  '%s --help offers no seed, as nothing is drawn',
  (command) => {
    expect(helpOf(command)).not.toContain('--seed')
  },
)

const computing = Object.keys(promised).filter((name) => !['merge', 'audit'].includes(name))

it.each(computing)('%s --help offers the devices that there are', (command) => {
  expect(helpOf(command)).toContain('where to compute: auto, cpu, cuda, cuda:N (default: auto)')
})

it('factorize --help tells which options models of layers lack', () => {
  const help = helpOf('factorize').replace(/\s+/g, ' ')
  expect(help).toContain('required, but --layers in its place for models of layers')
  expect(help).toContain('--iterations may be larger, but not for models of layers')
  expect(help).toContain('needs no --out; not for models of layers and separable-nmf')
})

it('mine --help has the default of --pool from lib', () => {
  const [few, many] = [defaultPool(1), defaultPool(100)]
  expect(helpOf('mine')).toContain(`at least K (default: max(${few}, ${many / 100}K))`)
})

describe('defaults in help are those of lib', () => {
  it.each([
    ['factorize', '--iterations', semiNmfDefaults.iterations],
    ['factorize', '--tolerance', semiNmfDefaults.tolerance],
    ['factorize', '--solver', `${semiNmfDefaults.solver}; .*`],
    ['factorize', '--forget-factor', defaultForgetFactor],
    ['factorize', '--sparsity', snmfDefaults.sparsity],
    ['factorize', '--patience', snmfDefaults.patience],
    ['mine', '--num-negatives', mineHardNegativesDefaults.numNegatives],
    ['mine', '--sampling', mineHardNegativesDefaults.sampling],
    ['mine', '--relative-margin', '0.05 for cosine and dot, none for l2'],
  ])('%s %s', (command, option, value) => {
    expect(helpOf(command)).toMatch(new RegExp(`${option} .*\\(default: ${value}\\)`))
  })

  it('hold for either model of factorize, whose help shows one number', () => {
    const ofNmf = Object.entries(nmfDefaults).filter(
      ([name]) => name !== 'init' && !Object.hasOwn({ ...entryDefaults, ...upperHDefaults }, name),
    )
    expect(semiNmfDefaults).toMatchObject(Object.fromEntries(ofNmf))
    expect(nmfDefaults).toMatchObject({ ...entryDefaults, ...upperHDefaults })
  })
})

it.each(minedFormats)('mine --help and audit --help have one entry for the layout %s', (format) => {
  for (const command of ['mine', 'audit'])
    expect(helpOf(command).match(new RegExp(`^  ${format} {2,}\\S`, 'gm'))).toHaveLength(1)
})

describe('a list in a help', () => {
  const long = 'four '.repeat(40).trim()
  const lines = helpList([
    ['a', 'short'],
    ['name', long],
  ]).split('\n')

  it('has every text in one column, also its further lines', () => {
    expect(lines[0]).toBe('  a     short')
    expect(lines[1]).toMatch(/^ {2}name {2}four/)
    for (const line of lines.slice(2)) expect(line).toMatch(/^ {8}four/)
    expect(
      lines
        .slice(1)
        .map((line) => line.slice(8))
        .join(' '),
    ).toBe(long)
  })

  it('is narrower than the texts around it', () => {
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(104)
  })
})

it('mine --help says what each layout is for, and what lines hold without texts', () => {
  const help = helpOf('mine')
  for (const line of [
    /^  triplet .*MultipleNegativesRankingLoss/m,
    /^  n-tuple .*MultipleNegativesRankingLoss/m,
    /^  labeled .*rerankers; drop the column scores for\n +ListNetLoss or LambdaLoss/m,
    /^  flag-embedding .*FlagEmbedding/m,
    /^  tevatron .*docid and text/m,
    /^  nemo .*NeMo Automodel/m,
    /with --query-texts and --corpus-texts; without them ids, or row numbers/,
  ])
    expect(help).toMatch(line)
})

it.each([...Object.keys(promised), 'demo'])('%s --help says what --force takes away', (name) => {
  expect(helpOf(name)).toMatch(/--force +replace or remove every result of any gemmine command/)
})

it('demo --help has the style of the others', () => {
  const help = helpOf('demo')
  expect(help).toContain('in node_modules.\n')
  expect(help).toContain('(default: gemmine-demo)')
  expect(help).toContain('$ gemmine demo\n')
  expect(help).toContain('  --force')
})

it.each(['', ...Object.keys(promised), 'info', 'demo'])('gemmine %s -h is --help', async (name) => {
  const said = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  await expect(
    gemmine().parseAsync([name, '-h'].filter(Boolean), { from: 'user' }),
  ).rejects.toMatchObject({ code: 'commander.helpDisplayed', exitCode: 0 })
  said.mockRestore()
})

it('the program lists its commands and exit codes', () => {
  const help = helpOf('')
  for (const command of [...Object.keys(promised), 'info', 'demo'])
    expect(help).toContain(`  ${command} `)
  expect(help).toContain('Exit codes: 0')
})
