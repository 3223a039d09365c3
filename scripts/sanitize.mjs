// Runs the suites of test/native under AddressSanitizer with UndefinedBehaviorSanitizer, and under
// ThreadSanitizer.
import { availableParallelism } from 'node:os'
import { runSuites, step, succeedOrExplain } from './steps.mjs'

const sanitizers = [
  {
    name: 'address',
    folder: 'build/asan',
    env: { ASAN_OPTIONS: 'detect_stack_use_after_return=1', UBSAN_OPTIONS: 'print_stacktrace=1' },
  },
  {
    name: 'thread',
    folder: 'build/tsan',
    env: {
      TSAN_OPTIONS: 'halt_on_error=1 second_deadlock_stack=1',
      // ThreadSanitizer does not instrument OpenBLAS; the other runs compare a million of its products.
      GEMMINE_BLAS_TEST_PRODUCTS: '100000',
    },
  },
]

async function build({ name, folder }) {
  const options = ['-DGEMMINE_TESTS=ON', `-DGEMMINE_SANITIZE=${name}`]
  await step(`configure for the ${name} sanitizer`, 'cmake', ['-S', '.', '-B', folder, ...options])
  const jobs = String(availableParallelism())
  await step(`compile with the ${name} sanitizer`, 'cmake', ['--build', folder, '--parallel', jobs])
}

await succeedOrExplain(async () => {
  for (const sanitizer of sanitizers) await build(sanitizer)
  runSuites(
    sanitizers.map(({ name, folder, env }) => ({
      name: `native tests under the ${name} sanitizer`,
      program: 'ctest',
      args: ['--test-dir', folder, '--output-on-failure', '--no-tests=error'],
      env,
    })),
  )
})
