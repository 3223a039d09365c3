import { randomBytes } from 'node:crypto'

/** A name for a file until it is complete. No other writer has it, of any thread, process or machine. */
export const placeBeside = (path: string): string =>
  `${path}.part-${process.pid}-${randomBytes(6).toString('hex')}`
