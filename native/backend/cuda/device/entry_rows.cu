#include <float.h>
#include <math.h>

#include "backend/cuda/device/entry_kernels.h"
#include "backend/cuda/device/over_entries.cuh"
#include "backend/cuda/device/over_rows.cuh"

// Rows of factors under a loss by entries: their shares, their steps.
namespace gemmine::cuda::device {
namespace {

constexpr double smallest_correntropy_weight = 0x1p-60;  // of backend/cpu/kernels.h

// The contribution of a row by its squared length. It is smooth below the shortest one that counts
// in full.
__device__ double loss_of_length(EntryLoss loss, double parameter, double square) {
  if (loss == EntryLoss::row_correntropy)
    return -parameter * parameter * expm1(-square / (2 * parameter * parameter));
  const double t = sqrt(square);
  return t < parameter ? (square / parameter + parameter) / 2 : t;
}

// The weight of the squares that bound it.
__device__ double weight_of_length(EntryLoss loss, double parameter, double square) {
  if (loss == EntryLoss::row_correntropy) {
    const double weight = exp(-square / (2 * parameter * parameter));
    return weight < smallest_correntropy_weight ? 0.0 : weight;
  }
  const double t = sqrt(square);
  return 1 / (t < parameter ? parameter : t);
}

// Part p of the rows has one thread, so that its sum has an order.
struct SumRowsBody {
  SumRowMeasures r;
  __device__ void operator()(Wide, Wide part) const {
    const Wide begin = r.rows * part / sum_blocks, end = r.rows * (part + 1) / sum_blocks;
    double sum = 0;
    for (Wide i = begin; i < end; ++i) {
      const double measured =
          r.of_lengths != 0 ? loss_of_length(r.loss, r.parameter, r.measured[i]) : r.measured[i];
      sum += (r.weights == nullptr ? 1.0 : double{r.weights[i]}) * measured;
    }
    r.partial[part] += sum;
  }
};

struct RowSharesBody {
  RowShares r;
  __device__ void operator()(Wide, Wide i) const {
    double share = r.weights == nullptr ? 1.0 : double{r.weights[i]};
    if (r.of_codes != 0 && share == 0) share = 1;
    if (r.squares != nullptr) share *= weight_of_length(r.loss, r.parameter, r.squares[i]);
    r.to[i] = share;
  }
};

struct RatioBody {
  RatioUpdate r;
  __device__ double above(Wide i, Wide j) const {
    return r.above.data != nullptr ? double{r.above.data[i * r.above.stride + j]}
                                   : r.wide_above[i * r.k + j];
  }
  __device__ double below(Wide i, Wide j) const {
    if (r.below.data != nullptr) return r.below.data[i * r.below.stride + j];
    if (r.wide_below != nullptr) return r.wide_below[i * r.k + j];
    return (r.shares == nullptr ? 1.0 : r.shares[i]) * r.column_sums[j];
  }
  // A zero stays zero; 0/0 keeps f. A denominator that vanished in float32 counts as its smallest
  // number, which is more: f grows less.
  __device__ void operator()(Wide i, Wide j) const {
    float& factor = r.factor.data[i * r.factor.stride + j];
    const double f = factor;
    double a = above(i, j), b = below(i, j);
    if (r.numerators.data != nullptr) {
      a += r.addend * r.numerators.data[i * r.numerators.stride + j];
      b += r.addend * r.diagonal.data[i * r.diagonal.stride] * f;
    }
    b += r.half_l1 + r.l2 * f;
    if (!(f > 0) || !(b > 0 || a > 0)) return;
    const double ratio = a / (b > FLT_TRUE_MIN ? b : double{FLT_TRUE_MIN});
    double next = f * (r.exponent == 1 ? ratio : pow(ratio, r.exponent));
    const double highest = r.upper < FLT_MAX ? r.upper : double{FLT_MAX};
    next = next > highest ? highest : next;
    next = next > FLT_MIN ? next : double{FLT_MIN};
    factor = static_cast<float>(a > 0 ? next : 0.0);
  }
};

struct RowSquaresBody {
  RowSquares r;
  __device__ void operator()(Wide i, int lane) const {
    const bool sparse = r.starts != nullptr;
    const Wide count = sparse ? r.starts[i + 1] - r.starts[i] : r.cols;
    const Wide begin = sparse              ? r.starts[i] - r.first_entry
                       : r.wide != nullptr ? i * r.cols
                                           : i * r.stride;
    double sum = 0;
    for (Wide q = lane; q < count; q += 32) {
      const double x = r.scale * (r.wide != nullptr ? r.wide[begin + q] : double{r.x[begin + q]});
      sum += x * x;
    }
    sum = warp_sum(sum);
    if (lane == 0) r.to[i] = sum;
  }
};

// The place of (a, b), a <= b, in an upper triangle that is stored row by row.
__device__ Wide place_of(Wide k, Wide a, Wide b) { return a * k - a * (a - 1) / 2 + (b - a); }

struct PairsBody {
  Pairs r;
  __device__ void operator()(Wide i, Wide a) const {
    const float* f = r.from.data + i * r.from.stride;
    float* to = r.to + i * (r.k * (r.k + 1) / 2);
    for (Wide b = a; b < r.k; ++b)
      to[place_of(r.k, a, b)] = static_cast<float>((a == b ? 1.0 : r.beside) * (f[a] * f[b]));
  }
};

constexpr Wide most_shared = 96 << 10;  // see row_steps.cu

// One row, in its warp's part of shared memory. `wide`: its sums are in float64.
template <bool wide>
struct OwnRow {
  const OwnSweep& r;
  Wide row;
  int lane;
  float* slope;   // [k] c − f N
  float* factor;  // [k]

