#pragma once

#include <optional>
#include <utility>

#include "backend/cpu/join_side.h"

namespace gemmine::cpu {

// Whether a request is one of all rows of a corpus against itself, which half the tiles answer.
bool is_self_join(const ScanRequest& request);
// Whether the questions of a request are such that lists alone answer them.
bool is_plain(const ScanRequest& request);

// What one side of a join asks; only the rows in `open` have lists.
struct JoinQuestion {
  const ScanRequest& request;
  const Asked& asked;
  const Asked& open;
};

// Tiles that serve both their sides, in one format: each is computed once, and filtered along its
// queries and along the rows of its panel. Of a corpus against itself these are the tiles of the
// upper triangle.
//
// Rows are cut into blocks, and pairs of blocks taken in rounds in which no block occurs twice, so
// that a list has one writer at a time and sees rows in an order that depends on shapes only.
class Join {
 public:
  // A corpus against itself.
  Join(const JoinQuestion& rows, const ScanPanels& panels, bool last, const Job& job);
  // Queries among rows of the corpus that follow each other, the first of them at a panel's start,
  // and these rows among the queries.
  Join(const JoinQuestion& queries, const JoinQuestion& rows, const ScanPanels& panels, bool last,
       const Job& job);

  // hopeless at once where a score could overflow.
  ScanEnd run();
  // Ranks what was decided, of either side; returns the others.
  Asked rank_queries(std::vector<Ranking>& rankings) { return queries_->rank(rankings, job_); }
  Asked rank_rows(std::vector<Ranking>& rankings) { return rows_->rank(rankings, job_); }

 private:
  struct Pair {
    Index queries;  // blocks
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
  const float* panel(Index i) const { return values_ + i * panels_.size(); }

  const ScanPanels& panels_;
  const bool last_;
  const Job& job_;
  const ScanRequest& request_;
  const Index first_row_;  // of the corpus, in panel 0
  const Index query_block_;
  const Index row_block_;
  QueryTiles tiles_;
  std::optional<JoinSide> queries_;
  std::optional<JoinSide> rows_;  // nothing for a corpus against itself
  AlignedFloats space_;
  const float* values_ = nullptr;  // panels
};

}  // namespace gemmine::cpu
