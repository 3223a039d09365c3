#include "backend/cuda/float_tiles.h"

#include <algorithm>

namespace gemmine::cuda {

FloatTiles::FloatTiles(const CudaCorpus& corpus, const QueryLanes& lanes,
                       std::span<const std::int32_t> rows)
    : corpus_(corpus),
      lane_count_(static_cast<Index>(lanes.lanes.size())),
      stride_(rows_of_tile(corpus, lane_count_, corpus.rows_at_once())),
      queries_(corpus.device(), lanes.scaled),
      lanes_(corpus.device(), tile_lanes(lanes, rows)),
      norms_(corpus.device()),
      rows_(corpus.device(), stride_ * corpus.rows().cols()),
      bounds_(corpus.device(), stride_),
      scores_(corpus.device(), lane_count_ * stride_) {
  if (corpus.keeps_rows()) return;
  feed_ = std::make_unique<RowFeed>(corpus.device(), corpus.rows(), stride_);
  if (corpus.unit()) norms_.reserve(stride_);
}

void FloatTiles::prepare(Index first, Index count, const Job& job) {
  if (!feed_) {
    const double* norms = corpus_.unit() ? corpus_.kept_norms() + first : nullptr;
    return corpus_.scale(corpus_.kept_rows() + first * corpus_.rows().cols(), count, norms,
                         rows_.data(), bounds_.data());
  }
  const float* from = feed_->bring(first, count, nullptr, job);
  double* norms = corpus_.unit() ? norms_.data() : nullptr;
  if (norms != nullptr) corpus_.measure(from, count, norms);
  corpus_.scale(from, count, norms, rows_.data(), bounds_.data());
  feed_->done();
}

ScoreTile FloatTiles::make(Index first, Index count, const Job& job) {
  prepare(first, count, job);
  const MultiplyRows request{.cols = corpus_.rows().cols(),
                             .queries = queries_.data(),
                             .rows = rows_.data(),
                             .scores = scores_.data(),
                             .stride = stride_,
                             .lane_count = static_cast<std::int32_t>(lane_count_),
                             .row_count = static_cast<std::int32_t>(count)};
  device().require(device().table().epilogues.multiply_rows(device().compute(), &request));
  return {.scores = scores_.data(),
          .stride = stride_,
          .lanes = static_cast<std::int32_t>(lane_count_),
          .rows = static_cast<std::int32_t>(count),
          .first_row = static_cast<std::int32_t>(first),
          .unused = 0,
          .lane = lanes_.data(),
          .bounds = bounds_.data()};
}

}  // namespace gemmine::cuda
