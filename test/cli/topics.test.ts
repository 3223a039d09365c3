// gemmine topics and gemmine consensus.
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { gemmine } from '../../lib/cli/program'
import {
  consensusNmf,
  cooccurrences,
  keyNmf,
  readNpy,
  semanticNmf,
  shiftedPpmi,
  topWords,
  writeNpy,
  type SparseMatrix,
} from '../../lib/index'
import { plantedDocuments, plantedEmbeddings } from '../topics/planted-topics'
import { planted as plantedMatrix } from '../matrices'
import { failureFrom } from './commands'

const folder = mkdtempSync(join(tmpdir(), 'gemmine-topics-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const at = (...parts: string[]) => join(folder, ...parts)

const [k, size] = [4, 6]
const documents = plantedDocuments(80, k, size, 5)
const embeddings = plantedEmbeddings(documents, k, size, 6)
const vocabulary = Array.from({ length: k * size }, (_, term) => `w${term}`)
const years = Int32Array.from({ length: 80 }, (_, i) => i % 2)
const X = plantedMatrix(60, 20, 3, 4, true)

/** Matrix Market text. */
function marketOf({ rows, cols, indptr, indices, values }: SparseMatrix) {
  const lines: string[] = []
  for (let i = 0; i < rows; i++)
    for (let a = Number(indptr[i]); a < Number(indptr[i + 1]); a++)
      lines.push(`${i + 1} ${indices[a]! + 1} ${values[a]}`)
  const head = `%%MatrixMarket matrix coordinate real general\n${rows} ${cols} ${lines.length}\n`
  return `${head}${lines.join('\n')}\n`
}

let semantics: SparseMatrix
beforeAll(async () => {
  semantics = await shiftedPpmi(await cooccurrences(documents.tokens, { terms: k * size }))
  writeFileSync(at('counts.mtx'), marketOf(documents.counts))
  writeFileSync(at('ppmi.mtx'), marketOf(semantics))
  writeFileSync(at('words.txt'), `${vocabulary.join('\n')}\n`)
  const { documents: D, terms: V } = embeddings
  await writeNpy(at('documents.npy'), { data: D.data, shape: [D.rows, D.cols] })
  await writeNpy(at('terms.npy'), { data: V.data, shape: [V.rows, V.cols] })
  await writeNpy(at('years.npy'), { data: years, shape: [80] })
  await writeNpy(at('X.npy'), { data: X.data, shape: [60, 20] })
})

const run = (...args: string[]) =>
  gemmine().parseAsync([...args, '--quiet', '--force'], { from: 'user' })
const summaryIn = (name: string) => JSON.parse(readFileSync(at(name, 'summary.json'), 'utf8'))
const linesIn = (...parts: string[]) =>
  readFileSync(at(...parts), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { words: string[]; coherence: number; dominant: number })
const words = ['--vocabulary', at('words.txt'), '--words', '5']

describe('gemmine topics', () => {
  it('writes the topics of keyNmf with their words, and those of each slice', async () => {
    const files = ['--documents', at('documents.npy'), '--terms', at('terms.npy')]
    const args = [
      'topics',
      at('counts.mtx'),
      '--model',
      'key-nmf',
      '--rank',
      '4',
      ...files,
      ...words,
    ]
    const more = ['--time-slices', at('years.npy'), '--top-terms', '9', '--seed', '2']
    await run(...args, ...more, '--out', at('key'))
    const options = { rank: 4, topTerms: 9, seed: 2, timeSlices: years }
    const { model, slices } = await keyNmf(
      embeddings.documents,
      embeddings.terms,
      documents.counts,
      options,
    )
    expect((await readNpy(at('key', 'H.npy'))).data).toEqual(model.H.data)
    expect((await readNpy(at('key', 'W.npy'))).data).toEqual(model.W.data)
    expect(readFileSync(at('key', 'slices.npy')).subarray(-4 * k * k * size)).toEqual(
      Buffer.from(slices[1]!.data.buffer),
    )
    const lines = linesIn('key', 'topics.jsonl')
    expect(lines.map((each) => each.words)).toEqual(
      await topWords(model.H, vocabulary, { count: 5 }),
    )
    expect(lines.reduce((sum, { dominant }) => sum + dominant, 0)).toBeCloseTo(1, 12)
    const { coherence, diversity, rank } = summaryIn('key')
    expect([coherence.length, rank]).toEqual([4, 4])
    expect(diversity).toBeGreaterThan(0.5)
  })

  it('writes the topics of semanticNmf, of the number that it chooses', async () => {
    const survey = ['--semantics', at('ppmi.mtx'), '--ranks', '2:5', '--restarts', '4']
    await run('topics', at('counts.mtx'), ...survey, ...words, '--out', at('semantic'))
    const found = await semanticNmf(documents.counts, semantics, {
      ranks: { from: 2, to: 5 },
      restarts: 4,
    })
    expect((await readNpy(at('semantic', 'H.npy'))).data).toEqual(found.topics.data)
    expect((await readNpy(at('semantic', 'contexts.npy'))).data).toEqual(found.contexts.data)
    expect(summaryIn('semantic')).toMatchObject({ chosen: found.chosen, ranks: [2, 3, 4, 5] })
    expect(readdirSync(at('semantic')).sort()).toEqual(
      [
        'H.npy',
        'W.npy',
        'contexts.npy',
        'model.safetensors',
        'summary.json',
        'topics.jsonl',
      ].sort(),
    )
  })

  it.each([
    [[], 'Expected the contexts of each term for --semantics, received nothing'],
    [
      ['--model', 'key-nmf'],
      'Expected the embeddings of the documents for --documents, received nothing',
    ],
    [
      ['--rank', '3'],
      'Expected nothing (the model semantic-nmf has no such option) for --rank, received 3',
    ],
    [
      ['--model', 'key-nmf', '--weight', '2'],
      'Expected nothing (the model key-nmf has no such option) for --weight, received 2',
    ],
  ])('says what is missing or wrong: %#', async (args, sentence) => {
    const failure = await failureFrom('topics', at('counts.mtx'), ...args, '--out', at('wrong'))
    expect(failure).toEqual({ sentence, exitCode: 2 })
  })

  it('names --words, not --count, before work starts', async () => {
    const args = ['--words', '0', '--out', at('wrong')]
    expect(await failureFrom('topics', at('counts.mtx'), ...args)).toEqual({
      sentence: 'Expected an integer of at least 1 for --words, received 0',
      exitCode: 2,
    })
  })

  it('names both files where documents or terms have another number of embeddings', async () => {
    const [D, V, counts] = [at('documents.npy'), at('terms.npy'), at('counts.mtx')]
    const sentenceOf = async (documents: string, terms: string) => {
      const files = ['--documents', documents, '--terms', terms, '--rank', '3']
      const args = ['topics', counts, '--model', 'key-nmf', ...files, '--out', at('wrong')]
      return (await failureFrom(...args)).sentence
    }
    expect(await sentenceOf(V, V)).toBe(
      `${V}: expected 80 rows, one for each document of ${counts}, received 24`,
    )
    expect(await sentenceOf(D, D)).toBe(
      `${D}: expected 24 rows, one for each term of ${counts}, received 80`,
    )
  })

  it('names a vocabulary that does not fit, and dense documents', async () => {
    const given = ['--semantics', at('ppmi.mtx'), '--ranks', '2:3', '--out', at('wrong')]
    const few = ['topics', at('ppmi.mtx'), '--vocabulary', at('counts.mtx'), ...given]
    expect((await failureFrom(...few)).sentence).toContain('expected 24 words, one for each term')
    expect((await failureFrom('topics', at('X.npy'), ...given)).sentence).toBe(
      `${at('X.npy')}: expected a sparse matrix, .npz or .mtx, received a dense one`,
    )
  })
})

describe('gemmine consensus', () => {
  it('writes the consensus of consensusNmf, with each component of the restarts', async () => {
    const args = ['consensus', at('X.npy'), '--rank', '3', '--restarts', '5', '--seed', '1']
    const checkpoint = ['--checkpoint', at('restarts')]
    await run(...args, '--density-threshold', '1.5', ...checkpoint, '--out', at('consensus'))
    const options = { rank: 3, restarts: 5, seed: 1, densityThreshold: 1.5 }
    const { model, labels, densities, kept } = await consensusNmf(X, options)
    expect((await readNpy(at('consensus', 'H.npy'))).data).toEqual(model.H.data)
    expect((await readNpy(at('consensus', 'W.npy'))).data).toEqual(model.W.data)
    const bytes = (name: string) => readFileSync(at('consensus', name))
    expect(bytes('labels.npy').subarray(-60)).toEqual(Buffer.from(labels.buffer))
    expect(bytes('densities.npy').subarray(-120)).toEqual(Buffer.from(densities.buffer))
    const { relativeError } = model
    expect(summaryIn('consensus')).toMatchObject({ rank: 3, restarts: 5, kept, relativeError })
    await run(
      ...args,
      '--density-threshold',
      '1.5',
      '--resume',
      at('restarts'),
      '--out',
      at('again'),
    )
    expect(readFileSync(at('again', 'H.npy'))).toEqual(bytes('H.npy'))
  })

  it.each([
    [[], 'Expected the number of components for --rank, received nothing'],
    [['--rank', '21'], 'Expected an integer from 1 to 20 for --rank, received 21'],
    [
      ['--rank', '3', '--restarts', '1'],
      'Expected an integer of at least 2 for --restarts, received 1',
    ],
    [
      ['--rank', '3', '--density-threshold', '-1'],
      'Expected a finite number of at least 0 for --density-threshold, received -1',
    ],
  ])('says what is missing or wrong: %#', async (args, sentence) => {
    const failure = await failureFrom('consensus', at('X.npy'), ...args, '--out', at('wrong'))
    expect(failure).toEqual({ sentence, exitCode: 2 })
  })
})
