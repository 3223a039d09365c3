// Products A B of a matrix in any form with a small dense one.
import { loanOf } from '../data/loan'
import { outputMatrix, toDenseView, type Matrix } from '../data/matrix'
import { arraysOf, toSource, type SourceInput } from '../data/source'
import { checkApart } from '../data/typed-array'
import { invalid } from '../errors'
import { planMemory } from '../memory'
import { native, runJob } from '../native'
import { checkJob, type JobOptions, type MemoryOptions } from '../options'

/** A matrix and its name in messages. */
interface Named<Input> {
  readonly name: string
  readonly matrix: Input
}

/**
 * A B of A [n × m], dense, a file, or sparse, and B [m × p], of float32 in memory and finite. The result is
 * of float32; an entry beyond its range is ±Infinity.
 *
 * @param wanted The columns of A that are right, for the message.
 * @param out The caller's array for the result.
 * @throws {TypeError | RangeError} if A is no matrix of m finite columns, or `out` is wrong.
 */
export async function productOf(
  { name, matrix: A }: Named<SourceInput>,
  { name: other, matrix: B }: Named<Matrix>,
  {
    wanted,
    out,
    ...options
  }: JobOptions & MemoryOptions & { wanted: string; out?: Float32Array | undefined },
): Promise<Matrix> {
  const { device, ...job } = checkJob(options)
  const source = await toSource(name, A)
  const { rows: inner, cols } = toDenseView(other, B)
  if (source.cols !== inner) throw invalid(`${name}.cols`, wanted, source.cols)
  // The result, and the columns that are computed at once.
  planMemory(
    `${name} ${other} of ${source.rows} × ${cols}`,
    4 * source.rows * (cols + Math.min(cols, native().planSizes().columnsAtOnce)),
    job.memoryBudget,
  )
  const result = outputMatrix('out', out, source.rows, cols)
  checkApart({ out: result.own }, { ...arraysOf(source), [other]: B.data })
  const { inputs, arrays } = await loanOf({ [name]: source, [other]: B })
  await runJob(job, { ...arrays, out }, (addon, control) =>
    addon.inverseTransform(
      inputs[name] as typeof source,
      inputs[other] as Matrix,
      { device },
      result.matrix,
      control,
    ),
  )
  return result.settle()
}
