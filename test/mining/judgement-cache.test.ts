// The file that keeps a scorer's answers between runs.
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { headerLine, JudgementReader, judgementLine } from '../../lib/data/judgement-lines'
import { parseLines } from '../../lib/data/lines'
import { judgeNegatives } from '../../lib/mining/judge-negatives'
import type { JudgeNegativesOptions } from '../../lib/mining/judge-options'
import { mineHardNegatives } from '../../lib/mining/mine-hard-negatives'
import { temporaryFolder } from '../data/files'
import { expectSurvival } from '../data/mutations'
import { gaussian } from '../matrices'
import { runProgram } from '../hazards/child'
import { answerOf, judgeScene, mixedAnswer, scorerOf } from './judging'

const folder = temporaryFolder()
const { lists } = judgeScene(5, 6, 40, 12)
const answer = mixedAnswer(5)
const rules = { absoluteMargin: 0.1, numNegatives: 3, batchSize: 3 }
const fingerprint = 'mixed answers, first version'

/** Judges with a cache; the pairs that the scorer was asked about are returned too. */
async function judge(path: string, options: Partial<JudgeNegativesOptions> = {}) {
  const { score, asked } = scorerOf(answer)
  const cache = { path, fingerprint }
  const judged = await judgeNegatives(lists, { score, ...rules, cache, ...options })
  return { judged, asked }
}

const linesOf = (path: string) => readFileSync(path, 'utf8').split('\n').slice(1, -1)

const isAnswered = ([query, row]: readonly [number, number]) => answer(query, row) !== null

describe('a cache', () => {
  it('holds each answer once, and a second run asks only about pairs without an answer', async () => {
    const path = folder.path('twice.jsonl')
    const first = await judge(path)
    const known = first.asked.filter(isAnswered)
    expect(linesOf(path)).toHaveLength(known.length)
    const second = await judge(path)
    expect(second.asked).toEqual(first.asked.filter((pair) => !isAnswered(pair)))
    expect(answerOf(second.judged)).toEqual(answerOf(first.judged))
    expect(second.judged.asked).toBe(second.asked.length)
    expect(linesOf(path)).toHaveLength(known.length)
  })

  it('keeps scores to the last bit', async () => {
    const path = folder.path('bits.jsonl')
    const values = [0.1 + 0.2, 1 / 3, 5e-324, -1.7976931348623157e308, -0]
    const options = { score: () => values, batchSize: 5 }
    const five = { queries: 1, corpus: 9, rows: [[0, 2, 4, 6, 8]] }
    const all = { ...options, numNegatives: 5, cache: { path, fingerprint } }
    const first = await judgeNegatives(five, all)
    const second = await judgeNegatives(five, { ...all, score: () => [] })
    expect([...first.judged.scores]).toEqual([...values.slice(0, 4), 0])
    expect([...second.judged.scores]).toEqual([...values.slice(0, 4), 0])
  })

  it('serves other rules and larger pools', async () => {
    const path = folder.path('rules.jsonl')
    const first = await judge(path)
    const second = await judge(path, { numNegatives: 8, absoluteMargin: 0.5 })
    const before = new Set(first.asked.filter(isAnswered).map(String))
    expect(second.asked.some((pair) => before.has(String(pair)))).toBe(false)
    const { score } = scorerOf(answer)
    const wanted = await judgeNegatives(lists, {
      ...rules,
      score,
      numNegatives: 8,
      absoluteMargin: 0.5,
    })
    expect(answerOf(second.judged)).toEqual(answerOf(wanted))
  })

  it('that was cut off at any byte is continued without a pair asked twice', async () => {
    const whole = folder.path('whole.jsonl')
    const few = { budget: 12, concurrency: 1 }
    const { judged, asked } = await judge(whole, few)
    const bytes = readFileSync(whole)
    const path = folder.path('cut.jsonl')
    const header = bytes.indexOf('\n')
    // Every byte around the ends of the first lines and of the last one, some of those between.
    for (let size = 0; size <= bytes.length; size++) {
      const isNear = Math.abs(size - header) < 45 || size > bytes.length - 40
      if (!isNear && size % 16 > 0) continue
      writeFileSync(path, bytes.subarray(0, size))
      const text = bytes.subarray(0, size).toString()
      const kept = text
        .split('\n')
        .slice(1)
        .filter((line) => line.endsWith('}')).length
      const resumed = await judge(path, few)
      expect(resumed.asked.length, `${size} bytes`).toBe(asked.length - kept)
      expect(answerOf(resumed.judged)).toEqual(answerOf(judged))
      expect(new Set(linesOf(path))).toEqual(new Set(linesOf(whole)))
    }
  })

  it('serves the parts of a job, each its own', async () => {
    const queries = gaussian(20, 4, 1)
    const corpus = gaussian(60, 4, 2)
    const path = folder.path('part.jsonl')
    const part = async () => {
      const shard = { index: 2, count: 3 }
      const options = { numNegatives: 9, relativeMargin: null, shard }
      const pool = await mineHardNegatives(
        queries,
        corpus,
        Int32Array.from({ length: 20 }, (_, q) => q),
        options,
      )
      const { score, asked } = scorerOf((q, row) => q + row / 100)
      const cache = { path, fingerprint }
      return { asked, judged: await judgeNegatives(pool, { score, absoluteMargin: 0.1, cache }) }
    }
    const [first, second] = [await part(), await part()]
    expect(first.asked.length).toBeGreaterThan(20)
    expect(first.asked.every(([query]) => query >= 13)).toBe(true)
    expect(second.asked).toEqual([])
    expect(answerOf(second.judged)).toEqual(answerOf(first.judged))
  })

  it('keeps what a failed run was told', async () => {
    const path = folder.path('failed.jsonl')
    const { score, asked } = scorerOf(answer)
    const failing = judge(path, {
      score: (pairs, call) => {
        if (call.batch === 4) throw new Error('no')
        return score(pairs, call)
      },
      retries: 0,
    })
    await expect(failing).rejects.toThrow('failed once with: no')
    const known = new Set(asked.filter(isAnswered).map(String))
    const resumed = await judge(path)
    expect(known.size).toBeGreaterThan(5)
    expect(resumed.asked.some((pair) => known.has(String(pair)))).toBe(false)
  })

  it('is not written to after an abort', async () => {
    const path = folder.path('aborted.jsonl')
    const controller = new AbortController()
    let release = () => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    const aborted = judge(path, {
      signal: controller.signal,
      score: async (pairs) => {
        setImmediate(() => controller.abort('enough'))
        await held
        return pairs.map(() => 1)
      },
    })
    await expect(aborted).rejects.toBe('enough')
    release()
    await new Promise(setImmediate)
    expect(linesOf(path)).toEqual([])
  })

  it('survives SIGKILL in the middle of a batch', async () => {
    const path = folder.path('killed.jsonl')
    const killed = await runProgram('judging', [path, 9])
    expect(killed.signal).toBe('SIGKILL')
    const known = linesOf(path).length
    expect(known).toBeGreaterThan(40)
    const resumed = JSON.parse((await runProgram('judging', [path, -1])).stdout) as object
    const whole = JSON.parse(
      (await runProgram('judging', [folder.path('w.jsonl'), -1])).stdout,
    ) as {
      asked: number
    }
    expect(resumed).toEqual({ ...whole, asked: whole.asked - known })
  })
})

