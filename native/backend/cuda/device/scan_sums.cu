#include "backend/cuda/device/epilogue_kernels.h"
#include "backend/cuda/device/score_bounds.cuh"

// Sums of exponentials over the rows of a corpus, in float64 (docs/math/log-sum-exp.md). Bits
// depend on the corpus alone: 32 rows are added as a tree, these sums in the order of the rows.
namespace gemmine::cuda::device {
namespace {

constexpr int threads = 256;
constexpr int warps = threads / 32;

__device__ double highest_of_warp(double x) {
  for (int bits = 16; bits > 0; bits /= 2) {
    const double other = __shfl_xor_sync(whole_warp, x, bits);
    x = other > x ? other : x;
  }
  return x;
}
__device__ double sum_of_warp(double x) {
  for (int bits = 16; bits > 0; bits /= 2) x += __shfl_xor_sync(whole_warp, x, bits);
  return x;
}

// A warp adds 32 rows for one query.
__global__ void __launch_bounds__(threads) sum_stretches(SumExponentials of) {
  const int stretch = static_cast<int>(blockIdx.x * warps + threadIdx.x / 32);
  const int query = static_cast<int>(blockIdx.y);
  const int row = stretch * 32 + static_cast<int>(threadIdx.x % 32);
  if (stretch * 32 >= of.tile.rows) return;  // the whole warp
  const bool passes = of.filter == nullptr || (of.filter[stretch] >> (row % 32) & 1u) != 0;
  double middle = -INFINITY, width = 0;
  if (row < of.tile.rows && passes) {
    const Bounds bounds = bounds_of(of.tile.lane[query], of.tile.bounds[row],
                                    of.tile.scores[query * of.tile.stride + row]);
    middle = 0.5 * (double{bounds.upper} + double{bounds.lower});
    width = 0.5 * (double{bounds.upper} - double{bounds.lower});
  }
  const double largest = highest_of_warp(middle), widest = highest_of_warp(width);
  const double term = middle == -INFINITY ? 0.0 : exp((middle - largest) * of.scales[query]);
  const double sum = sum_of_warp(term), weighted = sum_of_warp(term * width);
  if (threadIdx.x % 32 == 0)
    of.parts[Wide{stretch} * of.tile.lanes + query] = {largest, sum, weighted, widest};
}

// As LogSum::merge.
__device__ void merge(SumState& to, const SumState& part, double scale) {
  if (part.sum == 0) return;
  const bool rises = part.largest > to.largest;
  const double factor =
      exp(-(rises ? part.largest - to.largest : to.largest - part.largest) * scale);
  const double own = rises ? factor : 1.0, other = rises ? 1.0 : factor;
  to.sum = to.sum * own + part.sum * other;
  to.weighted = to.weighted * own + part.weighted * other;
  to.largest = rises ? part.largest : to.largest;
  to.widest = part.widest > to.widest ? part.widest : to.widest;
}

// A thread for each query.
__global__ void __launch_bounds__(threads) add_stretches(SumExponentials of) {
  const int query = static_cast<int>(blockIdx.x * threads + threadIdx.x);
  if (query >= of.tile.lanes) return;
  SumState sum = of.sums[query];
  const int stretches = (of.tile.rows + 31) / 32;
  for (int i = 0; i < stretches; ++i)
    merge(sum, of.parts[Wide{i} * of.tile.lanes + query], of.scales[query]);
  of.sums[query] = sum;
}

}  // namespace

Code sum_exponentials(Queue* queue, const SumExponentials* request) {
  const ScoreTile& tile = request->tile;
  const dim3 grid(blocks_for((Wide{tile.rows} + 31) / 32, warps),
                  static_cast<unsigned>(tile.lanes));
  const Code code = launch(queue, grid, threads, 0, "sum_stretches", sum_stretches, *request);
  if (code != Code::ok) return code;
  return launch(queue, blocks_for(tile.lanes, threads), threads, 0, "add_stretches", add_stretches,
                *request);
}

}  // namespace gemmine::cuda::device
