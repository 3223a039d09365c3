#include <math.h>

#include "backend/cuda/device/entry_kernels.h"
#include "backend/cuda/device/over_rows.cuh"
#include "backend/cuda/device/random.cuh"

// What entries contribute to a loss, and their terms, in float64: docs/math/divergences.md and
// docs/math/robust-losses.md have the formulas, cpu/ratio_kernels.inl the same for the CPU.
namespace gemmine::cuda::device {
namespace {

constexpr std::uint32_t hold_out_stream = 1001;          // of backend/entries.h
constexpr double smallest_correntropy_weight = 0x1p-60;  // of backend/cpu/kernels.h
constexpr double step_size =
    4;  // of the logistic loss: the curvature of ln(1 + e^v) is at most 1/4

struct Entry {
  Wide at;  // place of its terms in a sparse row; its column in a dense one
  double x, v;
};

__device__ Wide count_of(const EntryRows& rows, Wide i) {
  return rows.starts == nullptr ? rows.cols : rows.starts[i + 1] - rows.starts[i];
}

__device__ bool is_seen(const EntryRows& rows, Wide i, Wide column, float x) {
  if (rows.seen != nullptr && rows.seen[i * rows.cols + column] == 0) return false;
  if (rows.nan_is_missing != 0 && x != x) return false;
  if (rows.held_out == 0) return true;
  const double u =
      counter_uniform(rows.seed, hold_out_stream, static_cast<std::uint64_t>(rows.first_row + i),
                      static_cast<std::uint32_t>(column));
  return (u < rows.held_out) == (rows.only_held_out != 0);
}

// The q-th entry of row i; returns whether it counts.
__device__ bool read(const EntryRows& rows, Wide i, Wide q, Entry& entry) {
  const bool dense = rows.starts == nullptr;
  entry.at = dense ? q : rows.starts[i] - rows.first_entry + q;
  const float x = rows.x[dense ? i * rows.x_stride + q : entry.at];
  entry.x = static_cast<float>(rows.scale * x);
  entry.v = rows.v[dense ? i * rows.v_stride + q : entry.at];
  return is_seen(rows, i, dense ? q : Wide{rows.columns[entry.at]}, x);
}

__device__ double divergence(double x, double v, double beta) {
  if (beta == 2) return 0.5 * (x - v) * (x - v);
  if (beta == 1) return (x > 0 ? x * log(x / v) : 0.0) - x + v;
  if (beta == 0) return x / v - log(x / v) - 1;
  const double to_beta = x > 0 || beta < 0 ? pow(x, beta) : 0.0;
  const double below = pow(v, beta - 1);
  return (to_beta + (beta - 1) * below * v - beta * x * below) / (beta * (beta - 1));
}

// x ln(x/v) − (x + s) ln((x + s)/(v + s)), as a difference of numbers of its own size.
__device__ double negative_binomial(double x, double v, double s) {
  const double z = (x - v) / (v + s);
  const double quotient = z < -0.5 ? log((x + s) / (v + s)) : log1p(z);
  return (x > 0 ? x * log1p(s * (x - v) / (v * (x + s))) : 0.0) - s * quotient;
}

__device__ double likely(double v) {
  const double small = exp(v < 0 ? v : -v);  // at most 1
  return (v < 0 ? small : 1.0) / (1 + small);
}

__device__ double loss_of(const EntryRows& rows, double x, double v) {
  const double p = rows.parameter;
  const double r = x > v ? x - v : v - x;
  switch (rows.loss) {
    case EntryLoss::divergence:
      return divergence(x, v, rows.beta);
    case EntryLoss::negative_binomial:
      return negative_binomial(x, v, p);
    case EntryLoss::huber:
      return r > p ? p * (r - 0.5 * p) : 0.5 * r * r;
    case EntryLoss::correntropy:
      return -p * p * expm1(-0.5 * (r / p) * (r / p));
    case EntryLoss::logistic:
      return log1p(exp(v < 0 ? v : -v)) + (v > 0 ? v : 0.0) - x * v;
    case EntryLoss::row_length:
    case EntryLoss::row_correntropy:
      return 0.5 * r * r;
  }
  return 0;
}

// s, for which ½s(x − v)² + c bounds the contribution from above.
__device__ double square_weight(const EntryRows& rows, double x, double v) {
  const double r = x > v ? x - v : v - x;
  if (rows.loss == EntryLoss::huber) return r > rows.parameter ? rows.parameter / r : 1.0;
  if (rows.loss != EntryLoss::correntropy) return 1;
  const double weight = exp(-0.5 * (r / rows.parameter) * (r / rows.parameter));
  return weight < smallest_correntropy_weight ? 0.0 : weight;
}

struct Terms {
  double above, below;
};

__device__ Terms terms_of(const EntryRows& rows, double x, double v) {
  const double s = rows.parameter;
  if (rows.loss == EntryLoss::logistic) return {step_size * (x - likely(v)), 0};
  if (rows.loss == EntryLoss::negative_binomial) {
    if (rows.beta != 0) return {x / v, (x + s) / (v + s)};
    const double share = (1 + s) / (v + s);
    return {x / v * share, share};
  }
  if (rows.loss != EntryLoss::divergence || rows.beta == 2) {
    const double weight = square_weight(rows, x, v);
    return {weight * x, weight * v};
  }
  if (rows.beta == 1) return {x / v, 1};
  const double below = rows.beta == 0 ? 1 / v : pow(v, rows.beta - 1);
  return {x / v * below, below};
}

__device__ double raised(double v, double least) { return v > least ? v : least; }

struct MeasureBody {
  MeasureEntries r;

