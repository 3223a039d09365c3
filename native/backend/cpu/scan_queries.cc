#include "backend/cpu/scan_queries.h"

#include <algorithm>
#include <cmath>

#include "backend/cpu/pool.h"
#include "backend/scan_bounds.h"

namespace gemmine::cpu {
namespace {

// A query this far out (l2 only: others are scaled) could overflow float32 in a product.
constexpr double largest_norm = 0x1p60;

}  // namespace

QueryTiles::QueryTiles(const CpuQueries& queries, std::span<const ScanQuery> asked,
                       double bound_factor, const Job& job)
    : d_(queries.rows().cols()),
      tiles_((static_cast<Index>(asked.size()) + tile_queries - 1) / tile_queries),
      bound_factor_(bound_factor),
      wide_centre_((d_ + 7) / 8 * 8),
      no_centre_(d_),
      values_(allocate_aligned(tiles_ * d_ * tile_queries)),
      alphas_(tiles_ * tile_queries),
      bounds_(asked.size()) {
  const std::vector<float>& centre = queries.corpus().centre();
  std::copy(centre.begin(), centre.end(), wide_centre_.begin());
  std::vector<Scratch> scratch(worker_count(job));
  for (Scratch& each : scratch) each.query.resize(d_);
  parallel_for(job, tiles_,
               [&](Index tile, Index worker) { pack_tile(queries, asked, tile, scratch[worker]); });
}

void QueryTiles::pack_tile(const CpuQueries& queries, std::span<const ScanQuery> asked, Index tile,
                           Scratch& scratch) {
  float* values = values_.get() + tile * d_ * tile_queries;
  const Index begin = tile * tile_queries;
  const Index count = std::min<Index>(tile_queries, static_cast<Index>(asked.size()) - begin);
  for (Index i = 0; i < tile_queries; ++i) {
    if (i < count) {
      bounds_[begin + i] = pack_query(queries, asked[begin + i].query, scratch);
      alphas_[begin + i] = bounds_[begin + i].alpha;
    } else {
      std::fill(scratch.query.begin(), scratch.query.end(), 0.0f);
    }
    for (Index t = 0; t < d_; ++t) values[t * tile_queries + i] = scratch.query[t];
  }
}

// Leaves the scaled query in scratch.query.
ScanBound QueryTiles::pack_query(const CpuQueries& queries, Index query, Scratch& scratch) const {
  const CpuCorpus& corpus = queries.corpus();
  const Metric metric = corpus.metric();
  const float* row = queries.rows().block(query, 1, scratch.rows).dense.data;
  const double length = queries.norms()[query];
  const bool l2 = metric == Metric::l2;
  const int exponent = metric == Metric::dot && length > 0 ? -std::ilogb(length) : 0;
  const double factor = metric == Metric::cosine && length > 0 ? 1 / length : 1.0;
  const double scale = std::ldexp(1.0, l2 ? corpus.exponent() : exponent);
  const double squared_norm =
      scan_kernels().centre_row(row, factor, l2 ? corpus.centre().data() : no_centre_.data(), scale,
                                d_, scratch.query.data());
  const double norm = std::sqrt(squared_norm);
  const bool usable = norm <= largest_norm && d_ <= bounds::largest_dimension;
  if (!usable) std::fill(scratch.query.begin(), scratch.query.end(), 0.0f);

  const double alpha = bounds::product_error(d_) * norm * (1 + 0x1p-20);
  double error = bounds::constant_error(d_) * norm + bounds::underflow(d_);
  if (l2) error += 2 * bounds::squared_norm_error(d_) * squared_norm;
  if (corpus.uniform()) error += alpha * (corpus.radius() * (1 + 0x1p-20) + 0x1p-100);
  double offset = -squared_norm / 2;
  if (!l2) {
    const float* const same[4] = {row, row, row, row};
    double sums[4];
    scan_kernels().dot_rows(wide_centre_.data(), same, d_, sums);
    offset = sums[0] * factor * std::ldexp(scale, corpus.exponent());
  }
  const int unit = l2 ? 1 - 2 * corpus.exponent() : -exponent - corpus.exponent();
  return {.unit = std::ldexp(1.0, unit),
          .offset = offset,
          .error = error * bound_factor_,
          .alpha = corpus.uniform() || !usable ? 0.0f : bounds::float_above(alpha * bound_factor_),
          .usable = usable};
}

}  // namespace gemmine::cpu