  __device__ float normal(Wide a, Wide b) const {
    const Wide low = a < b ? a : b, high = a < b ? b : a;
    const Wide at = row * (r.k * (r.k + 1) / 2) + place_of(r.k, low, high);
    if constexpr (!wide) return r.triangles[at];
    const double value = r.wide_triangles[at];
    return static_cast<float>(a == b ? value + r.pull * value : value);
  }
  __device__ float cross(Wide j) const {
    if constexpr (!wide) return r.cross[row * r.k + j];
    const double diagonal = r.wide_triangles[row * (r.k * (r.k + 1) / 2) + place_of(r.k, j, j)];
    return static_cast<float>(r.wide_cross[row * r.k + j] + r.pull * diagonal * factor[j]);
  }
  // Lanes are components. Unrolled loops of 64-bit places would spill on sm_120.
  __device__ void move(Wide j, float change) const {
#pragma unroll 1
    for (Wide i = lane; i < r.k; i += 32) slope[i] -= change * normal(j, i);
  }
  __device__ float next(Wide j) const {
    const float old = factor[j], own = normal(j, j), diagonal = own + r.l2;
    const bool counts = diagonal >= FLT_MIN, is_signed = r.signed_factor != 0;
    const float target = slope[j] + own * old;
    const float size = (target < 0 ? -target : target) - r.half_l1;
    const float shrunk = size > 0 ? (target < 0 ? -size : size) : 0.0f;
    const float by =
        (is_signed ? shrunk : slope[j] - r.half_l1 - r.l2 * old) / (counts ? diagonal : 1.0f);
    const float moved = old + r.relaxation * by;
    const float raised = moved > 0 ? moved : 0.0f;
    const float capped = r.upper < raised ? static_cast<float>(r.upper) : raised;
    return !counts ? old : is_signed ? by : capped;
  }

  __device__ void sweep() const {
    for (Wide j = 0; j < r.k; ++j) {
      const float value = next(j), change = value - factor[j];
      __syncwarp();
      move(j, change);
      if (lane == 0) factor[j] = value;
      __syncwarp();
    }
  }
};

template <bool wide>
__global__ void __launch_bounds__(row_threads) sweep_own(OwnSweep r) {
  DYNAMIC_SHARED(memory);
  const int lane = static_cast<int>(threadIdx.x % 32), warp = static_cast<int>(threadIdx.x / 32);
  const Wide warps = blockDim.x / 32;
  const Wide row = Wide{blockIdx.x} * warps + warp;
  if (row >= r.rows) return;
  auto* const slope = reinterpret_cast<float*>(memory) + warp * 2 * r.k;
  const OwnRow<wide> own{r, row, lane, slope, slope + r.k};
  float* const f = r.factor.data + row * r.factor.stride;
  for (Wide j = lane; j < r.k; j += 32) own.factor[j] = f[j];
  __syncwarp();
#pragma unroll 1
  for (Wide j = lane; j < r.k; j += 32) slope[j] = own.cross(j);
#pragma unroll 1
  for (Wide j = 0; j < r.k; ++j) own.move(j, own.factor[j]);
  __syncwarp();
  for (Wide sweep = 0; sweep < r.sweeps; ++sweep) own.sweep();
  for (Wide j = lane; j < r.k; j += 32) f[j] = own.factor[j];
}

}  // namespace

Code sum_row_measures(Queue* queue, const SumRowMeasures* r) {
  return for_entries(queue, 1, sum_blocks, "sum_row_measures", SumRowsBody{*r});
}
Code row_shares(Queue* queue, const RowShares* r) {
  return for_entries(queue, 1, r->rows, "row_shares", RowSharesBody{*r});
}
Code ratio_update(Queue* queue, const RatioUpdate* r) {
  return for_entries(queue, r->rows, r->k, "ratio_update", RatioBody{*r});
}
Code pairs(Queue* queue, const Pairs* r) {
  return for_entries(queue, r->rows, r->k, "pairs", PairsBody{*r});
}
Code row_squares(Queue* queue, const RowSquares* r) {
  return for_rows(queue, r->rows, "row_squares", RowSquaresBody{*r});
}
Code own_sweep(Queue* queue, const OwnSweep* r) {
  if (r->rows == 0 || r->k == 0) return Code::ok;
  const Wide of_warp = 2 * r->k * static_cast<Wide>(sizeof(float));
  const Wide warps = most_shared / of_warp < row_warps ? most_shared / of_warp : Wide{row_warps};
  if (warps == 0) return failed(Code::unavailable, "a sweep with too many components");
  return launch(queue, blocks_for(r->rows, static_cast<int>(warps), r->rows),
                static_cast<unsigned>(32 * warps), static_cast<std::size_t>(warps * of_warp),
                "own_sweep", r->triangles == nullptr ? sweep_own<true> : sweep_own<false>, *r);
}

}  // namespace gemmine::cuda::device