describe('a file is refused and stays as it is if it', () => {
  const header = headerLine({ fingerprint: 'f', queries: 6, corpus: 40 })
  it.each<[string, string | Uint8Array, RegExp]>([
    ['holds other data', '{"query":1,"row":2}\n', /line 1: expected the first line of a file of/],
    ['holds one line of other data', '{"a":1}', /line 1: expected the first line/],
    ['holds a broken first line', '{"a":', /line 1: expected a JSON object/],
    ['is a text', 'hello', /expected a file of judgements/],
    ['is packed', gzipSync(header), /expected a file of judgements/],
    [
      'is of another version',
      '{"format":"gemmine-judgements","version":2}\n',
      /expected version 1/,
    ],
    ['belongs to other inputs', header, /expected the judgements of these queries, documents and/],
    ['is binary', Buffer.alloc(5000), /expected a file of judgements/],
  ])('%s', async (name, content, message) => {
    const path = folder.path(`${name}.jsonl`)
    writeFileSync(path, content)
    await expect(judge(path)).rejects.toMatchObject({
      code: 'ERR_GEMMINE_FILE',
      message: expect.stringMatching(message) as unknown,
    })
    expect(readFileSync(path)).toEqual(Buffer.from(content))
  })

  it.each<[string, string, RegExp]>([
    ['a line without a judgement', '{"query":0,"row":1}', /line 2: expected a score or a verdict/],
    ['a query that does not exist', '{"query":6,"row":1,"score":1}', /an integer in 0..5 as query/],
    ['a row that does not exist', '{"query":0,"row":-1,"score":1}', /an integer in 0..39 as row/],
    [
      'a score that is none',
      '{"query":0,"row":1,"score":"1"}',
      /a finite number as score, received 1/,
    ],
    ['a score beyond float64', '{"query":0,"row":1,"score":1e999}', /a finite number as score/],
    ['an unknown verdict', '{"query":0,"row":1,"verdict":"no"}', /one of keep, drop, positive/],
    ['another field', '{"query":0,"row":1,"score":1,"x":1}', /only query, row, score and verdict/],
    ['a torn line before others', '{"query":0,"ro', /line 2: expected a JSON object/],
    ['an empty line', '', /line 2: expected a JSON object, received nothing/],
  ])('holds %s', async (_, line, message) => {
    const path = folder.path('line.jsonl')
    writeFileSync(path, '')
    await judge(path, { budget: 0 })
    appendFileSync(path, `${line}\n${judgementLine(0, 1, { score: 1 })}`)
    const before = readFileSync(path, 'utf8')
    await expect(judge(path)).rejects.toThrow(message)
    expect(readFileSync(path, 'utf8')).toBe(before)
  })

  it('is a folder, or cannot be there', async () => {
    const path = folder.path('folder')
    mkdirSync(path)
    await expect(judge(path)).rejects.toThrow('expected a file, received a folder')
    await expect(judge(folder.path('none/x.jsonl'))).rejects.toThrow('there is no such file')
    expect(existsSync(folder.path('none'))).toBe(false)
  })

  it('is a device', async () => {
    await expect(judge('/dev/null')).rejects.toThrow('expected a file, received a pipe or device')
  })

  it('is written by another run at the same time', async () => {
    const path = folder.path('shared.jsonl')
    const both = judge(path, {
      score: (pairs) => {
        appendFileSync(path, judgementLine(0, 0, { score: 1 }))
        return pairs.map(() => 0)
      },
    })
    await expect(both).rejects.toThrow(/another run may write to it/)
  })
})

