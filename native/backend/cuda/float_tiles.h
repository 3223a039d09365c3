#pragma once

#include "backend/cuda/score_tiles.h"

namespace gemmine::cuda {

// As ScoreTiles, in float32, with bits that do not depend on the tile.
class FloatTiles {
 public:
  FloatTiles(const CudaCorpus& corpus, const QueryLanes& lanes, std::span<const std::int32_t> rows);
  // Work that is under way when something throws uses this memory.
  ~FloatTiles() { device().runtime().synchronize(device().compute()); }
  FloatTiles(const FloatTiles&) = delete;
  FloatTiles& operator=(const FloatTiles&) = delete;

  Index rows_at_once() const { return stride_; }
  ScoreTile make(Index first, Index count, const Job& job);

 private:
  const Device& device() const { return *corpus_.device(); }
  void prepare(Index first, Index count, const Job& job);

  const CudaCorpus& corpus_;
  const Index lane_count_;
  const Index stride_;
  std::unique_ptr<RowFeed> feed_;  // null if the corpus's rows are on the device
  Array<float> queries_;
  Array<TileLane> lanes_;
  Array<double> norms_;
  Array<float> rows_;  // of a tile
  Array<RowBound> bounds_;
  Array<float> scores_;
};

}  // namespace gemmine::cuda
