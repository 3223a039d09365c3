#pragma once

#include <vector>

#include "mining/mine.h"

namespace gemmine {

// Which queries a row of the corpus must not get: those that must not get the row, and those that
// are the row themselves.
class ReversedLists {
 public:
  // Throws ErrorCode::out_of_memory for lists of more than 2^31 − 1 entries.
  ReversedLists(const RowLists& exclude, const SelfRows& self, Index queries, Index rows);

  // Ascending, each query once; a row that is a query of its own number is not in the lists.
  const RowLists& lists() const { return view_; }

 private:
  RowLists view_{.indptr = nullptr, .indices = nullptr};
  std::vector<std::int32_t> starts_, queries_;
};

}  // namespace gemmine
