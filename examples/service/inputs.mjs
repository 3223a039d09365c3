// Bodies of requests become matrices. What is wrong is named by field, row and value.

/** An answer of status 400. */
export class BadRequest extends Error {
  statusCode = 400
}

const wrong = (field, expected, value) =>
  new BadRequest(
    `Expected ${expected} for ${field}, received ${JSON.stringify(value)?.slice(0, 200) ?? 'nothing'}`,
  )

/** An integer of JSON, which is no text. */
export function integerOf(field, value, low, high) {
  if (Number.isInteger(value) && value >= low && value <= high) return value
  throw wrong(field, `an integer in ${low}..${high}`, value)
}

/** An integer of a query string, in digits alone. */
export function integerOfText(field, text, low, high) {
  const isDigits = typeof text === 'string' && /^\d+$/.test(text)
  return integerOf(field, isDigits ? Number(text) : text, low, high)
}

export function numberOf(field, value, low, high) {
  if (typeof value === 'number' && value >= low && value <= high) return value
  throw wrong(field, `a number in ${low}..${high}`, value)
}

/** Rows of numbers as one Float32Array; each has `wanted` numbers, or as many as the first. */
export function matrixOf(field, rows, wanted, most = 10_000) {
  if (!Array.isArray(rows) || rows.length === 0) throw wrong(field, 'a list of rows', rows)
  if (rows.length > most) throw wrong(`${field}.length`, `at most ${most} rows`, rows.length)
  if (!Array.isArray(rows[0]) || rows[0].length === 0)
    throw wrong(`${field}[0]`, 'a list of numbers', rows[0])
  const cols = wanted ?? rows[0].length
  // Before memory is taken: one long row and many short ones would ask for more than the body holds.
  rows.forEach((row, i) => {
    if (!Array.isArray(row) || row.length !== cols)
      throw wrong(`${field}[${i}]`, `a list of ${cols} numbers`, row)
  })
  const data = new Float32Array(rows.length * cols)
  rows.forEach((row, i) =>
    row.forEach((value, j) => {
      if (typeof value !== 'number' || !Number.isFinite(Math.fround(value)))
        throw wrong(`${field}[${i}][${j}]`, 'a number that float32 can hold', value)
      data[i * cols + j] = value
    }),
  )
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
  return lists.map((rows, i) => {
    if (!Array.isArray(rows)) throw wrong(`${field}[${i}]`, 'a list of rows', rows)
    return rows.map((row, j) => integerOf(`${field}[${i}][${j}]`, row, 0, corpus - 1))
  })
}

/** JSON that is not an object has no fields. */
export function fieldsOf(body) {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body
  throw wrong('the body', 'a JSON object', body)
}
