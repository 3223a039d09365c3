// Mistakes in the kernels over the entries of X, as those of cuda-mutants.mjs: at least three of each kernel.
const race = ['plain', 'thread']
const bounds = ['plain', 'address']
const sparse = 'sparse_products.cu'
const terms = 'entry_terms.cu'
const rows = 'entry_rows.cu'
const centers = 'centers.cu'

const asMutants = (list) =>
  list.map(([name, file, find, replace, kinds]) => ({ name, file, find, replace, kinds }))

/** Noticed by cuda_entry_kernels_suite. */
export const entryMutants = asMutants([
  // sparse_product, wide_sparse_product.
  [
    'entries of the whole X',
    sparse,
    'return X.starts[i] - X.first_entry; }',
    'return X.starts[i]; }',
    bounds,
  ],
  [
    'a row without its last entry',
    sparse,
    'return X.starts[i + 1] - X.starts[i]; }',
    'return X.starts[i + 1] - X.starts[i] - 1; }',
  ],
  [
    'the stride of B forgotten',
    sparse,
    'r.B.data[r.X.columns[e] * r.B.stride + j]',
    'r.B.data[r.X.columns[e] * r.k + j]',
  ],
  [
    'a product of 32 components',
    sparse,
    'for (Wide j = lane; j < r.k; j += 32) {\n      float sum = 0;',
    'for (Wide j = lane; j < r.k && j < 32; j += 32) {\n      float sum = 0;',
  ],
  [
    'a wide product in float32',
    sparse,
    'sum += r.values[e] * r.B[r.X.columns[e] * r.k + j];',
    'sum += r.values[e] * static_cast<float>(r.B[r.X.columns[e] * r.k + j]);',
  ],
  [
    'a wide sum in float32',
    sparse,
    'double sum = 0;\n      for (Wide e = begin;',
    'float sum = 0;\n      for (Wide e = begin;',
  ],
  [
    'a wide product beside its row',
    sparse,
    'r.to[i * r.k + j] = sum;',
    'r.to[i * r.k + j + (r.k > 32)] = sum;',
    bounds,
  ],
  // sparse_columns.
  [
    'no barrier before the sums of warps are added',
    sparse,
    'sums.of[warp][lane] = sum;\n    __syncthreads();',
    'sums.of[warp][lane] = sum;',
    race,
  ],
  [
    'no barrier before the next column',
    sparse,
    '      r.to[t * r.k + j] = total;\n    }\n    __syncthreads();',
    '      r.to[t * r.k + j] = total;\n    }',
    race,
  ],
  [
    'rows of other blocks',
    sparse,
    'first_place(X.row_of, begin, starts[1], X.first_row + X.rows)',
    'starts[1]',
    bounds,
  ],
  [
    'the first row left out',
    sparse,
    'first_place(X.row_of, starts[0], starts[1], X.first_row)',
    'first_place(X.row_of, starts[0], starts[1], X.first_row + 1)',
  ],
  [
    'sums that depend on chunks',
    sparse,
    '(warp - before % column_warps + column_warps) % column_warps',
    'warp',
  ],
  ['a chunk left out', sparse, 'c < X.chunks; ++c', 'c + 1 < X.chunks; ++c'],
  [
    'positions taken for places',
    sparse,
    'r.values[X.position_of[place] - X.first_entry]',
    'r.values[place - starts[0]]',
    bounds,
  ],
  // sparse_model, sparse_perturb, densify.
  [
    'a model without its sum over lanes',
    sparse,
    '      sum = warp_sum(sum);\n      if (lane == 0) r.to[e]',
    '      if (lane == 0) r.to[e]',
  ],
  [
    'a model of the first 32 components',
    sparse,
    'for (Wide j = lane; j < r.k; j += 32) sum += w[j] * h[j];',
    'if (lane < r.k) sum += w[lane] * h[lane];',
  ],
  [
    'the stride of W forgotten',
    sparse,
    'r.W.data + i * r.W.stride;\n    for (Wide e',
    'r.W.data + i * r.k;\n    for (Wide e',
  ],
  [
    'noise of the row in the block',
    sparse,
    'static_cast<std::uint64_t>(r.first_row + i)',
    'static_cast<std::uint64_t>(i)',
  ],
  [
    'noise by place',
    sparse,
    'static_cast<std::uint32_t>(r.X.columns[e])',
    'static_cast<std::uint32_t>(e)',
  ],
  ['noise of one sign', sparse, '(2 * u - 1)', 'u'],
  [
    'zeros that are not written',
    sparse,
    'for (Wide t = lane; t < r.X.cols; t += 32) row[t] = 0;',
    '',
  ],
  ['no barrier after the zeros', sparse, 'row[t] = 0;\n    __syncwarp();', 'row[t] = 0;', race],
  [
    'rows from the first of the block',
    sparse,
    'begin_of(r.X, r.begin + i), end = begin + count_of(r.X, r.begin + i)',
    'begin_of(r.X, i), end = begin + count_of(r.X, i)',
  ],
  // measure_entries.
  [
    'a logarithm of the wrong quotient',
    terms,
    'x * log(x / v) : 0.0) - x + v',
    'x * log(v / x) : 0.0) - x + v',
  ],
  [
    'entries that do not count',
    terms,
    '      if (!read(rows, i, q, entry)) continue;\n',
    '      read(rows, i, q, entry);\n',
  ],
  [
    'held out entries of the wrong part',
    terms,
    '== (rows.only_held_out != 0)',
    '!= (rows.only_held_out != 0)',
  ],
  [
    'the row of a held out entry',
    terms,
    'static_cast<std::uint64_t>(rows.first_row + i)',
    'static_cast<std::uint64_t>(i)',
  ],
  ['a bitmap by place', terms, 'rows.seen[i * rows.cols + column]', 'rows.seen[i * rows.cols]'],
  ['entries that are not stored forgotten', terms, 'sum += w[a] * r.column_sums[a];', ''],
  ['stored entries counted twice', terms, 'sum -= entry.v * entry.v;', 'sum -= 0;'],
  [
    'a model that is not raised',
    terms,
    'loss_of(rows, entry.x, raised(entry.v, rows.least))',
    'loss_of(rows, entry.x, entry.v)',
  ],
  [
    'a Huber loss without its kink',
    terms,
    'return r > p ? p * (r - 0.5 * p) : 0.5 * r * r;',
    'return 0.5 * r * r;',
  ],
  // entry_terms.
  ['a scale that is left out', terms, 'static_cast<float>(rows.scale * x)', 'x'],
  [
    'terms of excluded entries',
    terms,
    'if (read(rows, i, q, entry)) terms = formed(entry);',
    'read(rows, i, q, entry), terms = formed(entry);',
  ],
  [
    'a stride of terms',
    terms,
    'dense ? i * r.above_stride + q : entry.at',
    'dense ? i * rows.cols + q : entry.at',
  ],
  [
    'denominators without shares',
    terms,
    'static_cast<float>(share * terms.below)',
    'static_cast<float>(terms.below)',
  ],
  [
    'a power too low',
    terms,
    'rows.beta == 0 ? 1 / v : pow(v, rows.beta - 1)',
    'rows.beta == 0 ? 1 / v : pow(v, rows.beta - 2)',
  ],
])

