// Bugs in the kernels and the streams of scans.
const device = (file) => `native/backend/cuda/device/${file}`
const rows = device('scan_rows.cu')
const select = device('scan_select.cu')
const lists = device('scan_lists.cu')
const feed = 'native/backend/cuda/row_feed.cc'
const batch = 'native/backend/cuda/batch_scan.cc'

const kernels = ['cuda_scan_kernels_suite', 'cuda_scans_suite']
const whole = ['cuda_scans_suite', 'cuda_scan_hazards_suite']

const inKernels = [
  {
    name: 'a canonical sum in another order',
    file: device('canonical.cuh'),
    find: 'for (int bits = 1; bits < canonical_lanes; bits *= 2)',
    replace: 'for (int bits = canonical_lanes / 2; bits > 0; bits /= 2)',
  },
  {
    name: 'a canonical distance with another rounding',
    file: device('canonical.cuh'),
    find: '__dmul_rn(gap, gap)',
    replace: '(__dmul_rn(gap, gap) * (1 + 0x1p-52))',
  },
  {
    name: 'a cosine above 1',
    file: rows,
    find: 'cosine > 1 ? 1.0 : cosine',
    replace: 'cosine',
  },
  {
    name: 'a negative zero',
    file: rows,
    find: 'return __dadd_rn(sum, 0.0);',
    replace: 'return -__dsub_rn(0.0, sum);',
  },
  {
    name: 'a zero row divides by zero',
    file: rows,
    find: 'if (lengths == 0) return 0.0;',
    replace: '',
  },
  {
    name: 'an offset of 32 bits',
    file: rows,
    find: 'of.rows + row * of.row_stride',
    replace: 'of.rows + row * static_cast<int>(of.row_stride)',
  },
  {
    name: 'norms of rows beyond the end',
    file: rows,
    find: 'row < of.rows ? canonical_dot(at, at, of.cols, lane) : 0.0',
    replace: 'canonical_dot(at, at, of.cols, lane)',
  },
  {
    name: 'a shuffle in a part of a warp',
    file: rows,
    find: 'sum = canonical_tree(sum);',
    replace: 'if (!real) return;\n  sum = canonical_tree(sum);',
  },
  {
    name: 'the residual of a row left out',
    file: rows,
    find: 'float_above(residual),\n',
    replace: '0.0f,\n',
  },
  {
    name: 'the scale of a row inverted',
    file: rows,
    find: 'static_cast<float>(power_of_two(-exponent))',
    replace: 'static_cast<float>(power_of_two(exponent))',
  },
  {
    name: 'columns beyond the last not filled',
    file: rows,
    find: 't < of.half_stride',
    replace: 't < of.cols',
  },
  {
    name: 'a NaN dropped',
    file: select,
    find: 'if (bounds.upper <= question.maybe[level]) continue;',
    replace: 'if (!(bounds.upper > question.maybe[level])) continue;',
  },
  {
    name: 'the bound left out of an upper bound',
    file: select,
    find: '(score + bound.up) + error',
    replace: '(score + bound.up)',
  },
  {
    name: 'the bound left out of a lower bound',
    file: select,
    find: '(score + bound.down) - error',
    replace: '(score + bound.down)',
  },
  {
    name: 'a plain addition for an atomic one',
    file: select,
    find: 'first = atomicAdd(&of.states[asked].count, __popc(wanted));',
    replace: 'first = of.states[asked].count, of.states[asked].count = first + __popc(wanted);',
  },
  {
    name: 'no end of a list',
    file: select,
    find: ' && place < of.capacity)',
    replace: ')',
  },
  {
    name: 'lanes write to the place of the next one',
    file: select,
    find: 'first + __popc(wanted & ((1u << lane) - 1))',
    replace: 'first + __popc(wanted & ((2u << lane) - 1))',
  },
  {
    name: 'the first barred row of a stretch skipped',
    file: select,
    find: 'if (rows_[middle] < first)',
    replace: 'if (rows_[middle] <= first)',
  },
  {
    name: 'group −1 forbidden',
    file: select,
    find: 'return group != -1 && ',
    replace: 'return ',
  },
  {
    name: 'rows with a class counted twice',
    file: select,
    find: 'return !shared || level >= scan_classed_levels;',
    replace: 'return true;'
  },
  {
    name: 'rows beyond the end of a tile',
    file: select,
    find: 'const bool open = row < end && ',
    replace: 'const bool open = ',
  },
  {
    name: 'the scale of a row forgotten',
    file: select,
    find: 'stored * asked.scale * bound.scale',
    replace: 'stored * asked.scale',
  },
  {
    name: 'rows that may be rejected dropped',
    file: select,
    find: 'if (certain || shared || not_above_floor || (straddling & 1u) != 0)',
    replace: 'if (certain)',
  },
  {
    name: 'rows that may be above the ceiling admitted',
    file: select,
    find: '((above | straddling) & 1u) == 0',
    replace: '(above & 1u) == 0',
  },
  {
    name: 'lanes write before others have read',
    file: lists,
    find: '    __syncwarp();  // all lanes have read before one writes\n',
    replace: '',
  },
  {
    name: 'a threshold without its spread',
    file: lists,
    find: '(low))} - spread)',
    replace: '(low))})',
  },
  {
    name: 'a threshold one row too high',
    file: lists,
    find: 'if (count >= depth)\n',
    replace: 'if (count + 1 >= depth)\n',
  },
  {
    name: 'rows dropped that are always needed',
    file: lists,
    find: 'if ((row.flags & found_kept) != 0) return true;',
    replace: '',
  },
  {
    name: 'a full list read to its count',
    file: lists,
    find: 'if (state.count > of.capacity) {',
    replace: 'if (state.count > 100 * of.capacity) {',
  },
  {
    name: 'lane and row of a pair exchanged',
    file: lists,
    find: 'of.pairs[2 * (begin + i)] = of.asked[at].lane;',
    replace: 'of.pairs[2 * (begin + i)] = 0;',
  },
]

const inStreams = [
  {
    name: 'no wait for a copy',
    file: feed,
    find: '  now.arrived.wait(device_->compute());\n',
    replace: '',
  },
  {
    name: 'a buffer overwritten while it is used',
    file: feed,
    find: '    now.used.wait(device_->copies());\n',
    replace: '',
  },
  {
    name: 'pinned memory overwritten before it was copied',
    file: feed,
    find: '  now.arrived.wait_on_host();\n',
    replace: '',
  },
  {
    name: 'an event recorded before the work',
    file: feed,
    find: 'now.arrived.record(device_->copies());',
    replace: 'now.arrived.record(device_->compute());',
  },
  {
    name: 'the rows of another piece',
    file: batch,
    find: 'rows_.shared.data() + first / stretch',
    replace: 'rows_.shared.data()',
  },
  {
    name: 'groups of another piece',
    file: batch,
    find: 'rows_.groups.data() + first ',
    replace: 'rows_.groups.data() ',
  },
  {
    name: 'counts of the device forgotten',
    file: batch,
    find: '  collector.take_counts(above);\n',
    replace: '',
  },
]

export const scanMutants = [
  ...inKernels.map((mutant) => ({ ...mutant, suites: kernels })),
  ...inStreams.map((mutant) => ({ ...mutant, suites: whole })),
]
