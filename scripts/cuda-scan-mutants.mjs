// Mistakes in the kernels of scans, as in cuda-mutants.mjs.
const race = ['plain', 'thread']
const bounds = ['plain', 'address']

export const mutants = [
  // Canonical scores.
  [
    'a canonical sum in another order',
    'canonical.cuh',
    'for (int bits = 1; bits < canonical_lanes; bits *= 2)',
    'for (int bits = canonical_lanes / 2; bits > 0; bits /= 2)',
  ],
  [
    'a canonical distance with another rounding',
    'canonical.cuh',
    '__dmul_rn(gap, gap)',
    '(__dmul_rn(gap, gap) * (1 + 0x1p-52))',
  ],
  ['a cosine above 1', 'scan_rows.cu', 'cosine > 1 ? 1.0 : cosine', 'cosine'],
  [
    'a negative zero',
    'scan_rows.cu',
    'return __dadd_rn(sum, 0.0);',
    'return -__dsub_rn(0.0, sum);',
  ],
  ['a zero row divides by zero', 'scan_rows.cu', 'if (lengths == 0) return 0.0;', ''],
  [
    'an offset of 32 bits',
    'scan_rows.cu',
    'of.rows + row * of.row_stride',
    'of.rows + row * static_cast<int>(of.row_stride)',
  ],
  [
    'norms of rows beyond the end',
    'scan_rows.cu',
    'row < of.rows ? canonical_dot(at, at, of.cols, lane) : 0.0',
    'canonical_dot(at, at, of.cols, lane)',
    bounds,
  ],
  [
    'a shuffle in a part of a warp',
    'scan_rows.cu',
    'sum = canonical_tree(sum);',
    'if (!real) return;\n  sum = canonical_tree(sum);',
  ],
  // Stored rows.
  ['the residual of a row left out', 'scan_rows.cu', 'float_above(residual),\n', '0.0f,\n'],
  [
    'the scale of a row inverted',
    'scan_rows.cu',
    'static_cast<float>(power_of_two(-exponent))',
    'static_cast<float>(power_of_two(exponent))',
  ],
  ['columns beyond the last not filled', 'scan_rows.cu', 't < of.half_stride', 't < of.cols'],
  // Selection.
  [
    'a NaN dropped',
    'scan_select.cu',
    'if (bounds.upper <= question.maybe[level]) continue;',
    'if (!(bounds.upper > question.maybe[level])) continue;',
  ],
  [
    'the bound left out of an upper bound',
    'score_bounds.cuh',
    '(score + row.up) + error',
    '(score + row.up)',
  ],
  [
    'the bound left out of a lower bound',
    'score_bounds.cuh',
    '(score + row.down) - error',
    '(score + row.down)',
  ],
  [
    'a plain addition for an atomic one',
    'list_rows.cuh',
    'first = atomicAdd(&lists.states[asked].count, __popc(wanted));',
    'first = lists.states[asked].count, lists.states[asked].count = first + __popc(wanted);',
    race,
  ],
  ['no end of a list', 'list_rows.cuh', ' && place < lists.capacity)', ')', bounds],
  [
    'lanes write to the place of the next one',
    'list_rows.cuh',
    'first + __popc(wanted & ((1u << lane) - 1))',
    'first + __popc(wanted & ((2u << lane) - 1))',
  ],
  [
    'the first barred row of a stretch skipped',
    'scan_select.cu',
    'if (rows_[middle] < first)',
    'if (rows_[middle] <= first)',
  ],
  ['group -1 forbidden', 'scan_select.cu', 'return group != -1 && ', 'return '],
  [
    'rows with a class counted twice',
    'scan_select.cu',
    'return !shared || level >= scan_classed_levels;',
    'return true;',
  ],
  [
    'rows beyond the end of a tile',
    'scan_select.cu',
    'const bool open = row < end && ',
    'const bool open = ',
    bounds,
  ],
  [
    'the scale of a row forgotten',
    'score_bounds.cuh',
    'stored * query.scale * row.scale',
    'stored * query.scale',
  ],
  [
    'rows that may be rejected dropped',
    'scan_select.cu',
    'if (certain || shared || not_above_floor || (straddling & 1u) != 0)',
    'if (certain)',
  ],
  [
    'rows that may be above the ceiling admitted',
    'scan_select.cu',
    '((above | straddling) & 1u) == 0',
    '(above & 1u) == 0',
  ],
  // Lists.
  [
    'lanes write before others have read',
    'scan_lists.cu',
    '    __syncwarp();  // all lanes have read before one writes\n',
    '',
    race,
  ],
  ['a threshold without its spread', 'scan_lists.cu', '(low))} - spread)', '(low))})'],
  [
    'a threshold one row too high',
    'scan_lists.cu',
    'if (count >= depth)\n',
    'if (count + 1 >= depth)\n',
  ],
  [
    'rows dropped that are always needed',
    'scan_lists.cu',
    'if ((row.flags & found_kept) != 0) return true;',
    '',
  ],
  [
    'a full list read to its count',
    'scan_lists.cu',
    'if (state.count > of.capacity) {',
    'if (state.count > 100 * of.capacity) {',
    bounds,
  ],
  [
    'pairs of the first lane',
    'scan_lists.cu',
    'of.pairs[2 * (begin + i)] = of.asked[at].lane;',
    'of.pairs[2 * (begin + i)] = of.asked[0].lane;',
  ],
].map(([name, file, find, replace, kinds]) => ({ name, file, find, replace, kinds }))