/** Noticed by cuda_row_kernels_suite. */
export const rowMutants = asMutants([
  // sum_row_measures, row_shares.
  ['sums that replace', rows, 'r.partial[part] += sum;', 'r.partial[part] = sum;'],
  [
    'a part without its last row',
    rows,
    'end = r.rows * (part + 1) / sum_blocks;',
    'end = r.rows * (part + 1) / sum_blocks - 1;',
  ],
  [
    'rows that are not weighed',
    rows,
    'sum += (r.weights == nullptr ? 1.0 : double{r.weights[i]}) * measured;',
    'sum += measured;',
  ],
  [
    'lengths that are not smooth',
    rows,
    't < parameter ? (square / parameter + parameter) / 2 : t;',
    't;',
  ],
  [
    'a row of weight 0 without codes',
    rows,
    '    if (r.of_codes != 0 && share == 0) share = 1;\n',
    '',
  ],
  [
    'a weight by the square',
    rows,
    '1 / (t < parameter ? parameter : t)',
    '1 / (square < parameter ? parameter : square)',
  ],
  [
    'a share without its weight',
    rows,
    'double share = r.weights == nullptr ? 1.0 : double{r.weights[i]};',
    'double share = 1;',
  ],
  // ratio_update.
  [
    'an addend of the wrong row',
    rows,
    'r.diagonal.data[i * r.diagonal.stride] * f',
    'r.diagonal.data[i] * f',
    bounds,
  ],
  ['a penalty left out', rows, 'b += r.half_l1 + r.l2 * f;', 'b += r.half_l1;'],
  [
    'column sums without shares',
    rows,
    '(r.shares == nullptr ? 1.0 : r.shares[i]) * r.column_sums[j]',
    'r.column_sums[j]',
  ],
  [
    'an exponent that is ignored',
    rows,
    'r.exponent == 1 ? ratio : pow(ratio, r.exponent)',
    'ratio',
  ],
  // pairs, own_sweep.
  [
    'pairs beside their place',
    rows,
    'return a * k - a * (a - 1) / 2 + (b - a); }',
    'return a * k - a * (a + 1) / 2 + (b - a); }',
    bounds,
  ],
  ['pairs that count once', rows, '(a == b ? 1.0 : r.beside)', '1.0'],
  [
    'pairs of a row alone',
    rows,
    'for (Wide b = a; b < r.k; ++b)',
    'for (Wide b = a; b < a + 1; ++b)',
  ],
  ['a sweep without its pull', rows, 'a == b ? value + r.pull * value : value', 'value'],
  [
    'no barrier between components',
    rows,
    'if (lane == 0) factor[j] = value;\n      __syncwarp();',
    'if (lane == 0) factor[j] = value;',
    race,
  ],
  [
    'no barrier before a component moves',
    rows,
    'value - factor[j];\n      __syncwarp();',
    'value - factor[j];',
    race,
  ],
  [
    'an upper bound left out of own sweeps',
    rows,
    'r.upper < raised ? static_cast<float>(r.upper) : raised;',
    'raised;',
  ],
  [
    'rows of a warp that share a slope',
    rows,
    'reinterpret_cast<float*>(memory) + warp * 2 * r.k;',
    'reinterpret_cast<float*>(memory) + warp * r.k;',
    race,
  ],
  // row_squares.
  [
    'squares of the rows of a block from its start',
    rows,
    'sparse              ? r.starts[i] - r.first_entry',
    'sparse              ? r.starts[i]',
    bounds,
  ],
  ['squares that are not scaled', rows, 'const double x = r.scale * (', 'const double x = ('],
  ['squares without their stride', rows, ': i * r.stride;', ': i * r.cols;'],
  // centre_rows, nearest_centers.
  [
    'a centre that is scaled too',
    centers,
    'static_cast<float>(r.scale * x[t] - r.origin[t])',
    'static_cast<float>(r.scale * (x[t] - r.origin[t]))',
  ],
  ['a norm without squares', centers, 'sum += double{centred} * centred;', 'sum += centred;'],
  [
    'a norm of one lane',
    centers,
    '    sum = warp_sum(sum);\n    if (lane == 0) r.norms[i] = sum;',
    '    if (lane == 0) r.norms[i] = sum;',
  ],
  [
    'an error bound that is left out',
    centers,
    'difference(i, j, length, error) - error <= most',
    'difference(i, j, length, error) <= most',
  ],
  [
    'an upper bound that is too low',
    centers,
    'difference(i, j, length, error) + error;',
    'difference(i, j, length, error) - error;',
  ],
  [
    'ties that go to the higher centre',
    centers,
    'if (!(distance < least)) continue;',
    'if (!(distance <= least)) continue;',
  ],
  [
    'centres beyond the first 32',
    centers,
    'first < r.k; first += 32',
    'first < 32; first += 32',
    bounds,
  ],
  ['a distance of one lane', centers, '  return warp_sum(sum);\n}', '  return sum;\n}'],
  // cluster_sums, point_distances.
  [
    'sums of clusters that replace',
    centers,
    'double sum = r.sums[j * r.cols + t];',
    'double sum = 0;',
  ],
  [
    'a cluster without its last row',
    centers,
    'place < r.starts[j + 1]; ++place',
    'place + 1 < r.starts[j + 1]; ++place',
  ],
  [
    'weights by place',
    centers,
    ': r.weights[i];\n      sum +=',
    ': r.weights[place];\n      sum +=',
    bounds,
  ],
  ['columns beyond the last one', centers, '  if (t >= r.cols) return;\n', '', bounds],
  ['distances to the first point', centers, 'r.points + p * r.cols', 'r.points'],
  ['distances without weights', centers, 'weight * distance;', 'distance;'],
  ['distances beside their row', centers, 'r.to[i * r.count + p]', 'r.to[i * r.cols + p]', bounds],
])
