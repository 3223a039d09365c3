#include "backend/cuda/device/pass_kernels.h"
#include "backend/cuda/device/platform.h"

namespace gemmine::cuda::device {
namespace {

constexpr int threads = 256;
struct Partial {
  double of_warp[threads / 32];
};

// The sum over a block, in an order that does not depend on time; thread 0 has it.
__device__ double block_sum(double value, Partial& partial) {
  const int thread = static_cast<int>(threadIdx.x);
  for (int bits = 16; bits > 0; bits /= 2) value += __shfl_xor_sync(whole_warp, value, bits);
  if (thread % 32 == 0) partial.of_warp[thread / 32] = value;
  __syncthreads();
  double total = 0;
  if (thread == 0)
    for (const double each : partial.of_warp) total += each;
  return total;
}

// Parts without a block of their own are 0.
__device__ void store(double sum, double* parts) {
  if (threadIdx.x != 0) return;
  parts[blockIdx.x] = sum;
  if (blockIdx.x == 0)
    for (Wide i = gridDim.x; i < sum_blocks; ++i) parts[i] = 0;
}

// Depends on the number of entries alone, and so do the bits of a sum.
unsigned blocks_of_sum(Wide entries) { return blocks_for(entries, 4 * threads, sum_blocks); }

__device__ double term_of(const Sum& s, Wide i, Wide j) {
  const double weight =
      s.weights.data == nullptr ? 1.0 : double{s.weights.data[i * s.weights.stride]};
  const double a = s.a.data == nullptr ? 0.0 : double{s.a.data[i * s.a.stride + j]};
  const double b = s.b.data == nullptr ? 0.0 : double{s.b.data[i * s.b.stride + j]};
  switch (s.term) {
    case Term::products:
      return weight * (a * b);
    case Term::squares:
      return weight * (a * a);
    case Term::wide_products:
      return s.wide[i * s.cols + j] * b;
    case Term::energy:
      return b * (weight * b - a);
  }
  return 0;
}

__global__ void __launch_bounds__(threads) sum_terms(Sum s) {
  SHARED(Partial, partial);
  const Wide all = s.rows * s.cols;
  const Wide step = Wide{gridDim.x} * blockDim.x;
  double sum = 0;
  for (Wide at = Wide{blockIdx.x} * blockDim.x + threadIdx.x; at < all; at += step)
    sum += term_of(s, at / s.cols, at % s.cols);
  store(block_sum(sum, partial), s.partial);
}

__global__ void __launch_bounds__(threads) sum_exact_residual(ExactResidual r) {
  SHARED(Partial, partial);
  const Wide all = r.rows * r.d;
  const Wide step = Wide{gridDim.x} * blockDim.x;
  double sum = 0;
  for (Wide at = Wide{blockIdx.x} * blockDim.x + threadIdx.x; at < all; at += step) {
    const Wide i = at / r.d, t = at % r.d;
    double rest = r.scale * r.X.data[i * r.X.stride + t];
    for (Wide j = 0; j < r.k; ++j)
      rest -= double{r.W.data[i * r.W.stride + j]} * r.Ht.data[t * r.Ht.stride + j];
    sum += (r.weights == nullptr ? 1.0 : double{r.weights[i]}) * (rest * rest);
  }
  store(block_sum(sum, partial), r.partial);
}

// blockIdx.x: columns; blockIdx.y: a part of the rows.
__global__ void __launch_bounds__(threads) measure_columns(Columns c) {
  const Wide j = Wide{blockIdx.x} * blockDim.x + threadIdx.x;
  if (j >= c.cols) return;
  const Wide chunk = blockIdx.y;
  const Wide begin = c.rows * chunk / column_chunks, end = c.rows * (chunk + 1) / column_chunks;
  double squares[2] = {0, 0}, counts[2] = {0, 0}, absolute = 0;
  const double infinity = 1e308 * 10;
  double least = infinity, most = -infinity;
  for (Wide i = begin; i < end; ++i) {
    const double x = c.from.data[i * c.from.stride + j];
    const double square = x * x;
    const bool positive = x > 0;
    squares[0] += positive ? square : 0;
    squares[1] += positive ? 0 : square;
    counts[0] += positive ? 1 : 0;
    counts[1] += x != 0 && !positive ? 1 : 0;
    absolute += x < 0 ? -x : x;
    least = x < least ? x : least;
    most = x > most ? x : most;
  }
  double* to = c.partial + chunk * measured_kinds * c.cols + j;
  to[measured_positive * c.cols] = squares[0];
  to[measured_negative * c.cols] = squares[1];
  to[measured_positives * c.cols] = counts[0];
  to[measured_negatives * c.cols] = counts[1];
  to[measured_least * c.cols] = least;
  to[measured_most * c.cols] = most;
  to[measured_absolute * c.cols] = absolute;
}

}  // namespace

Code sum(Queue* queue, const Sum* request) {
  return launch(queue, blocks_of_sum(request->rows * request->cols), threads, 0, "sum", sum_terms,
                *request);
}
Code exact_residual(Queue* queue, const ExactResidual* request) {
  return launch(queue, blocks_of_sum(request->rows * request->d), threads, 0, "exact_residual",
                sum_exact_residual, *request);
}
Code columns(Queue* queue, const Columns* request) {
  if (request->cols == 0) return Code::ok;
  const int width = request->cols <= 32 ? 32 : threads;
  const dim3 grid(blocks_for(request->cols, width), static_cast<unsigned>(column_chunks));
  return launch(queue, grid, width, 0, "columns", measure_columns, *request);
}

}  // namespace gemmine::cuda::device
