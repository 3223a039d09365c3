// Mistakes that scripts/cuda-kernels.mjs plants in a copy of native/backend/cuda/device, one at a time.
// `kinds`: the programs that are tried in this order until one notices; the plain one unless given.
const race = ['plain', 'thread']
const bounds = ['plain', 'address']

export const mutants = [
  // Sums.
  ['no barrier in a reduction', 'sums.cu', '= value;\n  __syncthreads();', '= value;', race],
  [
    'a barrier in a branch',
    'sums.cu',
    '= value;\n  __syncthreads();',
    '= value;\n  if (thread < 32) __syncthreads();',
  ],
  [
    'a reduction without its last warp',
    'sums.cu',
    'for (const double each : partial.of_warp) total += each;',
    'for (int i = 0; i < threads / 32 - 1; ++i) total += partial.of_warp[i];',
  ],
  [
    'a shuffle of half a warp',
    'sums.cu',
    'for (int bits = 16; bits > 0;',
    'for (int bits = 8; bits > 0;',
  ],
  [
    'a sum that starts at the second entry',
    'sums.cu',
    'double sum = 0;\n  for (Wide at = Wide{blockIdx.x} * blockDim.x + threadIdx.x; at < all; at += step)\n    sum += term_of',
    'double sum = 0;\n  for (Wide at = Wide{blockIdx.x} * blockDim.x + threadIdx.x + 1; at < all; at += step)\n    sum += term_of',
  ],
  [
    'sums in float32',
    'sums.cu',
    '      return weight * (a * b);',
    '      return static_cast<float>(weight * (a * b));',
  ],
  [
    'the stride of weights forgotten',
    'sums.cu',
    's.weights.data[i * s.weights.stride]',
    's.weights.data[i]',
  ],
  [
    'weights left out of squares',
    'sums.cu',
    '      return weight * (a * a);',
    '      return a * a;',
  ],
  [
    'an exact residual that is rounded',
    'sums.cu',
    'rest -= double{r.W.data[i * r.W.stride + j]} * r.Ht',
    'rest -= r.W.data[i * r.W.stride + j] * r.Ht',
  ],
  [
    'rows of a chunk counted twice',
    'sums.cu',
    'end = c.rows * (chunk + 1) / column_chunks;',
    'end = c.rows * (chunk + 1) / column_chunks + 1;',
    bounds,
  ],
  ['columns beyond the last', 'sums.cu', '  if (j >= c.cols) return;\n', '', bounds],
  [
    'zeros counted as negative',
    'sums.cu',
    'counts[1] += x != 0 && !positive ? 1 : 0;',
    'counts[1] += positive ? 1 : 0;',
  ],
  // Entries.
  [
    'an entry beyond the end',
    'over_entries.cuh',
    'at < all; at += step)\n    body',
    'at <= all; at += step)\n    body',
    bounds,
  ],
  [
    'a stride of the grid too long',
    'over_entries.cuh',
    'const Wide step = Wide{gridDim.x} * blockDim.x;',
    'const Wide step = Wide{gridDim.x} * blockDim.x * 2;',
    ['plain'],
  ],
  [
    'stride for columns',
    'elements.cu',
    'return of.data[i * of.stride + j]; }\n__device__ float& ',
    'return of.data[i * (of.stride - 1) + j]; }\n__device__ float& ',
  ],
  ['the pull left out', 'elements.cu', 'r.S[at] + r.pull[j] * entry(r.Ht, i, j)', 'r.S[at]'],
  [
    'weights of another row',
    'elements.cu',
    'r.to[i * r.cols + j] = r.weights[i] *',
    'r.to[i * r.cols + j] = r.weights[j] *',
  ],
  [
    'the diagonal of an addend unweighted',
    'elements.cu',
    'static_cast<float>(r.weight * entry(r.diagonal, i, 0))',
    'entry(r.diagonal, i, 0)',
  ],
  // Shapes.
  [
    'the first entry used after it changed',
    'factor_shapes.cu',
    'r.by[j] * first)',
    'r.by[j] * row[0])',
  ],
  [
    'the last entry lifted with the others',
    'factor_shapes.cu',
    'for (Wide j = 1; j < last; ++j) least',
    'for (Wide j = 1; j <= last; ++j) least',
  ],
  ['a previous value that is not kept', 'factor_shapes.cu', '    before = now;\n', ''],
  ['growth that shrinks', 'factor_shapes.cu', '(change > 0 ? change : 0.0f)', 'change'],
  ['random rows of 32 bits', 'random.cuh', 'x3 = static_cast<std::uint32_t>(row >> 32)', 'x3 = 0u'],
  ['nine rounds of the generator', 'random.cuh', 'round < 10', 'round < 9'],
  [
    'rows gathered by the wrong stride',
    'factor_shapes.cu',
    'r.rows_of[i] * r.from.stride',
    'r.rows_of[i] * r.cols',
    bounds,
  ],
  // Steps of rows.
  [
    'no barrier after the tile is loaded',
    'row_steps.cu',
    'normal[at] = step.positive[at];\n  __syncthreads();',
    'normal[at] = step.positive[at];',
    race,
  ],
  [
    'no barrier before the tile is stored',
    'row_steps.cu',
    '  if (swaps) result = next;\n  __syncthreads();',
    '  if (swaps) result = next;',
    race,
  ],
  [
    'rows beyond the last are stepped',
    'row_steps.cu',
    '  if (thread < here) improved(',
    '  improved(',
    bounds,
  ],
  [
    'a tile of too short columns',
    'row_steps.cu',
    'const int pitch = count + 1;',
    'const int pitch = count - 1;',
    bounds,
  ],
  ['the tile of the step before is stored', 'row_steps.cu', '  if (swaps) result = next;\n', ''],
  [
    'a sweep without relaxation of the old value',
    'row_steps.cu',
    'target + (1 - step.relaxation) * rows.at(F, j)',
    'target',
  ],
  [
    'an upper bound that is ignored',
    'row_steps.cu',
    '  return upper < above ? upper : above;',
    '  return upper < 0 ? upper : above;',
  ],
  ['a threshold on one side', 'row_steps.cu', 'down = -sum - step.half_l1;', 'down = -sum;'],
  [
    'components of the row before',
    'row_steps.cu',
    'const Wide first = Wide{blockIdx.x} * count;',
    'const Wide first = Wide{blockIdx.x} * (count - 1);',
  ],
].map(([name, file, find, replace, kinds]) => ({ name, file, find, replace, kinds }))
