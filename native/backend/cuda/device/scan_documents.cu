#include "backend/cuda/device/epilogue_kernels.h"
#include "backend/cuda/device/list_rows.cuh"
#include "backend/cuda/device/score_bounds.cuh"

// Late interaction (docs/math/max-sim.md): bounds of documents, from those of their rows.
namespace gemmine::cuda::device {
namespace {

constexpr int threads = 256;
constexpr int warps = threads / 32;

__device__ float higher(float a, float b) { return b > a ? b : a; }

// A warp for each query row and document.
__global__ void __launch_bounds__(threads) raise_each(RaiseHighest of) {
  const int at = static_cast<int>(blockIdx.x * warps + threadIdx.x / 32);
  const int lane = static_cast<int>(threadIdx.x % 32);
  const int query = static_cast<int>(blockIdx.y);
  if (at >= of.documents) return;  // the whole warp
  const int begin = of.starts[of.first_document + at] - of.tile.first_row;
  const int end = of.starts[of.first_document + at + 1] - of.tile.first_row;
  const int last = end < of.tile.rows ? end : of.tile.rows;
  const TileLane asked = of.tile.lane[query];
  Highest highest{-INFINITY, -INFINITY};
  for (int row = (begin > 0 ? begin : 0) + lane; row < last; row += 32) {
    const Bounds bounds =
        bounds_of(asked, of.tile.bounds[row], of.tile.scores[query * of.tile.stride + row]);
    // A NaN may be anything.
    highest.upper = higher(highest.upper, bounds.upper == bounds.upper ? bounds.upper : INFINITY);
    highest.lower = higher(highest.lower, bounds.lower);
  }
  for (int bits = 16; bits > 0; bits /= 2) {
    highest.upper = higher(highest.upper, __shfl_xor_sync(whole_warp, highest.upper, bits));
    highest.lower = higher(highest.lower, __shfl_xor_sync(whole_warp, highest.lower, bits));
  }
  if (lane != 0) return;
  Highest& to = of.highest[Wide{query} * of.documents + at];
  if (begin < 0) highest = {higher(to.upper, highest.upper), higher(to.lower, highest.lower)};
  to = highest;
}

// A lane of a warp for each document of a query. Sums in the order of the query's rows: rounding is
// monotone, so sums of bounds are bounds of the canonical sum.
__global__ void __launch_bounds__(threads) list_each(ListDocuments of) {
  const int first = static_cast<int>(blockIdx.x * warps + threadIdx.x / 32) * 32;
  const int lane = static_cast<int>(threadIdx.x % 32);
  const int query = static_cast<int>(blockIdx.y);
  if (first >= of.documents) return;  // the whole warp
  const int at = first + lane;
  const AskedDocuments asked = of.asked[query];
  const float threshold = of.states[query].admissible;
  const std::int32_t document = of.first_document + at;
  Found found{0, 0, document, 0};
  if (at < of.documents && of.starts[document] < of.starts[document + 1]) {
    double upper = 0, lower = 0;
    for (int i = asked.first_lane; i < asked.first_lane + asked.lanes; ++i) {
      const Highest highest = of.highest[Wide{i} * of.documents + at];
      const TileLane& own = of.lane[i];
      upper += (highest.upper + own.above) * own.unit;
      lower += (highest.lower + own.below) * own.unit;
    }
    found.upper = float_above(upper / asked.unit);
    found.lower = float_below(lower / asked.unit);
    if (!(found.upper < threshold)) found.flags = found_admissible | found_admissible_counts;
  }
  append({of.states, of.lists, of.capacity}, query, found, lane);
}

}  // namespace

Code raise_highest(Queue* queue, const RaiseHighest* request) {
  const dim3 grid(blocks_for(request->documents, warps),
                  static_cast<unsigned>(request->tile.lanes));
  return launch(queue, grid, threads, 0, "raise_highest", raise_each, *request);
}

Code list_documents(Queue* queue, const ListDocuments* request) {
  const dim3 grid(blocks_for(request->documents, threads),
                  static_cast<unsigned>(request->asked_count));
  return launch(queue, grid, threads, 0, "list_documents", list_each, *request);
}

}  // namespace gemmine::cuda::device
