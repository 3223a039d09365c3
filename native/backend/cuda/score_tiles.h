#pragma once

#include "backend/cuda/epilogue_table.h"
#include "backend/cuda/scan_queries.h"

namespace gemmine::cuda {

inline constexpr Index stretch_rows = 32;  // rows that a warp looks at together

inline Index whole_stretches(Index rows) {
  return (rows + stretch_rows - 1) / stretch_rows * stretch_rows;
}

// Scores of some queries with consecutive rows of a corpus, on the device, tile by tile.
class ScoreTiles {
 public:
  // `rows` are the queries of the lanes.
  ScoreTiles(const CudaCorpus& corpus, const QueryLanes& lanes, std::span<const std::int32_t> rows);
  // Work that is under way when something throws uses this memory.
  ~ScoreTiles() { device().runtime().synchronize(device().compute()); }
  ScoreTiles(const ScoreTiles&) = delete;
  ScoreTiles& operator=(const ScoreTiles&) = delete;

  // At most, of a tile: a multiple of 32 rows.
  Index rows_at_once() const { return stride_; }
  const TileLane* lanes() const { return lanes_.data(); }
  // Gives the device the work of making the scores of the rows first .. first + count - 1; `first`
  // is a multiple of 32. The tile is valid until the next call.
  ScoreTile make(Index first, Index count, const Job& job);

 private:
  const Device& device() const { return *corpus_.device(); }

  const CudaCorpus& corpus_;
  const Index lane_count_;
  StoredFeed stored_;
  Array<std::uint16_t> halves_;
  Array<TileLane> lanes_;
  const Index stride_;
  Array<float> scores_;
};

// How many queries share tiles at most.
Index most_lanes_of(const CudaCorpus& corpus);
// Rows of a tile: a multiple of 32, at most `most`.
Index rows_of_tile(const CudaCorpus& corpus, Index lanes, Index most);
// `rows` are the queries of the lanes.
std::vector<TileLane> tile_lanes(const QueryLanes& lanes, std::span<const std::int32_t> rows);

}  // namespace gemmine::cuda