  __device__ double measured(const Entry& entry) const {
    const EntryRows& rows = r.entries;
    if (r.measure == EntryMeasure::losses)
      return loss_of(rows, entry.x, raised(entry.v, rows.least));
    const double v = rows.loss == EntryLoss::logistic ? likely(entry.v) : entry.v;
    return (entry.x - v) * (entry.x - v);
  }

  // What entries with x = 0 that are not stored contribute, but for the sum over those that are.
  __device__ double of_model(Wide i, int lane) const {
    double sum = 0;
    const float* w = r.W.data + i * r.W.stride;
    for (Wide a = lane; a < r.k; a += 32) {
      if (r.column_sums != nullptr) sum += w[a] * r.column_sums[a];
      for (Wide b = 0; r.gram != nullptr && b < r.k; ++b)
        sum += double{w[a]} * w[b] * r.gram[a * r.k + b];
    }
    return sum;
  }

  __device__ void operator()(Wide i, int lane) const {
    const EntryRows& rows = r.entries;
    const Wide count = count_of(rows, i);
    double sum = 0;
    for (Wide q = lane; q < count; q += 32) {
      Entry entry;
      if (!read(rows, i, q, entry)) continue;
      sum += measured(entry);
      if (r.column_sums != nullptr) sum -= entry.v;
      if (r.gram != nullptr) sum -= entry.v * entry.v;
    }
    if (r.column_sums != nullptr || r.gram != nullptr) sum += of_model(i, lane);
    sum = warp_sum(sum);
    if (lane == 0) r.to[i] = sum;
  }
};

struct TermsBody {
  EntryTerms r;

  __device__ Terms formed(const Entry& entry) const {
    if (r.squares == 0) return terms_of(r.entries, entry.x, raised(entry.v, r.entries.least));
    const double weight = square_weight(r.entries, entry.x, raised(entry.v, r.entries.least));
    return {weight * entry.x, weight};
  }

  __device__ void operator()(Wide i, int lane) const {
    const EntryRows& rows = r.entries;
    const bool dense = rows.starts == nullptr;
    const Wide count = count_of(rows, i);
    for (Wide q = lane; q < count; q += 32) {
      Entry entry;
      Terms terms{0, 0};
      if (read(rows, i, q, entry)) terms = formed(entry);
      const double share = r.shares[i];
      r.above[dense ? i * r.above_stride + q : entry.at] = static_cast<float>(share * terms.above);
      if (r.below != nullptr)
        r.below[dense ? i * r.below_stride + q : entry.at] =
            static_cast<float>(share * terms.below);
    }
  }
};

}  // namespace

Code measure_entries(Queue* queue, const MeasureEntries* r) {
  return for_rows(queue, r->entries.rows, "measure_entries", MeasureBody{*r});
}
Code entry_terms(Queue* queue, const EntryTerms* r) {
  return for_rows(queue, r->entries.rows, "entry_terms", TermsBody{*r});
}

}  // namespace gemmine::cuda::device
