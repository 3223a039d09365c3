#include "backend/cuda/device/canonical.cuh"
#include "backend/cuda/device/scan_kernels.h"
#include "backend/cuda/device/score_bounds.cuh"

// Kernels over rows: norms, float16 copies with their bounds, canonical scores.
namespace gemmine::cuda::device {
namespace {

constexpr int threads = 256;
constexpr int rows_in_block = threads / 32;
constexpr int pairs_in_block = threads / canonical_lanes;

// The power of two that brings a norm into [2^8, 2^9): entries stay far from the ends of float16's
// range, and so do sums of products from those of float32.
constexpr int stored_exponent = 8;
constexpr int most_exponent = 100;

__device__ double warp_sum(double x) {
  for (int bits = 16; bits > 0; bits /= 2) x += __shfl_xor_sync(whole_warp, x, bits);
  return x;
}

__device__ double power_of_two(int exponent) { return ldexp(1.0, exponent); }

__device__ int exponent_for(double norm) {
  if (!(norm > 0)) return 0;
  const int exponent = stored_exponent - ilogb(norm);
  return exponent < -most_exponent  ? -most_exponent
         : exponent > most_exponent ? most_exponent
                                    : exponent;
}

__device__ RowBound bound_of(const PrepareRows& of, double squared, double residual, int exponent) {
  const double half = of.distance != 0 ? squared / 2 : 0.0;
  const double error = (of.distance != 0 ? of.squared_norm_error * squared : 0.0) + of.underflow;
  return {float_above(-half + error), float_below(-half - error),
          float_above(sqrt(squared) + residual), float_above(residual),
          static_cast<float>(power_of_two(-exponent))};
}

// One warp for each row.
__global__ void __launch_bounds__(threads) prepare_each(PrepareRows of) {
  const Wide row = Wide{blockIdx.x} * rows_in_block + threadIdx.x / 32;
  const int lane = static_cast<int>(threadIdx.x % 32);
  if (row >= of.rows) return;  // the whole warp
  const float* from = of.from + row * of.stride;
  const double norm = of.norms == nullptr ? 1.0 : of.norms[row];
  const double factor = of.norms == nullptr ? 1.0 : norm == 0 ? 0.0 : 1 / norm;
  const double by = power_of_two(of.exponent);
  const auto value = [&](Wide t) {
    return static_cast<float>((double{from[t]} * factor - double{of.centre[t]}) * by);
  };
  double squared = 0;
  for (Wide t = lane; t < of.cols; t += 32) squared += double{value(t)} * double{value(t)};
  squared = warp_sum(squared);
  if (of.values != nullptr) {
    for (Wide t = lane; t < of.cols; t += 32) of.values[row * of.cols + t] = value(t);
    if (lane == 0) of.bounds[row] = bound_of(of, squared, 0.0, 0);
    return;  // the whole warp
  }
  const int exponent = exponent_for(sqrt(squared));
  const double up = power_of_two(exponent), down = power_of_two(-exponent);
  std::uint16_t* to = of.halves + row * of.half_stride;
  double residual = 0;
  for (Wide t = lane; t < of.half_stride; t += 32) {
    const float exact = t < of.cols ? value(t) : 0.0f;
    const __half stored = __float2half_rn(static_cast<float>(double{exact} * up));
    const double off = double{exact} - double{__half2float(stored)} * down;
    residual += off * off;
    memcpy(to + t, &stored, sizeof stored);
  }
  residual = warp_sum(residual);
  if (lane == 0) of.bounds[row] = bound_of(of, squared, sqrt(residual), exponent);
}

// The sum under the root of each norm; eight lanes for each row.
__global__ void __launch_bounds__(threads) canonical_squares(MeasureRows of) {
  const Wide row = Wide{blockIdx.x} * pairs_in_block + threadIdx.x / canonical_lanes;
  const int lane = static_cast<int>(threadIdx.x % canonical_lanes);
  const float* at = of.from + row * of.stride;
  const double sum = canonical_tree(row < of.rows ? canonical_dot(at, at, of.cols, lane) : 0.0);
  if (row < of.rows && lane == 0) of.norms[row] = sum;
}

// Apart from the sums, because a root and a quotient are made of fused operations (and rounded
// correctly), of which the sums must have none.
__global__ void __launch_bounds__(threads) take_roots(MeasureRows of) {
  const Wide row = Wide{blockIdx.x} * threads + threadIdx.x;
  if (row < of.rows) of.norms[row] = __dsqrt_rn(of.norms[row]);
}

// The sum of each pair's score; eight lanes for each pair.
__global__ void __launch_bounds__(threads) canonical_sums(ScorePairs of) {
  const Wide pair = Wide{blockIdx.x} * pairs_in_block + threadIdx.x / canonical_lanes;
  const int lane = static_cast<int>(threadIdx.x % canonical_lanes);
  const bool real = pair < of.count;
  const int query = real ? of.pairs[2 * pair] : 0, row = real ? of.pairs[2 * pair + 1] : 0;
  const float* a = of.queries + query * of.query_stride;
  const float* b = of.rows + row * of.row_stride;
  double sum = 0;
  if (real)
    sum = of.squares != 0 ? canonical_distance(a, b, of.cols, lane)
                          : canonical_dot(a, b, of.cols, lane);
  sum = canonical_tree(sum);
  if (real && lane == 0) of.scores[pair] = sum;
}

// canonical_score of metric.h. Adding +0 only changes −0 to +0.
__device__ double finished(const ScorePairs& of, double sum, int query, int row) {
  if (of.squares != 0) return __dsub_rn(0.0, sum);
  if (of.query_norms == nullptr) return __dadd_rn(sum, 0.0);
  const double lengths = __dmul_rn(of.query_norms[query], of.row_norms[row]);
  if (lengths == 0) return 0.0;
  const double cosine = __ddiv_rn(sum, lengths);
  return __dadd_rn(cosine < -1 ? -1.0 : cosine > 1 ? 1.0 : cosine, 0.0);
}

__global__ void __launch_bounds__(threads) finish_scores(ScorePairs of) {
  const Wide pair = Wide{blockIdx.x} * threads + threadIdx.x;
  if (pair < of.count)
    of.scores[pair] = finished(of, of.scores[pair], of.pairs[2 * pair], of.pairs[2 * pair + 1]);
}

unsigned blocks_of(Wide count, int in_block) { return blocks_for(count, in_block, INT32_MAX); }

}  // namespace

Code prepare_rows(Queue* queue, const PrepareRows* request) {
  return launch(queue, blocks_of(request->rows, rows_in_block), threads, 0, "prepare_rows",
                prepare_each, *request);
}

Code measure_rows(Queue* queue, const MeasureRows* request) {
  const Code code = launch(queue, blocks_of(request->rows, pairs_in_block), threads, 0,
                           "canonical_squares", canonical_squares, *request);
  if (code != Code::ok) return code;
  return launch(queue, blocks_of(request->rows, threads), threads, 0, "take_roots", take_roots,
                *request);
}

Code score_pairs(Queue* queue, const ScorePairs* request) {
  const Code code = launch(queue, blocks_of(request->count, pairs_in_block), threads, 0,
                           "canonical_sums", canonical_sums, *request);
  if (code != Code::ok) return code;
  return launch(queue, blocks_of(request->count, threads), threads, 0, "finish_scores",
                finish_scores, *request);
}

}  // namespace gemmine::cuda::device
