// Bodies of requests become matrices. What is wrong is named by field, row and value.

/** An answer of status 400. */
export class BadRequest extends Error {
  statusCode = 400
}

const wrong = (field, expected, value) =>
  new BadRequest(
    `Expected ${expected} for ${field}, received ${JSON.stringify(value) ?? 'nothing'}`,
  )

export function integerOf(field, value, low, high) {
  const number = typeof value === 'string' ? Number(value) : value
  if (Number.isInteger(number) && number >= low && number <= high) return number
  throw wrong(field, `an integer in ${low}..${high}`, value)
}

export function numberOf(field, value, low, high) {
  if (typeof value === 'number' && value >= low && value <= high) return value
  throw wrong(field, `a number in ${low}..${high}`, value)
}

/** Rows of numbers as one Float32Array; each has `cols` numbers, or as many as the first. */
export function matrixOf(field, rows, cols = rows?.[0]?.length, most = 10_000) {
  if (!Array.isArray(rows) || rows.length === 0) throw wrong(field, 'a list of rows', rows)
  if (rows.length > most) throw wrong(`${field}.length`, `at most ${most} rows`, rows.length)
  if (!cols) throw wrong(`${field}[0]`, 'a list of numbers', rows[0])
  const data = new Float32Array(rows.length * cols)
  rows.forEach((row, i) => {
    if (!Array.isArray(row) || row.length !== cols)
      throw wrong(`${field}[${i}]`, `a list of ${cols} numbers`, row)
    row.forEach((value, j) => {
      if (typeof value !== 'number' || !Number.isFinite(Math.fround(value)))
        throw wrong(`${field}[${i}][${j}]`, 'a number that float32 can hold', value)
      data[i * cols + j] = value
    })
  })
  return { data, rows: rows.length, cols }
}

/** The bytes of a body of type application/octet-stream: rows of float32, little-endian. */
export function matrixOfBytes(bytes, cols) {
  const ofRow = 4 * cols
  if (bytes.length === 0 || bytes.length % ofRow !== 0)
    throw wrong('the body', `rows of ${ofRow} bytes, ${cols} float32 each`, bytes.length)
  // A copy begins at a multiple of four bytes, which a Float32Array needs.
  const data = new Float32Array(new Uint8Array(bytes).buffer)
  return { data, rows: data.length / cols, cols }
}

/** A list of corpus rows for each query. */
export function listsOf(field, lists, queries, corpus) {
  if (!Array.isArray(lists) || lists.length !== queries)
    throw wrong(field, `a list of rows for each of ${queries} queries`, lists)
  lists.forEach((rows, i) => {
    if (!Array.isArray(rows)) throw wrong(`${field}[${i}]`, 'a list of rows', rows)
    rows.forEach((row, j) => integerOf(`${field}[${i}][${j}]`, row, 0, corpus - 1))
  })
  return lists
}

/** JSON that is not an object has no fields. */
export function fieldsOf(body) {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body
  throw wrong('the body', 'a JSON object', body)
}
