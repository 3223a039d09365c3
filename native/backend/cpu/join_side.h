#pragma once

#include <atomic>
#include <cmath>
#include <vector>

#include "backend/cpu/tile_scan.h"

namespace gemmine::cpu {

// One side of a join: rows of which each asks for the best rows of the other side, in units of its
// own (ScanBound). A tile gives bounds in the units of its queries; `turned` brings them into those
// of a row of its panel, of which they are bounds as well: scores are symmetric, in every bit.
//
// A row's list has one writer at a time.
class JoinSide {
 public:
  // `asked` are the rows of this side, in ascending order; those in `open` have lists, of rows of
  // `others`. `unit` is a power of two in which no score of a tile exceeds 64.
  JoinSide(const ScanRequest& request, const Asked& asked, const Asked& open,
           std::vector<ScanBound> bounds, Index others, bool last, double unit);

  Index size() const { return static_cast<Index>(asked_.size()); }
  std::int32_t row(Index i) const { return static_cast<std::int32_t>(asked_[i]->query); }

  // As queries: thresholds of a tile's queries, and what brings its bounds into the common unit.
  const TileFilter& filter(Index tile) const { return filters_[tile]; }
  const ColumnUnits& units(Index tile) const { return units_[tile]; }
  // As rows of panels: thresholds in the common unit, +∞ for what has no list.
  const float* thresholds(Index first) const { return &columns_[first]; }

  // The bounds of a score that query `at` of another side has with row i, in units of row i.
  Candidate turned(const JoinSide& from, Index at, Index i, float upper, float lower) const {
    const Row &query = from.rows_[at], &to = rows_[i];
    const double scale = query.scale / to.scale;
    const double slack = query.slack * scale + to.slack;
    const double above = (upper + query.above) * scale - to.above + slack;
    const double below = (lower + query.below) * scale - to.below - slack;
    return {static_cast<float>(above + float_slack(above)),
            static_cast<float>(below - float_slack(below)), from.row(at)};
  }
  // Adds to row i's list what is not barred.
  void take(Index i, const Candidate& candidate);
  // The same where the candidate reaches the list's threshold.
  void take_if_near(Index i, const Candidate& candidate) {
    if (!(candidate.upper < threshold(i))) take(i, candidate);
  }

  Index overflowing() const { return overflowing_; }  // lists
  bool is_full() const { return unlimited_ && held_ > most_held; }
  // Ranks the rows that were decided; returns the others.
  Asked rank(std::vector<Ranking>& rankings, const Job& job);

 private:
  // What is needed of a row for each score: canonical scores in the common unit lie between
  // (lower + below)·scale and (upper + above)·scale.
  struct Row {
    double above;
    double below;
    double scale;
    double slack;               // of rounding
    std::int32_t first_barred;  // above last_barred where no row is barred
    std::int32_t last_barred;
  };

  // A number grown by this much is not below it once it is rounded to float32.
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
  std::vector<float> columns_;          // [whole panels of rows]
  bool unlimited_ = false;              // some row takes every row
  std::atomic<Index> held_ = 0;         // candidates, when unlimited
  std::atomic<Index> overflowing_ = 0;  // lists
};

}  // namespace gemmine::cpu
