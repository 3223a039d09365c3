// Mistakes in the kernels of epilogues and of filters, as in cuda-mutants.mjs.
const race = ['plain', 'thread']
const bounds = ['plain', 'address']

export const mutants = [
  // Filters.
  [
    'a filter of the stretch before',
    'scan_select.cu',
    'of.filters[question.filter + at / 32]',
    'of.filters[question.filter + (at > 0 ? at / 32 - 1 : 0)]',
  ],
  [
    'every question has the first filter',
    'scan_select.cu',
    'of.filters[question.filter + at / 32]',
    'of.filters[at / 32]',
  ],
  [
    'the first filter taken for none',
    'scan_select.cu',
    'question.filter < 0 ?',
    'question.filter <= 0 ?',
  ],
  ['barred rows of a filter let in', 'scan_select.cu', '& ~bars;', ';'],
  // Products.
  [
    'no barrier after panels are loaded',
    'scan_products.cu',
    'of.cols, first);\n    __syncthreads();',
    'of.cols, first);',
    race,
  ],
  [
    'no barrier before panels are loaded again',
    'scan_products.cu',
    '    __syncthreads();  // before the panels are loaded again\n',
    '',
    race,
  ],
  [
    'columns beyond the last multiplied',
    'scan_products.cu',
    'row < rows && first + t < cols',
    'row < rows',
    bounds,
  ],
  [
    'a product that is rounded before it is added',
    'scan_products.cu',
    'fmaf(queries.at[t][y + 16 * i], rows.at[t][x + 16 * j], sums[i][j])',
    'queries.at[t][y + 16 * i] * rows.at[t][x + 16 * j] + sums[i][j]',
  ],
  [
    'rows for columns',
    'scan_products.cu',
    'of.scores[query * of.stride + row]',
    'of.scores[query * of.row_count + row]',
  ],
  // Sums of exponentials.
  [
    'rows outside a filter summed',
    'scan_sums.cu',
    'row < of.tile.rows && passes',
    'row < of.tile.rows',
  ],
  ['the width of an upper bound alone', 'scan_sums.cu', '- double{bounds.lower});', ');'],
  [
    'no rescaling when the largest score rises',
    'scan_sums.cu',
    'const double own = rises ? factor : 1.0,',
    'const double own = 1.0,',
  ],
  [
    'a part of another query',
    'scan_sums.cu',
    'of.parts[Wide{i} * of.tile.lanes + query]',
    'of.parts[Wide{i} * of.tile.lanes]',
  ],
  ['a stretch without rows changes the sum', 'scan_sums.cu', '  if (part.sum == 0) return;\n', ''],
  ['the last stretch left out', 'scan_sums.cu', '(of.tile.rows + 31) / 32', 'of.tile.rows / 32'],
  [
    'sums that start again with a tile',
    'scan_sums.cu',
    'SumState sum = of.sums[query];',
    'SumState sum{-INFINITY, 0, 0, 0};',
  ],
  // Documents.
  [
    'a document that forgets its rows in the tile before',
    'scan_documents.cu',
    'if (begin < 0) highest = ',
    'if (begin < -1000000) highest = ',
  ],
  [
    'rows of the next document',
    'scan_documents.cu',
    'const int last = end < of.tile.rows ? end : of.tile.rows;',
    'const int last = end + 1 < of.tile.rows ? end + 1 : of.tile.rows;',
  ],
  [
    'a NaN that is below all scores',
    'scan_documents.cu',
    'bounds.upper == bounds.upper ? bounds.upper : INFINITY',
    'bounds.upper',
  ],
  [
    'half a warp raises the highest',
    'scan_documents.cu',
    'for (int bits = 16; bits > 0; bits /= 2)',
    'for (int bits = 8; bits > 0; bits /= 2)',
  ],
  [
    'documents without rows listed',
    'scan_documents.cu',
    ' && of.starts[document] < of.starts[document + 1]',
    '',
  ],
  [
    'the offset left out of a sum',
    'scan_documents.cu',
    'upper += (highest.upper + own.above) * own.unit;',
    'upper += highest.upper * own.unit;',
  ],
  [
    'an upper bound rounded down',
    'scan_documents.cu',
    'found.upper = float_above(',
    'found.upper = float_below(',
  ],
  [
    'the last row of a query left out',
    'scan_documents.cu',
    'i < asked.first_lane + asked.lanes;',
    'i < asked.first_lane + asked.lanes - (asked.lanes > 1);',
  ],
  // Columns.
  [
    'a plain addition for an atomic one, by columns',
    'scan_columns.cu',
    'const int place = atomicAdd(&state.count, 1);',
    'const int place = state.count;\n    state.count = place + 1;',
    race,
  ],
  ['no end of the list of a column', 'scan_columns.cu', 'if (place < of.capacity)', '', bounds],
  [
    'barred queries listed',
    'scan_columns.cu',
    'of.barred[barred] == query.row) continue;',
    'of.barred[barred] == query.row + 1) continue;',
  ],
  ['bounds in the units of each query', 'scan_columns.cu', 'query.unit / of.unit', 'query.unit'],
  [
    'a NaN dropped by a column',
    'scan_columns.cu',
    'if (upper < threshold) continue;',
    'if (!(upper >= threshold)) continue;',
  ],
  [
    'lists counted from the first row of the tile',
    'scan_columns.cu',
    'const int list = of.tile.first_row + row - of.first_listed;',
    'const int list = row + 1;',
  ],
  [
    'queries of the slice before',
    'scan_columns.cu',
    'static_cast<int>(blockIdx.y) * lanes_of_thread;',
    'static_cast<int>(blockIdx.y) * (lanes_of_thread - 1);',
  ],
].map(([name, file, find, replace, kinds]) => ({ name, file, find, replace, kinds }))
