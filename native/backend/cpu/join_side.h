#pragma once

#include <atomic>
#include <cmath>
#include <vector>

#include "backend/cpu/tile_scan.h"

namespace gemmine::cpu {

// One side of a join: each of its rows needs the best rows of the other side, in its own units
// (ScanBound). A tile gives bounds in the units of its queries. `turned` converts them to the units
// of a row of its panel; they are bounds for that row too, because scores are symmetric in every
// bit.
//
// A row's list has one writer at a time.
class JoinSide {
 public:
  // `asked` are the rows of this side, in ascending order; those in `open` have lists. `others` is
  // the number of rows of the other side. `unit` is a power of two; in this unit no score of a tile
  // exceeds 64.
  JoinSide(const ScanRequest& request, const Asked& asked, const Asked& open,
           std::vector<ScanBound> bounds, Index others, bool last, double unit);

  Index size() const { return static_cast<Index>(asked_.size()); }
  std::int32_t row(Index i) const { return rows_[i].number; }

  // Rows as queries: thresholds of a tile's queries, and the conversion of its bounds to the common
  // unit.
  const TileFilter& filter(Index tile) const { return filters_[tile]; }
  const ColumnUnits& units(Index tile) const { return units_[tile]; }
  // Rows as rows of panels: thresholds in the common unit, +∞ for a row without a list.
  const float* thresholds(Index first) const { return &columns_[first]; }

  // The bounds of the score of row i with query `at` of side `from`, in units of row i.
  Candidate turned(const JoinSide& from, Index at, Index i, float upper, float lower) const {
    const Row &query = from.rows_[at], &to = rows_[i];
    const double scale = query.scale * to.inverse_scale;
    const double slack = query.slack * scale + to.slack;
    const double above = (upper + query.above) * scale - to.above + slack;
    const double below = (lower + query.below) * scale - to.below - slack;
    return {static_cast<float>(above + float_slack(above)),
            static_cast<float>(below - float_slack(below)), from.row(at)};
  }
  // Loads what candidates of `count` rows need into cache.
  void prefetch(Index first, Index count) const;
  // Adds a candidate to row i's list if it is not barred.
  void take(Index i, const Candidate& candidate);
  // The same, if the candidate reaches the list's threshold.
  void take_if_near(Index i, const Candidate& candidate) {
    if (!(candidate.upper < threshold(i))) take(i, candidate);
  }

  Index overflowing() const { return overflowing_; }  // number of lists
  bool is_full(const Job& job) const { return unlimited_ && held_ > most_held(job); }
  // Ranks the decided rows; returns the others.
  Asked rank(std::vector<Ranking>& rankings, const Job& job);

 private:
  // Numbers of a row for the conversion of scores: canonical scores in the common unit lie between
  // (lower + below)·scale and (upper + above)·scale.
  struct Row {
    double above;
    double below;
    double scale;               // a power of two
    double inverse_scale;       // 1 / scale
    double slack;               // for rounding errors
    std::int32_t number;        // of the row, in its own matrix
    std::int32_t first_barred;  // above last_barred if no row is barred
    std::int32_t last_barred;
  };

  // x plus this slack, rounded to float32, is at least x.
  static double float_slack(double x) { return std::abs(x) * 0x1p-23 + 0x1p-148; }

  Row row_of(Index i) const;
  ColumnUnits units_of(Index tile) const;
  bool bars(Index i, std::int32_t other) const;
  void update(Index i);
  float& threshold(Index i) { return filters_[i / tile_queries].admissible[i % tile_queries]; }

  const ScanRequest& request_;
  const Asked& asked_;
  const std::vector<ScanBound> bounds_;
  const double unit_;
  std::vector<Row> rows_;
  std::vector<char> is_open_;
  std::vector<CandidateList> lists_;
  std::vector<TileFilter> filters_;     // [tiles]
  std::vector<ColumnUnits> units_;      // [tiles]
  std::vector<float> columns_;          // [rows, padded to whole panels]
  bool unlimited_ = false;              // some row has depth every_row
  std::atomic<Index> held_ = 0;         // number of candidates, if unlimited
  std::atomic<Index> overflowing_ = 0;  // number of lists
};

}  // namespace gemmine::cpu
