#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <utility>
#include <vector>

#include "backend/scans.h"

namespace gemmine {

// Sets of corpus rows as bitmaps [⌈rows / 32⌉]: bit i of word w is row 32·w + i.
struct RowSets {
  std::vector<const std::uint32_t*> words;  // of each set
  const std::int32_t* of = nullptr;  // [queries], the set of each query, −1 for none; null: the
                                     // first set for all queries, if there is one

  // Null for none.
  const std::uint32_t* set_of(Index query) const {
    const Index set = of != nullptr ? of[query] : words.empty() ? -1 : 0;
    return set < 0 ? nullptr : words[set];
  }
};

// The rows that queries may get: those in `allow` and in `listed`, and not in `exclude`.
struct RowChoice {
  RowSets allow = {};
  RowSets exclude = {};
  RowLists listed = {.indptr = nullptr, .indices = nullptr};  // null: all rows

  bool is_set() const {
    return !allow.words.empty() || !exclude.words.empty() || listed.indptr != nullptr;
  }
};

// Filters for the questions of one request. They are copies, because bitmaps may be in memory that
// the caller can change.
class RowFilters {
 public:
  RowFilters(const RowChoice& choice, Index rows) : choice_(choice), rows_(rows) {}

  // Valid until clear().
  RowFilter of(Index query);
  void clear() {
    shared_.clear();
    own_.clear();
  }
  // Bytes for the filter of a query; 0 if all queries have the same.
  Index bytes() const;

 private:
  using Words = std::vector<std::uint32_t>;

  Words combined(const std::uint32_t* allow, const std::uint32_t* exclude) const;

  const RowChoice& choice_;
  const Index rows_;
  std::map<std::pair<const void*, const void*>, Words> shared_;  // by allow and exclude
  std::deque<Words> own_;                                        // of queries with lists
};

}  // namespace gemmine
