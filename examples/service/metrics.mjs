// Numbers for Prometheus: requests by route and status, jobs of gemmine, and delays of the event loop.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { stats } from 'gemmine'

export class Metrics {
  #requests = new Map()
  #delay = monitorEventLoopDelay({ resolution: 10 })

  constructor() {
    this.#delay.enable()
  }

  count(route, status) {
    const labels = `route="${route}",status="${status}"`
    this.#requests.set(labels, (this.#requests.get(labels) ?? 0) + 1)
  }

  text() {
    const { running, waiting, bytes } = stats()
    const metric = (name, kind, help, samples) =>
      `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n` +
      samples.map(([labels, value]) => `${name}${labels} ${value}\n`).join('')
    const requests = [...this.#requests].map(([labels, count]) => [`{${labels}}`, count])
    return (
      metric('http_requests_total', 'counter', 'Requests answered.', requests) +
      metric('gemmine_jobs_running', 'gauge', 'Jobs that run.', [['', running]]) +
      metric('gemmine_jobs_waiting', 'gauge', 'Jobs that wait.', [['', waiting]]) +
      metric('gemmine_corpus_bytes', 'gauge', 'Memory of prepared corpora.', [['', bytes]]) +
      metric('event_loop_delay_seconds', 'gauge', 'Delay of the event loop, 99 % are shorter.', [
        ['', this.#delay.percentile(99) / 1e9],
      ])
    )
  }

  stop() {
    this.#delay.disable()
  }
}
