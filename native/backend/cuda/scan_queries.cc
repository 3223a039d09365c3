#include "backend/cuda/scan_queries.h"

#include <algorithm>
#include <cmath>

#include "backend/proof/scan_bounds.h"
#include "core/float16.h"
#include "core/pool.h"

namespace gemmine::cuda {
namespace {

// Of each operation in a sum of tensor cores, which cut sums off instead of rounding them. To be
// measured on a GPU.
constexpr double tensor_roundoff = 0x1p-21;
// A distant query of a larger norm could overflow float32 in a product.
constexpr double largest_norm = 0x1p60;
// Covers the roundings of norms and factors.
constexpr double rounded = 1 + 0x1p-20;
// Queries are stored with norms in [2^8, 2^9), as rows are (device/scan_rows.cu).
constexpr int stored_exponent = 8;
constexpr int most_exponent = 100;
constexpr Index packed_at_once = 8;  // queries, by one thread

double dot(const float* a, const float* b, Index d) {
  double sum = 0;
  for (Index t = 0; t < d; ++t) sum += double{a[t]} * double{b[t]};
  return sum;
}

// A query of the corpus's metric, scaled and for distances centred, before it is rounded.
struct ScaledQuery {
  ScaledQuery(const CudaCorpus& corpus, const float* row) : distance(is_distance(corpus.metric())) {
    const Index d = corpus.rows().cols();
    const std::vector<float>& centre = corpus.centre();
    const double length = std::sqrt(dot(row, row, d));
    const int own = !distance && !corpus.unit() && length > 0 ? -std::ilogb(length) : 0;
    const double factor = corpus.unit() && length > 0 ? 1 / length : 1.0;
    const double scale = std::ldexp(1.0, distance ? corpus.exponent() : own);
    values.resize(static_cast<std::size_t>(d));
    for (Index t = 0; t < d; ++t)
      values[t] = static_cast<float>(
          (double{row[t]} * factor - (distance ? double{centre[t]} : 0.0)) * scale);
    squared = dot(values.data(), values.data(), d);
    offset = distance ? -squared / 2
                      : dot(centre.data(), row, d) * factor * std::ldexp(scale, corpus.exponent());
    unit = std::ldexp(1.0, distance ? 1 - 2 * corpus.exponent() : -own - corpus.exponent());
  }

  bool distance;
  std::vector<float> values;
  double squared;
  double offset;
  double unit;
};

int stored_exponent_of(double norm) {
  return norm > 0 ? std::clamp(stored_exponent - std::ilogb(norm), -most_exponent, most_exponent)
                  : 0;
}

// Writes the query to `halves` [stored_cols]; returns ‖values − halves‖ in the query's own units.
double store(const std::vector<float>& values, int exponent, std::span<std::uint16_t> halves) {
  const double up = std::ldexp(1.0, exponent), down = std::ldexp(1.0, -exponent);
  double squared = 0;
  for (std::size_t t = 0; t < values.size(); ++t) {
    halves[t] = narrow_float16(static_cast<float>(double{values[t]} * up));
    const double off = double{values[t]} - double{widen_float16(halves[t])} * down;
    squared += off * off;
  }
  return std::sqrt(squared);
}

struct Packed {
  std::span<std::uint16_t> halves;
  std::span<float> scaled;
};

QueryLane lane_of(const CudaCorpus& corpus, const float* row, LaneFormat format,
                  double bound_factor, const Packed& to) {
  const Index d = corpus.stored_cols();
  const ScaledQuery query(corpus, row);
  const double own = std::sqrt(query.squared);
  const bool usable = own <= largest_norm && d <= bounds::largest_dimension;
  if (!usable) return {{query.unit, query.offset, 0, false}, 1, 0, 0};
  const bool narrow = format == LaneFormat::float16;
  const int exponent = narrow ? stored_exponent_of(own) : 0;
  double residual = 0;
  if (narrow)
    residual = store(query.values, exponent, to.halves);
  else
    std::ranges::copy(query.values, to.scaled.begin());
  const double roundoff = narrow ? tensor_roundoff : bounds::float32_roundoff;
  const double norm = own + residual;
  const double by_norm = (bounds::product_error(d, roundoff) * norm + residual) * rounded;
  double error = bounds::constant_error(d) * norm + bounds::underflow(d);
  if (query.distance) error += bounds::squared_norm_error(d) * query.squared;
  return {.bound = {query.unit, query.offset, error * bound_factor, true},
          .scale = static_cast<float>(std::ldexp(1.0, -exponent)),
          .norm = bounds::float_above(by_norm * bound_factor),
          .residual = bounds::float_above(norm * rounded * bound_factor)};
}

}  // namespace

QueryLanes::QueryLanes(const CudaQueries& queries, std::span<const std::int32_t> rows,
                       LaneFormat format, double bound_factor, const Job& job) {
  const CudaCorpus& corpus = queries.corpus();
  const Index d = corpus.rows().cols(), stored = corpus.stored_cols();
  const auto count = static_cast<Index>(rows.size());
  const bool narrow = format == LaneFormat::float16;
  halves.resize(static_cast<std::size_t>(narrow ? count * stored : 0));
  scaled.resize(static_cast<std::size_t>(narrow ? 0 : count * d));
  values.resize(static_cast<std::size_t>(count * d));
  lanes.resize(static_cast<std::size_t>(count));
  std::vector<RowScratch> scratch(static_cast<std::size_t>(worker_count(job)));
  parallel_for(job, (count + packed_at_once - 1) / packed_at_once, [&](Index part, Index worker) {
    for (Index i = part * packed_at_once; i < std::min((part + 1) * packed_at_once, count); ++i) {
      const float* row = queries.rows().block(rows[i], 1, scratch[worker]).dense.data;
      std::copy_n(row, d, &values[i * d]);
      Packed to;
      if (narrow)
        to.halves = std::span(halves).subspan(i * stored, static_cast<std::size_t>(stored));
      else
        to.scaled = std::span(scaled).subspan(i * d, static_cast<std::size_t>(d));
      lanes[i] = lane_of(corpus, row, format, bound_factor, to);
    }
  });
}

}  // namespace gemmine::cuda
