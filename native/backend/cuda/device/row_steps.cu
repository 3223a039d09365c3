#include <cfloat>

#include "backend/cuda/device/pass_kernels.h"
#include "backend/cuda/device/platform.h"

// Steps of rows, one thread a row. The rows of a block are in shared memory as columns of tiles
// [k×(threads + 1)], so that neighbouring threads use neighbouring banks; the normal matrix is in
// shared memory too where it fits.
namespace gemmine::cuda::device {
namespace {

// Shared memory that every supported GPU gives to a block.
constexpr Wide most_shared = 96 << 10;
constexpr int most_threads = 128;

struct Rows {
  const RowStep& step;
  const float* N;     // [k×k], in shared memory or not
  Wide row;           // of the thread
  int thread, pitch;  // of a tile

  __device__ float cross(Wide j) const { return step.cross.data[row * step.cross.stride + j]; }
  __device__ float& at(float* tile, Wide j) const { return tile[j * pitch + thread]; }
  __device__ Wide k() const { return step.k; }

  // Σ_i f_i M_ij
  __device__ float product(float* tile, const float* M, Wide j) const {
    float sum = 0;
    for (Wide i = 0; i < step.k; ++i) sum += at(tile, i) * M[j * step.k + i];
    return sum;
  }
};

__device__ float bounded(float x, float upper) {
  const float above = x > 0 ? x : 0.0f;
  return upper < above ? upper : above;
}

__device__ void nonnegative_sweep(const Rows& rows, float* F) {
  const RowStep& step = rows.step;
  for (Wide j = 0; j < rows.k(); ++j) {
    const float inverse = step.inverse[j];
    if (inverse == 0) continue;
    const float target =
        (rows.cross(j) - rows.product(F, rows.N, j) - step.half_l1) * (step.relaxation * inverse);
    rows.at(F, j) =
        bounded(target + (1 - step.relaxation) * rows.at(F, j), static_cast<float>(step.upper));
  }
}

__device__ void signed_sweep(const Rows& rows, float* F) {
  const RowStep& step = rows.step;
  for (Wide j = 0; j < rows.k(); ++j) {
    const float inverse = step.inverse[j];
    if (inverse == 0) continue;
    const float sum = rows.cross(j) - rows.product(F, rows.N, j);
    const float up = sum - step.half_l1, down = -sum - step.half_l1;
    rows.at(F, j) = ((up > 0 ? up : 0.0f) - (down > 0 ? down : 0.0f)) * inverse;
  }
}

// f times a ratio of non-negative sums; see scaled_component in cpu/sweep_kernels.inl.
__device__ float scaled_component(float f, float numerator, float denominator, bool root) {
  const float below = denominator > FLT_MIN ? denominator : FLT_MIN;
  float ratio = numerator / below;
  if (!(ratio < FLT_MAX)) ratio = FLT_MAX;
  if (root) ratio = __fsqrt_rn(ratio);
  const float product = f * ratio;
  const float capped = product < FLT_MAX ? product : FLT_MAX;
  const float raised = capped > FLT_MIN ? capped : FLT_MIN;
  const float moved = f > 0 ? (numerator > 0 ? raised : 0.0f) : 0.0f;
  return denominator > 0 || numerator > 0 ? moved : f;
}

__device__ void multiplicative(const Rows& rows, float* F, float* next) {
  const RowStep& step = rows.step;
  const float raise = step.row_diagonal == nullptr ? 0.0f : step.row_diagonal[rows.row];
  for (Wide j = 0; j < rows.k(); ++j) {
    const float f = rows.at(F, j);
    const float below = step.half_l1 + raise * f + rows.product(F, rows.N, j);
    const float c = rows.cross(j);
    rows.at(next, j) = scaled_component(f, c > 0 ? c : 0.0f, below, false);
  }
}

__device__ void sign_split(const Rows& rows, float* F, float* next) {
  const RowStep& step = rows.step;
  const float raise = step.row_diagonal == nullptr ? 0.0f : step.row_diagonal[rows.row];
  for (Wide j = 0; j < rows.k(); ++j) {
    const float f = rows.at(F, j), c = rows.cross(j);
    const float above = (c > 0 ? c : 0.0f) + rows.product(F, step.negative, j);
    const float below = (c < 0 ? -c : 0.0f) + step.half_l1 + raise * f + rows.product(F, rows.N, j);
    rows.at(next, j) = scaled_component(f, above, below, true);
  }
}

// One step from `ahead` to `next`; returns the overshoot, see cpu/sweep_kernels.inl.
__device__ float gradient_step(const Rows& rows, float* F, float* next, float* ahead) {
  const RowStep& step = rows.step;
  float overshoot = 0;
  for (Wide j = 0; j < rows.k(); ++j) {
    const float slope = rows.cross(j) - step.half_l1 - rows.product(ahead, rows.N, j);
    const float from = rows.at(ahead, j);
    const float to = bounded(from + slope * step.inverse[j], static_cast<float>(step.upper));
    overshoot += rows.N[j * rows.k() + j] * (from - to) * (to - rows.at(F, j));
    rows.at(next, j) = to;
  }
  return overshoot;
}

// Beck & Teboulle (2009) with the restart of O'Donoghue & Candès (2015). Returns the tile of the
// result.
__device__ float* projected_gradient(const Rows& rows, float* F, float* next, float* ahead) {
  for (Wide j = 0; j < rows.k(); ++j) rows.at(ahead, j) = rows.at(F, j);
  float momentum = 1;
  for (int sweep = 0; sweep < rows.step.sweeps; ++sweep) {
    const float overshoot = gradient_step(rows, F, next, ahead);
    const float later = 0.5f + 0.5f * __fsqrt_rn(1 + 4 * momentum * momentum);
    const float share = overshoot > 0 ? 0.0f : (momentum - 1) / later;
    momentum = overshoot > 0 ? 1.0f : later;
    for (Wide j = 0; j < rows.k(); ++j) {
      const float now = rows.at(next, j);
      rows.at(ahead, j) = now + share * (now - rows.at(F, j));
    }
    float* const old = F;
    F = next;
    next = old;
  }
  return F;
}

__device__ void by_components(const Rows& rows, float* F) {
  const RowStep& step = rows.step;
  for (Wide j = 0; j < rows.k(); ++j) {
    const double c = rows.cross(j);
    double value = c;
    if (step.kind == RowStepKind::project) value = (c - step.wide_half_l1) * (1 / (1 + step.l2));
    if (step.kind == RowStepKind::shifted_ascent)
      value = double{rows.at(F, j)} + c - step.diagonal[j];
    if (step.kind != RowStepKind::product && !(value > 0)) value = 0;
    rows.at(F, j) = static_cast<float>(value);
  }
}

__device__ void one_component(const Rows& rows, float* F) {
  const RowStep& step = rows.step;
  Wide best = -1;
  double most = 0;
  for (Wide j = 0; j < rows.k(); ++j) {
    const double c = rows.cross(j), diagonal = step.diagonal[j];
    const double gain = c > 0 && diagonal > 0 ? c * c / diagonal : 0;
    if (gain > most) {
      most = gain;
      best = j;
    }
    rows.at(F, j) = 0;
  }
  if (best >= 0) rows.at(F, best) = static_cast<float>(rows.cross(best) / step.diagonal[best]);
}

__device__ float* improved(const Rows& rows, float* F, float* next, float* ahead) {
  const RowStep& step = rows.step;
  if (step.kind == RowStepKind::projected_gradient) return projected_gradient(rows, F, next, ahead);
  if (step.kind == RowStepKind::one_component) return one_component(rows, F), F;
  if (step.kind >= RowStepKind::product) return by_components(rows, F), F;
  for (int sweep = 0; sweep < step.sweeps; ++sweep) {
    if (step.kind == RowStepKind::nonnegative_sweep) nonnegative_sweep(rows, F);
    if (step.kind == RowStepKind::signed_sweep) signed_sweep(rows, F);
    if (step.kind == RowStepKind::multiplicative) multiplicative(rows, F, next);
    if (step.kind == RowStepKind::sign_split) sign_split(rows, F, next);
    if (step.kind == RowStepKind::multiplicative || step.kind == RowStepKind::sign_split) {
      float* const old = F;
      F = next;
      next = old;
    }
  }
  return F;
}

__host__ __device__ int tiles_of(RowStepKind kind) {
  switch (kind) {
    case RowStepKind::projected_gradient:
      return 3;
    case RowStepKind::multiplicative:
    case RowStepKind::sign_split:
      return 2;
    default:
      return 1;
  }
}

// `inside`: the normal matrix is copied to shared memory.
__global__ void __launch_bounds__(most_threads) step_rows(RowStep step, int inside) {
  DYNAMIC_SHARED(memory);
  const int count = static_cast<int>(blockDim.x), thread = static_cast<int>(threadIdx.x);
  const int pitch = count + 1;
  const Wide k = step.k, tile = k * pitch;
  auto* const F = reinterpret_cast<float*>(memory);
  float* const next = F + (tiles_of(step.kind) > 1 ? tile : 0);
  float* const ahead = next + (tiles_of(step.kind) > 2 ? tile : 0);
  float* const normal = F + tiles_of(step.kind) * tile;
  const Wide first = Wide{blockIdx.x} * count;
  const Wide here = step.rows - first < count ? step.rows - first : Wide{count};
  for (Wide at = thread; at < here * k; at += count)
    F[at % k * pitch + at / k] = step.factor.data[(first + at / k) * step.factor.stride + at % k];
  if (inside != 0)
    for (Wide at = thread; at < k * k; at += count) normal[at] = step.positive[at];
  __syncthreads();
  const Rows rows{step, inside != 0 ? normal : step.positive, first + thread, thread, pitch};
  // Every row of the block has its result in the same tile.
  float* result = F;
  const bool swaps = tiles_of(step.kind) > 1 && step.sweeps % 2 == 1;
  if (thread < here) improved(rows, F, next, ahead);
  if (swaps) result = next;
  __syncthreads();
  for (Wide at = thread; at < here * k; at += count)
    step.factor.data[(first + at / k) * step.factor.stride + at % k] =
        result[at % k * pitch + at / k];
}

}  // namespace

Code row_step(Queue* queue, const RowStep* request) {
  const RowStep& step = *request;
  if (step.rows == 0 || step.k == 0) return Code::ok;
  const Wide normal = step.k * step.k * static_cast<Wide>(sizeof(float));
  for (int threads = step.rows <= 32 ? 32 : most_threads; threads >= 32; threads /= 2) {
    const Wide tiles =
        tiles_of(step.kind) * step.k * (threads + 1) * static_cast<Wide>(sizeof(float));
    if (tiles > most_shared) continue;
    // Fewer rows at a time where that leaves room for the normal matrix.
    const bool inside = tiles + normal <= most_shared;
    if (!inside && threads > 64) continue;
    return launch(queue, blocks_for(step.rows, threads, step.rows), threads,
                  static_cast<std::size_t>(tiles + (inside ? normal : 0)), "row_step", step_rows,
                  step, inside ? 1 : 0);
  }
  return failed(Code::unavailable, "a step with too many components for shared memory");
}

}  // namespace gemmine::cuda::device
