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

// The rows that queries may get: those in `allow` and in `listed`, and not in `exclude` or in
// `barred`.
struct RowChoice {
  RowSets allow = {};
  RowSets exclude = {};
  RowLists listed = {.indptr = nullptr, .indices = nullptr};  // null: all rows
  RowLists barred = {.indptr = nullptr, .indices = nullptr};  // where questions bar no rows

  bool is_set() const { return !allow.words.empty() || !exclude.words.empty() || is_listed(); }
  bool is_listed() const { return listed.indptr != nullptr || barred.indptr != nullptr; }
  // Whether all queries may get the same rows.
  bool is_common() const { return allow.of == nullptr && exclude.of == nullptr && !is_listed(); }
};

// The rows of both filters of a corpus, as words.
std::vector<std::uint32_t> rows_of_both(RowFilter a, RowFilter b, Index rows);

// Filters for the questions of one request.
class QuestionFilters {
 public:
  virtual ~QuestionFilters() = default;
  // Whether a row asks; others get no answer.
  virtual bool asks(Index) const { return true; }
  // What a row may get. Valid until clear().
  virtual RowFilter of(Index row) = 0;
  virtual void clear() = 0;
  // Bytes for the filter of a row; 0 if all rows have the same.
  virtual Index bytes() const = 0;
};

// Filters of queries. They are copies, because bitmaps may be in memory that the caller can change.
class RowFilters : public QuestionFilters {
 public:
  RowFilters(const RowChoice& choice, Index rows) : choice_(choice), rows_(rows) {}

  RowFilter of(Index query) override;
  void clear() override {
    shared_.clear();
    own_.clear();
  }
  Index bytes() const override;

 private:
  using Words = std::vector<std::uint32_t>;

  Words combined(const std::uint32_t* allow, const std::uint32_t* exclude) const;

  const RowChoice& choice_;
  const Index rows_;
  std::map<std::pair<const void*, const void*>, Words> shared_;  // by allow and exclude
  std::deque<Words> own_;                                        // of queries with lists
};

}  // namespace gemmine
