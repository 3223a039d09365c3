import { lendable, type Elements, type NamedArrays } from './typed-array'

type Inputs = Readonly<Record<string, unknown>>

/** The inputs of a job in a form that can be borrowed, and all their arrays by their names in messages. */
export interface Loan<Given> {
  readonly inputs: Given
  readonly arrays: NamedArrays
}

/**
 * Replaces, in checked inputs, arrays that cannot be lent (see {@link lendable}), also those in objects, by
 * copies. Returns a promise only if much has to be copied.
 */
export function loanOf<Given extends Inputs>(given: Given): Loan<Given> | Promise<Loan<Given>> {
  const inputs: Record<string, unknown> = {}
  const arrays: Record<string, Elements> = {}
  const copying: Promise<void>[] = []
  let last: Promise<Elements> | undefined
  const take = (holder: Record<string, unknown>, key: string, name: string, array: Elements) => {
    const keep = (lent: Elements) => {
      holder[key] = arrays[name] = lent
    }
    const lent = lendable(name, array, last)
    if (!(lent instanceof Promise)) return keep(lent)
    last = lent
    copying.push(lent.then(keep))
  }
  for (const [name, input] of Object.entries(given)) {
    if (ArrayBuffer.isView(input)) take(inputs, name, name, input as Elements)
    else if (typeof input !== 'object') inputs[name] = input
    else {
      const parts: Record<string, unknown> = { ...input }
      inputs[name] = parts
      for (const [key, part] of Object.entries(parts))
        if (ArrayBuffer.isView(part)) take(parts, key, `${name}.${key}`, part as Elements)
    }
  }
  const loan = { inputs: inputs as Given, arrays }
  return copying.length > 0 ? Promise.all(copying).then(() => loan) : loan
}
