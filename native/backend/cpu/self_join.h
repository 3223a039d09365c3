#pragma once

#include <atomic>
#include <vector>

#include "backend/cpu/tile_scan.h"

namespace gemmine::cpu {

// All rows of a corpus against itself, in one format. A score serves both its rows: each tile of
// the upper triangle is computed once and filtered along its queries and along its columns.
//
// Rows are cut into blocks, and pairs of blocks taken in rounds in which no block occurs twice, so
// that a list has one writer at a time and sees rows in an order that depends on shapes only.
class SelfJoin {
 public:
  // Whether a request is one that can be answered so.
  static bool answers(const ScanRequest& request);

  // Only the rows in `open` have lists.
  SelfJoin(const ScanRequest& request, const ScanPanels& panels, const Asked& asked,
           const Asked& open, bool last, const Job& job);

  // hopeless at once where a score could overflow.
  ScanEnd run();
  // Ranks the rows that it decided; returns the others.
  Asked rank(std::vector<Ranking>& rankings);

 private:
  struct Pair {
    Index queries;  // blocks
    Index columns;
  };

  // What is needed of a row for each score: canonical scores in units of the columns lie between
  // (lower + below)·scale and (upper + above)·scale.
  struct Side {
    double above;
    double below;
    double scale;
    double slack;               // of rounding
    std::int32_t first_barred;  // above last_barred where no row is barred
    std::int32_t last_barred;
  };

  void prepare_lists(const Asked& open);
  ColumnUnits units_of(Index tile) const;
  std::vector<Pair> round(Index number) const;
  void look_at(const Pair& pair);
  void look(Index tile, Index panel, bool both_sides);
  void serve_queries(const float* upper, const float* lower, Index tile, Index panel);
  void serve_columns(const float* upper, const float* lower, Index tile, Index panel);
  void take(Index row, const Candidate& candidate);
  void update(Index row);
  Side side_of(Index row) const;
  bool bars(Index row, std::int32_t other) const;
  Candidate turned(Index query, Index row, float upper, float lower) const;
  float& threshold(Index row) {
    return filters_[row / tile_queries].admissible[row % tile_queries];
  }
  Index blocks() const { return (rows_ + block_ - 1) / block_; }
  const float* panel(Index i) const { return values_ + i * panels_.size(); }

  const ScanRequest& request_;
  const ScanPanels& panels_;
  const Asked& asked_;
  const bool last_;
  const Job& job_;
  const Index rows_;
  const Index block_;  // rows, whole tiles and whole panels
  QueryTiles tiles_;
  AlignedFloats space_;
  const float* values_ = nullptr;  // panels
  bool usable_ = true;
  double unit_;                         // of the columns' thresholds, in canonical scores
  std::vector<Side> sides_;             // [rows]
  std::vector<char> is_open_;           // [rows]
  std::vector<CandidateList> lists_;    // [rows]
  std::vector<TileFilter> filters_;     // [tiles]
  std::vector<ColumnUnits> units_;      // [tiles]
  std::vector<float> columns_;          // thresholds [whole panels of rows]
  bool unlimited_ = false;              // some row takes every row
  std::atomic<Index> held_ = 0;         // candidates, when unlimited
  std::atomic<Index> overflowing_ = 0;  // lists
};

}  // namespace gemmine::cpu
