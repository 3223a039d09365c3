#include "backend/cpu/scan_queries.h"

#include <algorithm>
#include <cmath>

#include "backend/proof/scan_bounds.h"
#include "core/pool.h"
#include "core/row_block.h"

namespace gemmine::cpu {
namespace {

// A query of larger norm could overflow float32 in a product (distances only: others are scaled).
constexpr double largest_norm = 0x1p60;
// Covers the roundings of norms and factors.
constexpr double rounded = 1 + 0x1p-20;

Index tiles_of(std::size_t asked) {
  return (static_cast<Index>(asked) + tile_queries - 1) / tile_queries;
}

}  // namespace

QueryTiles::QueryTiles(const CpuQueries& queries, const ScanPanels& panels,
                       std::span<const ScanQuery* const> asked, double bound_factor, const Job& job)
    : panels_(panels),
      bound_factor_(bound_factor),
      wide_centre_((queries.rows().cols() + 7) / 8 * 8),
      no_centre_(queries.rows().cols()),
      values_(allocate_aligned(tiles_of(asked.size()) * panels.words() * tile_queries)),
      factors_(tiles_of(asked.size())),
      bounds_(asked.size()) {
  const std::vector<float>& centre = panels.rows().centre();
  std::copy(centre.begin(), centre.end(), wide_centre_.begin());
  std::vector<Scratch> scratch(worker_count(job));
  for (Scratch& each : scratch) {
    each.query.resize(centre.size());
    each.words.resize(panels.words());
  }
  parallel_for(job, count(),
               [&](Index tile, Index worker) { pack_tile(queries, asked, tile, scratch[worker]); });
}

void QueryTiles::pack_tile(const CpuQueries& queries, std::span<const ScanQuery* const> asked,
                           Index tile, Scratch& scratch) {
  const Index words = panels_.words();
  float* values = values_.get() + tile * words * tile_queries;
  const Index begin = tile * tile_queries;
  for (int lane = 0; lane < tile_queries; ++lane) {
    if (begin + lane < static_cast<Index>(asked.size()))
      bounds_[begin + lane] =
          pack_query(queries, asked[begin + lane]->query, lane, factors_[tile], scratch);
    else
      std::fill(scratch.words.begin(), scratch.words.end(), 0.0f);
    for (Index t = 0; t < words; ++t) values[t * tile_queries + lane] = scratch.words[t];
  }
}

// Writes the scaled query's words to scratch.words, or zeros if the query is not usable.
ScanBound QueryTiles::pack_query(const CpuQueries& queries, Index query, int lane,
                                 RowFactors& factors, Scratch& scratch) const {
  const CentredRows& corpus = panels_.rows();
  const Index d = corpus.source().cols();
  const float* row = queries.rows().block(query, 1, scratch.rows).dense.data;
  const double length = queries.norms()[query];
  const bool distance = is_distance(corpus.metric());
  const bool unit_row = has_unit_rows(corpus.metric());
  const int exponent = !distance && !unit_row && length > 0 ? -std::ilogb(length) : 0;
  const double factor = unit_row && length > 0 ? 1 / length : 1.0;
  const double scale = std::ldexp(1.0, distance ? corpus.exponent() : exponent);
  const double squared =
      scan_kernels().centre_row(row, factor, distance ? corpus.centre().data() : no_centre_.data(),
                                scale, d, scratch.query.data());
  const double residual =
      std::sqrt(panels_.format().pack_row(scratch.query.data(), d, scratch.words.data()));
  const double norm = std::sqrt(squared) + residual;
  const bool usable = norm <= largest_norm && d <= bounds::largest_dimension;
  if (!usable) std::fill(scratch.words.begin(), scratch.words.end(), 0.0f);

  double offset = -squared / 2;
  if (!distance) {
    const float* const same[4] = {row, row, row, row};
    double sums[4];
    scan_kernels().dot_rows(wide_centre_.data(), same, d, sums);
    offset = sums[0] * factor * std::ldexp(scale, corpus.exponent());
  }
  const int unit = distance ? 1 - 2 * corpus.exponent() : -exponent - corpus.exponent();
  const Size size = usable ? Size{norm, squared, residual} : Size{0, 0, 0};
  return {.unit = std::ldexp(1.0, unit),
          .offset = offset,
          .error = set_error(size, lane, factors),
          .usable = usable};
}

// Sets the factors of the row's terms in E; returns the part of E that is the same for all rows.
double QueryTiles::set_error(const Size& size, int lane, RowFactors& factors) const {
  const CentredRows& corpus = panels_.rows();
  const Index d = corpus.source().cols();
  const double by_norm =
      (bounds::product_error(d, panels_.format().unit_roundoff) * size.norm + size.residual) *
      rounded;
  const double by_residual = size.norm * rounded;
  double error = bounds::constant_error(d) * size.norm + bounds::underflow(d);
  if (is_distance(corpus.metric())) error += bounds::squared_norm_error(d) * size.squared;
  factors.norm[lane] = bounds::float_above(by_norm * bound_factor_);
  factors.residual[lane] = bounds::float_above(by_residual * bound_factor_);
  return error * bound_factor_;
}

}  // namespace gemmine::cpu
