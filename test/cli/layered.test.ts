// gemmine factorize and transform for models of several layers.
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { gemmine } from '../../lib/cli/program'
import {
  deepSemiNmf,
  hierarchicalSemiNmf,
  labelGraph,
  readNpy,
  readSafetensors,
  writeNpy,
  type SparseMatrix,
} from '../../lib/index'
import { gaussian } from '../matrices'
import { failureFrom } from './commands'

const folder = mkdtempSync(join(tmpdir(), 'gemmine-cli-layers-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const at = (...parts: string[]) => join(folder, ...parts)

const X = gaussian(60, 16, 1)
const classes = Int32Array.from({ length: 60 }, (_, i) => (i % 4) - 1)
/** A symmetric graph as a text of Matrix Market. */
function marketOf({ rows, indptr, indices, values }: SparseMatrix): string {
  const lines: string[] = []
  for (let i = 0; i < rows; i++)
    for (let at = Number(indptr[i]); at < Number(indptr[i + 1]); at++)
      lines.push(`${i + 1} ${Number(indices[at]) + 1} ${String(values[at])}`)
  const heading = '%%MatrixMarket matrix coordinate real general'
  return [heading, `${rows} ${rows} ${lines.length}`, ...lines, ''].join('\n')
}

beforeAll(async () => {
  writeFileSync(at('graph.mtx'), marketOf(await labelGraph(classes)))
  await writeNpy(at('X.npy'), { data: X.data, shape: [60, 16] })
  await writeNpy(at('classes.npy'), { data: classes, shape: [60] })
})

const run = (...args: string[]) =>
  gemmine().parseAsync([...args, '--quiet', '--force'], { from: 'user' })
const summaryIn = (name: string) => JSON.parse(readFileSync(at(name, 'summary.json'), 'utf8'))
const deep = ['factorize', at('X.npy'), '--model', 'deep-semi-nmf', '--layers', '8,3']
const tree = ['factorize', at('X.npy'), '--model', 'hierarchical-semi-nmf', '--layers', '8,4,2']

describe('gemmine factorize', () => {
  it('writes the layers of deepSemiNmf, with labels of a layer', async () => {
    const labels = ['--labels', `1=${at('classes.npy')}`, '--label-weight', '5']
    await run(...deep, ...labels, '--seed', '4', '--l1-w', '0.1', '--out', at('deep'))
    const fit = { seed: 4, l1W: 0.1 }
    const options = { ranks: [8, 3], fit, labels: [undefined, classes], labelWeight: 5 }
    const { codes, components, relativeErrors, objective } = await deepSemiNmf(X, options)
    expect((await readNpy(at('deep', 'W.npy'))).data).toEqual(codes[1]!.data)
    expect((await readNpy(at('deep', 'H.npy'))).data).toEqual(components[1]!.data)
    const { tensors } = await readSafetensors(at('deep', 'codes.safetensors'))
    expect([tensors['W.0']!.data, tensors['W.1']!.data]).toEqual(codes.map(({ data }) => data))
    expect(summaryIn('deep')).toMatchObject({
      model: 'deep-semi-nmf',
      shape: [60, 16],
      layers: [8, 3],
      rank: 3,
      seed: 4,
      relativeErrors,
      relativeError: relativeErrors[1],
      objective: Array.from(objective),
    })
    expect(summaryIn('deep').gflops).toBeGreaterThan(0)
  })

  it('fits layers with a graph of the rows, read from a sparse file', async () => {
    const graph = ['--graph', `1=${at('graph.mtx')}`, '--graph-weight', '3']
    await run(...deep, ...graph, '--out', at('graph'))
    const adjacency = await labelGraph(classes)
    const found = await deepSemiNmf(X, {
      ranks: [8, 3],
      graphs: [undefined, { adjacency, weight: 3 }],
    })
    expect((await readNpy(at('graph', 'W.npy'))).data).toEqual(found.W.data)
    const { W } = await deepSemiNmf(X, { ranks: [8, 3] })
    expect(found.W.data).not.toEqual(W.data)
    const again = [...deep, ...graph.slice(0, 2), '--graph-weight', '4']
    await run(...deep, ...graph, '--checkpoint', at('graph.checkpoint'), '--out', at('graph'))
    const failure = await failureFrom(
      ...again,
      '--resume',
      at('graph.checkpoint'),
      '--out',
      at('no'),
    )
    expect(failure.sentence).toContain('expected --graph-weight 4, as in this call, received 3')
    const other = [...deep, '--graph', `0=${at('graph.mtx')}`, '--graph-weight', '3']
    const moved = await failureFrom(...other, '--resume', at('graph.checkpoint'), '--out', at('no'))
    expect(moved.sentence).toContain('a checkpoint of the same --graph[0]')
  })

  it('writes the levels of hierarchicalSemiNmf, of either model', async () => {
    await run(...tree, '--out', at('tree'))
    const { W, H, relativeError } = await hierarchicalSemiNmf(X, { ranks: [8, 4, 2] })
    expect((await readNpy(at('tree', 'W.npy'))).data).toEqual(W.data)
    expect((await readNpy(at('tree', 'H.npy'))).data).toEqual(H.data)
    expect(summaryIn('tree')).toMatchObject({ levelModel: 'semi-nmf', relativeError })
    const sparse = ['--level-model', 'snmf', '--sparsity', '0.5', '--patience', '5']
    await run(...tree, ...sparse, '--out', at('sparse'))
    const fit = { sparsity: 0.5, patience: 5 }
    const found = await hierarchicalSemiNmf(X, { ranks: [8, 4, 2], model: 'snmf', fit })
    expect((await readNpy(at('sparse', 'H.npy'))).data).toEqual(found.H.data)
  })

  it('resumes a run of layers, and names the option that differs as it is typed', async () => {
    const checkpoint = at('layers.checkpoint')
    await run(...deep, '--checkpoint', checkpoint, '--out', at('first'))
    await run(...deep, '--resume', checkpoint, '--out', at('second'))
    for (const file of ['W.npy', 'H.npy', 'codes.safetensors', 'model.safetensors'])
      expect(readFileSync(at('second', file))).toEqual(readFileSync(at('first', file)))
    const other = (...args: string[]) =>
      failureFrom(
        'factorize',
        at('X.npy'),
        '--model',
        'deep-semi-nmf',
        ...args,
        '--resume',
        checkpoint,
        '--out',
        at('no'),
      )
    expect((await other('--layers', '8,2')).sentence).toBe(
      `${checkpoint}: expected --layers 8,2, as in this call, received 8,3`,
    )
    expect((await other('--layers', '8,3', '--seed', '3')).sentence).toContain('expected --seed 3')
    const labelled = ['--layers', '8,3', '--labels', `0=${at('classes.npy')}`]
    expect((await other(...labelled)).sentence).toContain('a checkpoint of the same --labels[0]')
    expect(existsSync(at('no'))).toBe(false)
  })

  it.each([
    [
      ['--model', 'deep-semi-nmf'],
      'Expected the components of each layer, such as 64,16 for --layers, received nothing',
    ],
    [
      [...deep.slice(2), '--rank', '3'],
      'Expected --layers in its place for the model deep-semi-nmf for --rank, received 3',
    ],
    [
      ['--model', 'deep-semi-nmf', '--layers', '3:8'],
      'Expected a list of whole numbers, such as 64,16 for --layers, received 3:8',
    ],
    [
      ['--model', 'deep-semi-nmf', '--layers', '3,8'],
      'Expected an integer from 1 to 2, below the one before for --layers, received 8',
    ],
    [
      [...deep.slice(2), '--l1-w', '-1'],
      'Expected a finite number of at least 0 for --l1-w, received -1',
    ],
    [
      [...deep.slice(2), '--init', 'custom'],
      'Expected one of random, kmeans, svd for --init, received custom',
    ],
    [
      [...deep.slice(2), '--w0', 'W.npy'],
      'Expected nothing (the model deep-semi-nmf has no such option) for --w0, received W.npy',
    ],
    [
      [...deep.slice(2), '--level-model', 'snmf'],
      'Expected nothing (the model deep-semi-nmf has no such option) for --level-model, received snmf',
    ],
    [
      [...tree.slice(2), '--labels', '0=c.npy'],
      'Expected nothing (the model hierarchical-semi-nmf has no such option) for --labels, received an array of 1',
    ],
    [
      [...tree.slice(2), '--sparsity', '0.5'],
      'Expected nothing (the model hierarchical-semi-nmf has no such option) for --sparsity, received 0.5',
    ],
    [
      ['--rank', '3', '--layers', '3,2'],
      'Expected --model deep-semi-nmf or hierarchical-semi-nmf beside it for --layers, received --model semi-nmf',
    ],
    [
      ['--layers', '8,3'],
      'Expected --model deep-semi-nmf or hierarchical-semi-nmf beside it for --layers, received --model semi-nmf',
    ],
    [
      ['--rank', '3', '--level-model', 'snmf'],
      'Expected --model hierarchical-semi-nmf beside it for --level-model, received --model semi-nmf',
    ],
    [
      [...deep.slice(2), '--dry-run'],
      'Expected nothing (the model deep-semi-nmf has no such option) for --dry-run, received true',
    ],
    [
      [...deep.slice(2), '--graph', `0=${at('graph.mtx')}`],
      'Expected the weight of the graphs for --graph-weight, received nothing',
    ],
    [
      [...deep.slice(2), '--graph-weight', '1'],
      'Expected --graph beside it for --graph-weight, received 1',
    ],
    [
      [...deep.slice(2), '--graph', `0=${at('graph.mtx')}`, '--graph-weight', '-1'],
      'Expected a finite number of at least 0 for --graph-weight, received -1',
    ],
    [
      [...deep.slice(2), '--graph', `0=${at('X.npy')}`, '--graph-weight', '1'],
      `${at('X.npy')}: expected a sparse matrix, .npz or .mtx, received a dense one`,
    ],
    [
      [...deep.slice(2), ...['--graph', `0=${at('graph.mtx')}`, '--graph-weight', '1']].concat(
        '--labels',
        `0=${at('classes.npy')}`,
      ),
      'Expected none beside labels of the layer for --graph, received a graph',
    ],
    [
      [...tree.slice(2), '--graph-weight', '1'],
      'Expected nothing (the model hierarchical-semi-nmf has no such option) for --graph-weight, received 1',
    ],
    [
      [...deep.slice(2), '--labels', 'classes.npy'],
      'Expected LAYER=FILE with a layer from 0 on, such as 1=poses.npy for --labels, received classes.npy',
    ],
    [
      [...deep.slice(2), '--labels', `2=${at('classes.npy')}`],
      `Expected one file for each of the layers 0 to 1 at most for --labels, received 2=${at('classes.npy')}`,
    ],
    [
      [...deep.slice(2), '--labels', `1=${at('none.npy')}`],
      `${at('none.npy')}: there is no such file or folder`,
    ],
  ])('says what is wrong of layers: %#', async (args, sentence) => {
    const failure = await failureFrom('factorize', at('X.npy'), ...args, '--out', at('wrong'))
    expect(failure).toEqual({ sentence, exitCode: 2 })
  })
})

describe('gemmine transform', () => {
  it('codes new rows in a layer of a model of layers', async () => {
    await run(...tree, '--out', at('levels'))
    const model = await hierarchicalSemiNmf(X, { ranks: [8, 4, 2] })
    for (const layer of [0, 1, undefined]) {
      const chosen = layer === undefined ? [] : ['--layer', String(layer)]
      await run('transform', at('X.npy'), '--model', at('levels'), ...chosen, '--out', at('codes'))
      const { W } = await model.transform(X, { layer })
      expect((await readNpy(at('codes', 'W.npy'))).data).toEqual(W.data)
      expect(summaryIn('codes')).toMatchObject({ layer: layer ?? 2, rank: W.cols })
    }
    expect(readdirSync(at('codes')).sort()).toEqual(['W.npy', 'summary.json'])
    const args = [
      'transform',
      at('X.npy'),
      '--model',
      at('levels'),
      '--layer',
      '3',
      '--out',
      at('w'),
    ]
    expect((await failureFrom(...args)).sentence).toBe(
      'Expected an integer from 0 to 2 for --layer, received 3',
    )
  })

  it('refuses a layer of a model that has one', async () => {
    await run('factorize', at('X.npy'), '--rank', '2', '--out', at('plain'))
    const args = [
      'transform',
      at('X.npy'),
      '--model',
      at('plain'),
      '--layer',
      '0',
      '--out',
      at('w'),
    ]
    expect((await failureFrom(...args)).sentence).toBe(
      'Expected nothing (the model semi-nmf has one layer) for --layer, received 0',
    )
  })
})
