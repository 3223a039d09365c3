#include "backend/cuda/device/epilogue_kernels.h"

// Products in float32 whose bits depend on the two rows alone: cuBLAS may choose another order of
// its sums for another shape.
namespace gemmine::cuda::device {
namespace {

constexpr int threads = 256;
constexpr int side = 64;   // rows of either factor in a tile
constexpr int depth = 16;  // columns at a time
constexpr int of_thread = side / 16;

struct Panel {
  float at[depth][side + 1];
};

// Columns first .. first + depth - 1 of the rows of a tile; zeros beyond the ends.
__device__ void load(Panel& panel, const float* from, int rows, Wide cols, Wide first) {
  for (int i = static_cast<int>(threadIdx.x); i < side * depth; i += threads) {
    const int row = i / depth, t = i % depth;
    const bool real = row < rows && first + t < cols;
    panel.at[t][row] = real ? from[row * cols + first + t] : 0.0f;
  }
}

// A thread has 4×4 products, 16 apart in both directions.
__global__ void __launch_bounds__(threads) multiply_each(MultiplyRows of) {
  SHARED(Panel, queries);
  SHARED(Panel, rows);
  const int x = static_cast<int>(threadIdx.x % 16), y = static_cast<int>(threadIdx.x / 16);
  const int first_row = static_cast<int>(blockIdx.x) * side;
  const int first_query = static_cast<int>(blockIdx.y) * side;
  float sums[of_thread][of_thread] = {};
  for (Wide first = 0; first < of.cols; first += depth) {
    load(queries, of.queries + first_query * of.cols, of.lane_count - first_query, of.cols, first);
    load(rows, of.rows + first_row * of.cols, of.row_count - first_row, of.cols, first);
    __syncthreads();
    for (int t = 0; t < depth; ++t)
#pragma unroll
      for (int i = 0; i < of_thread; ++i)
#pragma unroll
        for (int j = 0; j < of_thread; ++j)
          sums[i][j] = fmaf(queries.at[t][y + 16 * i], rows.at[t][x + 16 * j], sums[i][j]);
    __syncthreads();  // before the panels are loaded again
  }
#pragma unroll
  for (int i = 0; i < of_thread; ++i)
#pragma unroll
    for (int j = 0; j < of_thread; ++j) {
      const int query = first_query + y + 16 * i, row = first_row + x + 16 * j;
      if (query < of.lane_count && row < of.row_count)
        of.scores[query * of.stride + row] = sums[i][j];
    }
}

}  // namespace

Code multiply_rows(Queue* queue, const MultiplyRows* request) {
  const dim3 grid(blocks_for(request->row_count, side), blocks_for(request->lane_count, side));
  return launch(queue, grid, threads, 0, "multiply_rows", multiply_each, *request);
}

}  // namespace gemmine::cuda::device
