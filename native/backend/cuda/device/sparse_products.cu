#include <cfloat>

#include "backend/cuda/device/entry_kernels.h"
#include "backend/cuda/device/over_rows.cuh"
#include "backend/cuda/device/random.cuh"

// Products with a sparse X. No sum depends on the order in which threads run.
namespace gemmine::cuda::device {
namespace {

// The entries of row i: their first place in arrays of entries, and their number.
__device__ Wide begin_of(const SparseRows& X, Wide i) { return X.starts[i] - X.first_entry; }
__device__ Wide count_of(const SparseRows& X, Wide i) { return X.starts[i + 1] - X.starts[i]; }

// A warp a row; lanes are components.
struct SparseProductBody {
  SparseProduct r;
  __device__ void operator()(Wide i, int lane) const {
    const Wide begin = begin_of(r.X, i), end = begin + count_of(r.X, i);
    for (Wide j = lane; j < r.k; j += 32) {
      float sum = 0;
      for (Wide e = begin; e < end; ++e)
        sum += r.values[e] * r.B.data[r.X.columns[e] * r.B.stride + j];
      r.to.data[i * r.to.stride + j] = sum;
    }
  }
};
struct WideSparseProductBody {
  WideSparseProduct r;
  __device__ void operator()(Wide i, int lane) const {
    const Wide begin = begin_of(r.X, i), end = begin + count_of(r.X, i);
    for (Wide j = lane; j < r.k; j += 32) {
      double sum = 0;
      for (Wide e = begin; e < end; ++e) sum += r.values[e] * r.B[r.X.columns[e] * r.k + j];
      r.to[i * r.k + j] = sum;
    }
  }
};
struct SparseModelBody {
  SparseModel r;
  __device__ void operator()(Wide i, int lane) const {
    const Wide begin = begin_of(r.X, i), end = begin + count_of(r.X, i);
    const float* w = r.W.data + i * r.W.stride;
    for (Wide e = begin; e < end; ++e) {
      const float* h = r.Ht.data + r.X.columns[e] * r.Ht.stride;
      float sum = 0;
      for (Wide j = lane; j < r.k; j += 32) sum += w[j] * h[j];
      sum = warp_sum(sum);
      if (lane == 0) r.to[e] = sum;
    }
  }
};
struct SparsePerturbBody {
  SparsePerturb r;
  __device__ void operator()(Wide i, int lane) const {
    const Wide begin = begin_of(r.X, i), end = begin + count_of(r.X, i);
    for (Wide e = begin + lane; e < end; e += 32) {
      const float x = r.values[e];
      r.to[e] = x;
      if (!(x - x == 0)) continue;  // not finite
      const double u = counter_uniform(r.seed, static_cast<std::uint32_t>(r.stream),
                                       static_cast<std::uint64_t>(r.first_row + i),
                                       static_cast<std::uint32_t>(r.X.columns[e]));
      const double noisy = x * (1 + r.amplitude * (2 * u - 1));
      constexpr double largest = FLT_MAX;
      r.to[e] = static_cast<float>(noisy < -largest ? -largest : noisy > largest ? largest : noisy);
    }
  }
};
struct DensifyBody {
  Densify r;
  __device__ void operator()(Wide i, int lane) const {
    float* const row = r.to + i * r.X.cols;
    for (Wide t = lane; t < r.X.cols; t += 32) row[t] = 0;
    __syncwarp();
    const Wide begin = begin_of(r.X, r.begin + i), end = begin + count_of(r.X, r.begin + i);
    for (Wide e = begin + lane; e < end; e += 32) row[r.X.columns[e]] = r.values[e];
  }
};

// The first of the places [begin, end) whose row is at least `row`.
__device__ Wide first_place(const std::int32_t* row_of, Wide begin, Wide end, Wide row) {
  while (begin < end) {
    const Wide middle = begin + (end - begin) / 2;
    if (row_of[middle] < row)
      begin = middle + 1;
    else
      end = middle;
  }
  return begin;
}

constexpr int column_warps = 4;
struct ColumnSumsOfWarps {
  float of[column_warps][32];
};

// blockIdx.x: a column; blockIdx.y: 32 components.
__global__ void __launch_bounds__(32 * column_warps) sum_columns(SparseColumns r) {
  SHARED(ColumnSumsOfWarps, sums);
  const int lane = static_cast<int>(threadIdx.x % 32), warp = static_cast<int>(threadIdx.x / 32);
  const Wide j = Wide{blockIdx.y} * 32 + lane;
  const SparseRows& X = r.X;
  for (Wide t = blockIdx.x; t < X.cols; t += gridDim.x) {
    float sum = 0;
    Wide before = 0;  // entries of the chunks before
    for (Wide c = 0; c < X.chunks; ++c) {
      const std::int64_t* starts = X.column_starts + c * (X.cols + 1) + t;
      const Wide begin = first_place(X.row_of, starts[0], starts[1], X.first_row);
      const Wide end = first_place(X.row_of, begin, starts[1], X.first_row + X.rows);
      // Every fourth entry of the column, whatever chunks it is in.
      const Wide skipped = (warp - before % column_warps + column_warps) % column_warps;
      for (Wide place = begin + skipped; place < end; place += column_warps) {
        const Wide i = X.row_of[place] - X.first_row;
        const float value = r.values[X.position_of[place] - X.first_entry];
        if (j < r.k) sum += value * r.F.data[i * r.F.stride + j];
      }
      before += end - begin;
    }
    sums.of[warp][lane] = sum;
    __syncthreads();
    if (warp == 0 && j < r.k) {
      float total = 0;
      for (int w = 0; w < column_warps; ++w) total += sums.of[w][lane];
      r.to[t * r.k + j] = total;
    }
    __syncthreads();
  }
}

template <class Body, class Request>
Code rows_of(Queue* queue, const Request& request, const char* name) {
  return for_rows(queue, request.X.rows, name, Body{request});
}

}  // namespace

Code sparse_product(Queue* queue, const SparseProduct* r) {
  return rows_of<SparseProductBody>(queue, *r, "sparse_product");
}
Code wide_sparse_product(Queue* queue, const WideSparseProduct* r) {
  return rows_of<WideSparseProductBody>(queue, *r, "wide_sparse_product");
}
Code sparse_model(Queue* queue, const SparseModel* r) {
  return rows_of<SparseModelBody>(queue, *r, "sparse_model");
}
Code sparse_perturb(Queue* queue, const SparsePerturb* r) {
  return rows_of<SparsePerturbBody>(queue, *r, "sparse_perturb");
}
Code densify(Queue* queue, const Densify* r) {
  return for_rows(queue, r->rows, "densify", DensifyBody{*r});
}
Code sparse_columns(Queue* queue, const SparseColumns* r) {
  if (r->X.cols == 0 || r->k == 0) return Code::ok;
  const dim3 grid(blocks_for(r->X.cols, 1), static_cast<unsigned>((r->k + 31) / 32));
  return launch(queue, grid, 32 * column_warps, 0, "sparse_columns", sum_columns, *r);
}

}  // namespace gemmine::cuda::device
