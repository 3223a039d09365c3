#include "backend/cuda/device/epilogue_kernels.h"
#include "backend/cuda/device/score_bounds.cuh"

// A tile from its other side: which queries may be among the best of a row. Canonical scores have
// the same bits from both sides.
namespace gemmine::cuda::device {
namespace {

constexpr int threads = 256;
constexpr int lanes_of_thread = 64;

// A thread looks at 64 queries for one row; neighbours have neighbouring rows.
__global__ void __launch_bounds__(threads) select_each_column(SelectColumns of) {
  const int row = static_cast<int>(blockIdx.x * threads + threadIdx.x);
  if (row >= of.tile.rows) return;
  const int begin = static_cast<int>(blockIdx.y) * lanes_of_thread;
  const int end = begin + lanes_of_thread < of.tile.lanes ? begin + lanes_of_thread : of.tile.lanes;
  const int list = of.tile.first_row + row - of.first_listed;
  const RowBound bound = of.tile.bounds[row];
  ScanState& state = of.states[list];
  const float threshold = state.admissible;
  const int end_barred = of.asked[list].end_barred;
  int barred = of.asked[list].first_barred;
  for (int i = begin; i < end; ++i) {
    const TileLane& query = of.tile.lane[i];
    while (barred < end_barred && of.barred[barred] < query.row) ++barred;
    if (barred < end_barred && of.barred[barred] == query.row) continue;
    const Bounds bounds = bounds_of(query, bound, of.tile.scores[i * of.tile.stride + row]);
    const double scale = query.unit / of.unit;
    const float upper = float_above((bounds.upper + query.above) * scale);
    if (upper < threshold) continue;  // a NaN may be anything
    const float lower = float_below((bounds.lower + query.below) * scale);
    const int place = atomicAdd(&state.count, 1);
    if (place < of.capacity)
      of.lists[Wide{list} * of.capacity + place] = {upper, lower, query.row,
                                                    found_admissible | found_admissible_counts};
  }
}

}  // namespace

Code select_columns(Queue* queue, const SelectColumns* request) {
  const ScoreTile& tile = request->tile;
  const dim3 grid(blocks_for(tile.rows, threads), blocks_for(tile.lanes, lanes_of_thread));
  return launch(queue, grid, threads, 0, "select_columns", select_each_column, *request);
}

}  // namespace gemmine::cuda::device
