// examples/service as a user runs it: installed from its lock, in a process of its own.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { gaussian } from '../matrices'

const run = promisify(execFile)
const root = resolve(__dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'gemmine-service-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Why the packages of the example cannot be installed here; undefined if they are. */
async function whyNotInstalled(): Promise<string | undefined> {
  cpSync(join(root, 'examples/service'), folder, { recursive: true })
  const flags = ['--ignore-scripts', '--omit=dev', '--no-audit', '--no-fund', '--prefer-offline']
  try {
    await run('npm', ['ci', ...flags], { cwd: folder, timeout: 120_000 })
  } catch (error) {
    return (error as { readonly stderr?: string }).stderr ?? String(error)
  }
  symlinkSync(root, join(folder, 'node_modules', 'gemmine'))
  return undefined
}

const reason = await whyNotInstalled()
if (reason !== undefined) console.log(`examples/service is not tried, for npm ci failed: ${reason}`)

describe.skipIf(reason !== undefined)('examples/service', () => {
  let address = ''
  let server: ReturnType<typeof spawn>

  beforeAll(async () => {
    server = spawn(process.execPath, ['server.mjs', '0'], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = (await once(server.stdout!, 'data')) as [Buffer]
    address = /http:\S+/.exec(line.toString())![0]
  })
  afterAll(() => void server.kill('SIGKILL'))

  const post = (path: string, body: unknown, init: RequestInit = {}) =>
    fetch(address + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      ...init,
    })
  const query = Array.from({ length: 384 }, (_, i) => Math.sin(i))

  const noise = gaussian(300, 200, 1)
  const noisy = Array.from({ length: 300 }, (_, i) => [
    ...noise.data.subarray(200 * i, 200 * (i + 1)),
  ])
  const endless = { rows: noisy, rank: 40, iterations: 100_000, tolerance: 0 }

  it('answers searches, the same as JSON and as bytes', async () => {
    const asked = await post('/top-k', { queries: [query], k: 3 })
    const answer = (await asked.json()) as { neighbours: { row: number; score: number }[][] }
    expect(answer.neighbours[0]).toHaveLength(3)
    const headers = { 'content-type': 'application/octet-stream' }
    const body = new Uint8Array(Float32Array.from(query).buffer)
    const bytes = await post('/top-k?k=3', {}, { headers, body })
    expect(await bytes.json()).toEqual(answer)
  })

  it('mines', async () => {
    const asked = await post('/mine', { queries: [query], positives: [[7]], numNegatives: 2 })
    const { negatives } = (await asked.json()) as { negatives: number[][] }
    for (const [q, positive, negative] of negatives) {
      expect([q, positive]).toEqual([0, 7])
      expect(negative).not.toBe(7)
    }
  })

  it('factorizes, and ends its events with the factors', async () => {
    const rows = Array.from({ length: 40 }, (_, i) => query.slice(i, i + 8))
    const asked = await post('/factorize', { rows, rank: 2, iterations: 20 })
    expect(asked.headers.get('content-type')).toBe('text/event-stream')
    const text = await asked.text()
    expect(text).toContain('event: progress')
    const done = JSON.parse(/event: done\ndata: (.*)/.exec(text)![1]!) as { W: number[] }
    expect(done.W).toHaveLength(40 * 2)
  })

  it.each([
    ['/top-k', { queries: [[1, 2]] }, 'a list of 384 numbers for queries[0], received [1,2]'],
    [
      '/top-k',
      { queries: [query.map((value, i) => (i === 3 ? NaN : value))] },
      'for queries[0][3], received null',
    ],
    ['/top-k', { queries: [query], k: 0 }, 'an integer in 1..1000 for k, received 0'],
    ['/top-k', [], 'a JSON object for the body, received []'],
    ['/mine', { queries: [query], positives: [[20_000]] }, 'for positives[0][0], received 20000'],
    ['/factorize', { rows: [[1, 2]], rank: 2 }, 'an integer in 1..1 for rank, received 2'],
    // Text where JSON has numbers.
    ['/top-k', { queries: [query], k: ' 3 ' }, 'an integer in 1..1000 for k, received " 3 "'],
    ['/mine', { queries: [query], positives: [['']] }, 'for positives[0][0], received ""'],
    ['/mine', { queries: [query], positives: [[7]], numNegatives: '' }, 'for numNegatives'],
    // What would take memory before it is seen to be wrong.
    ['/factorize', { rows: [{ length: 3e9 }], rank: 1 }, 'a list of numbers for rows[0]'],
    ['/factorize', { rows: { 0: [1] }, rank: 1 }, 'a list of rows for rows, received {"0":[1]}'],
    ['/factorize', { rows: 'abc', rank: 1 }, 'a list of rows for rows, received "abc"'],
    ['/factorize', { rows: [[1, 2], []], rank: 1 }, 'a list of 2 numbers for rows[1]'],
    ['/factorize', { rows: [null], rank: 1 }, 'a list of numbers for rows[0], received null'],
    ['/factorize', { rank: 1 }, 'a list of rows for rows, received nothing'],
  ])('answers 400 to %s with a wrong field, and names it', async (path, body, message) => {
    const asked = await post(path, body)
    expect(asked.status).toBe(400)
    expect(((await asked.json()) as { error: string }).error).toContain(message)
  })

  it.each(['', ' 3', '3.0', '0x3', '1e1', '3&k=4', '0'])(
    'answers 400 to bytes with ?k=%s',
    async (k) => {
      const headers = { 'content-type': 'application/octet-stream' }
      const body = new Uint8Array(Float32Array.from(query).buffer)
      const asked = await post(`/top-k?k=${k}`, {}, { headers, body })
      expect(asked.status).toBe(400)
    },
  )

  it('stops the job of a client that goes away', async () => {
    const gone = new AbortController()
    const asked = await post('/factorize', endless, { signal: gone.signal })
    expect(asked.status).toBe(200)
    gone.abort()
    const running = /gemmine_jobs_running (\d+)/
    for (;;) {
      const text = await (await fetch(`${address}/metrics`)).text()
      if (running.exec(text)![1] === '0') break
    }
  })

  it('answers 503 with retry-after when as many jobs wait as may', async () => {
    const program = `
      import { prepareCorpus, semiNmf } from 'gemmine'
      import { createService } from './service.mjs'
      const X = { data: Float32Array.from({ length: 1600 }, Math.random), rows: 100, cols: 16 }
      const { app, stop } = await createService(await prepareCorpus(X), { maxQueue: 0 })
      const gone = new AbortController()
      const endless = { rank: 4, init: 'random', iterations: 2 ** 31, tolerance: 0, signal: gone.signal }
      const jobs = Promise.allSettled(Array.from({ length: 16 }, () => semiNmf(X, endless)))
      const payload = { queries: [[...X.data.subarray(0, 16)]], k: 1 }
      const { statusCode, headers } = await app.inject({ method: 'POST', url: '/top-k', payload })
      console.log(statusCode, headers['retry-after'])
      gone.abort()
      await jobs
      await stop()`
    const args = ['--input-type=module', '-e', program]
    const { stdout } = await run(process.execPath, args, { cwd: folder })
    expect(stdout).toBe('503 1\n')
  })

  it('says how it is, and ends in order although a job runs', async () => {
    const health = await fetch(`${address}/health`)
    expect(await health.json()).toEqual({ status: 'ok', rows: 20_000 })
    const text = await (await fetch(`${address}/metrics`)).text()
    expect(text).toContain('http_requests_total{route="/top-k",status="400"} 12')
    const asked = await post('/factorize', endless)
    server.kill('SIGTERM')
    expect((await asked.text()).includes('event: failed')).toBe(true)
    const [code] = (await once(server, 'exit')) as [number]
    expect(code).toBe(0)
  })
})
