#include "backend/cuda/score_tiles.h"

#include <algorithm>
#include <limits>

namespace gemmine::cuda {

Index rows_of_tile(const CudaCorpus& corpus, Index lanes, Index most) {
  const Index fitting =
      corpus.sizes().scores / Index{sizeof(float)} / lanes / stretch_rows * stretch_rows;
  return std::min({std::max(fitting, stretch_rows), whole_stretches(corpus.rows().rows()), most});
}

// A query whose scores could overflow may be anything.
std::vector<TileLane> tile_lanes(const QueryLanes& lanes, std::span<const std::int32_t> rows) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  std::vector<TileLane> made;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& [bound, scale, norm, residual] = lanes.lanes[i];
    made.push_back({.scale = scale,
                    .norm = norm,
                    .residual = residual,
                    .row = rows[i],
                    .above = bound.usable ? bound.offset + bound.error : infinity,
                    .below = bound.usable ? bound.offset - bound.error : -infinity,
                    .unit = bound.unit});
  }
  return made;
}

ScoreTiles::ScoreTiles(const CudaCorpus& corpus, const QueryLanes& lanes,
                       std::span<const std::int32_t> rows)
    : corpus_(corpus),
      lane_count_(static_cast<Index>(lanes.lanes.size())),
      stored_(corpus),
      halves_(corpus.device(), lanes.halves),
      lanes_(corpus.device(), tile_lanes(lanes, rows)),
      stride_(rows_of_tile(corpus, lane_count_, stored_.rows_at_once())),
      scores_(corpus.device(), lane_count_ * stride_) {}

ScoreTile ScoreTiles::make(Index first, Index count, const Job& job) {
  const StoredRows stored = stored_.bring(first, count, job);
  const Product product{.number = Number::float16,
                        .transpose_a = 0,
                        .transpose_b = 1,
                        .m = lane_count_,
                        .n = count,
                        .k = corpus_.stored_cols(),
                        .alpha = 1,
                        .A = halves_.data(),
                        .stride_a = corpus_.stored_cols(),
                        .B = stored.halves,
                        .stride_b = corpus_.stored_cols(),
                        .beta = 0,
                        .C = scores_.data(),
                        .stride_c = stride_};
  device().require(device().runtime().multiply(device().compute(), &product));
  return {.scores = scores_.data(),
          .stride = stride_,
          .lanes = static_cast<std::int32_t>(lane_count_),
          .rows = static_cast<std::int32_t>(count),
          .first_row = static_cast<std::int32_t>(first),
          .unused = 0,
          .lane = lanes_.data(),
          .bounds = stored.bounds};
}

Index most_lanes_of(const CudaCorpus& corpus) {
  const ScanSizes& sizes = corpus.sizes();
  const Index lane_bytes = corpus.rows().cols() * Index{sizeof(float) + sizeof(std::uint16_t)} +
                           stretch_rows * Index{sizeof(float)};
  return std::clamp<Index>(std::min(sizes.rows, sizes.scores) / lane_bytes, 1, sizes.lanes);
}

}  // namespace gemmine::cuda
