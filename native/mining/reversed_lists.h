#pragma once

#include <deque>
#include <vector>

#include "mining/mine.h"

namespace gemmine {

// The queries that a row of the corpus must not get: the queries that must not get the row, and the
// queries that are the row itself.
class ReversedLists {
 public:
  // Throws ErrorCode::out_of_memory for lists of more than 2^31 − 1 entries.
  ReversedLists(const RowLists& exclude, const SelfRows& self, Index queries, Index rows);

  // Ascending, each query once. With `same`, the query with the number of the row is not added.
  const RowLists& lists() const { return view_; }

 private:
  RowLists view_{.indptr = nullptr, .indices = nullptr};
  std::vector<std::int32_t> starts_, queries_;
};

// The queries that a row of the corpus may get: those that may get the row. Rows that were removed,
// and rows that no query may get, ask nothing.
class ReversedFilters : public QuestionFilters {
 public:
  ReversedFilters(const RowChoice& choice, RowFilter live, Index queries, Index rows);

  bool asks(Index row) const override {
    return live_.holds(row) && (!choice_.is_common() || allows(0, row));
  }
  RowFilter of(Index row) override;
  void clear() override { words_.clear(); }
  Index bytes() const override {
    return choice_.is_common() ? 0 : (queries_ + 31) / 32 * Index{sizeof(std::uint32_t)};
  }

 private:
  // Whether the sets allow a query a row.
  bool allows(Index query, Index row) const;

  const RowChoice& choice_;
  const RowFilter live_;
  const Index queries_;
  const ReversedLists listed_;
  std::deque<std::vector<std::uint32_t>> words_;
};

}  // namespace gemmine
