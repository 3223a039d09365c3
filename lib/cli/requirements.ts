// The first import of the command line: a missing requirement gives one line and exit code 3.
try {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  require('../requirements')
} catch (error) {
  process.stderr.write(`gemmine: ${(error as Error).message}\n`)
  process.exit(3)
}
