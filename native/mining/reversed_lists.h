#pragma once

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

}  // namespace gemmine