describe('the fingerprint', () => {
  const texts = {
    queryTexts: Array.from({ length: 6 }, (_, i) => `question ${i}`),
    corpusTexts: Array.from({ length: 40 }, (_, i) => `answer ${i}`),
  }
  const [first, second] = [folder.path('texts.jsonl'), folder.path('other.jsonl')]

  it('is that of texts and ids, whatever the rules', async () => {
    await judge(first, { ...texts, cache: { path: first } })
    const changed = [
      { ...texts, queryTexts: ['', ...texts.queryTexts.slice(1)] },
      { ...texts, corpusTexts: [...texts.corpusTexts.slice(0, 39), ''] },
      { ...texts, queryIds: texts.queryTexts },
      { corpusIds: texts.corpusTexts, queryIds: texts.queryTexts },
    ]
    for (const others of changed) {
      copyFileSync(first, second)
      await expect(judge(second, { ...others, cache: { path: second } })).rejects.toThrow(
        'received those of others',
      )
    }
    await judge(second, { ...texts, cache: { path: first }, numNegatives: 9, budget: 4 })
    await expect(judge(second, { ...texts, cache: { path: first, fingerprint } })).rejects.toThrow(
      'received those of others',
    )
  })

  it('must be given without them', async () => {
    for (const words of [{}, { queryTexts: texts.queryTexts }])
      await expect(judge(first, { ...words, cache: { path: first } })).rejects.toThrow(
        'Expected a text that names the data and the scorer',
      )
  })
})

it('any damage to a file of judgements is refused or leaves well-formed judgements', async () => {
  const inputs = { fingerprint: 'f00', queries: 30, corpus: 400 }
  const lines = [
    judgementLine(3, 17, { score: 0.25 }),
    judgementLine(29, 399, { verdict: 'drop' }),
    judgementLine(0, 0, { score: -1.5e-9, verdict: 'positive' }),
  ]
  const original = Buffer.from(headerLine(inputs) + lines.join(''))
  const parse = (bytes: Uint8Array) => {
    const taken: [number, number, object][] = []
    const reader = new JudgementReader('X.jsonl', inputs, (...judgement) => taken.push(judgement))
    parseLines(bytes, 'X.jsonl', reader)
    return taken
  }
  expect(parse(original)).toHaveLength(3)
  await expectSurvival('X.jsonl', [original], parse, (taken) => {
    for (const [query, row, judgement] of taken) {
      const { score, verdict } = judgement as { score?: number; verdict?: string }
      const isWell = Number.isInteger(query) && query >= 0 && query < 30 && row >= 0 && row < 400
      const isJudged = score === undefined ? verdict !== undefined : Number.isFinite(score)
      if (!isWell || !isJudged) throw new Error(JSON.stringify([query, row, judgement]))
    }
  })
})
