#pragma once

#include <optional>
#include <utility>

#include "backend/cpu/join_side.h"

namespace gemmine::cpu {

// Whether a request asks about all rows of a corpus against itself: half the tiles can answer it.
bool is_self_join(const ScanRequest& request, const Job& job);

// The questions of one side of a join; only the rows in `open` have lists.
struct JoinQuestion {
  const ScanRequest& request;
  const Asked& asked;
  const Asked& open;
};

// A scan in one format in which each tile serves both its sides: it is computed once, then filtered
// for its queries and for the rows of its panel. For a corpus against itself these are the tiles of
// the upper triangle.
//
// Rows are cut into blocks, and pairs of blocks are grouped in rounds. No block occurs twice in a
// round, so a list has one writer at a time and gets rows in an order that depends on shapes only.
class Join {
 public:
  // A corpus against itself.
  Join(const JoinQuestion& rows, ScanPanels& panels, bool last, const Job& job);
  // Queries against consecutive rows of the corpus, and these rows against the queries. The first
  // of these rows must be at the start of a panel.
  Join(const JoinQuestion& queries, const JoinQuestion& rows, ScanPanels& panels, bool last,
       const Job& job);

  // Returns hopeless at once if a score could overflow.
  ScanEnd run();
  // Each ranks the decided rows of one side and returns the others.
  Asked rank_queries(std::vector<Ranking>& rankings) { return queries_->rank(rankings, job_); }
  Asked rank_rows(std::vector<Ranking>& rankings) { return rows_->rank(rankings, job_); }

 private:
  struct Pair {
    Index queries;  // both are block numbers
    Index rows;
  };

  void set_sides(const JoinQuestion& queries, const JoinQuestion* rows);
  const JoinSide& rows() const { return rows_ ? *rows_ : *queries_; }
  JoinSide& rows() { return rows_ ? *rows_ : *queries_; }
  std::vector<Pair> round(Index number) const;
  std::vector<Pair> triangle_round(Index number) const;
  Index rounds() const;
  void report(Index done) const;
  void look_at(const Pair& pair);
  void look(Index tile, Index panel, bool both_sides);
  void serve_queries(const float* upper, const float* lower, Index tile, Index panel);
  void serve_rows(const float* upper, const float* lower, Index tile, Index panel);
  const float* panel(Index i) const { return values_[i]; }

  ScanPanels& panels_;
  const bool last_;
  const Job& job_;
  const ScanRequest& request_;
  const Index first_row_;  // first row of panel 0, in the corpus
  const Index query_block_;
  const Index row_block_;
  QueryTiles tiles_;
  std::optional<JoinSide> queries_;
  std::optional<JoinSide> rows_;  // empty for a corpus against itself
  AlignedFloats space_;
  PanelRun values_;  // panels
};

}  // namespace gemmine::cpu
