#pragma once

#include <span>
#include <unordered_map>
#include <vector>

#include "backend/row_classes.h"
#include "mining/mine.h"

namespace gemmine {

// Corpus rows by text, and what each query's text is known to be answered by.
class TextIndex {
 public:
  TextIndex(const MineOptions& options, Index corpus_rows);

  // Of the rows that have a text in common with another one.
  const RowClasses& classes() const { return classes_; }
  // Texts that no negative of a query may have: its own, those of its positives and of the
  // positives of queries with its text. Ascending, unique.
  std::vector<std::int32_t> known_texts(Index query) const;
  std::span<const std::int32_t> rows_of(std::int32_t text) const;
  // Rows, less one for every class that has any, among the rows that the group of a query admits.
  Index repeated_rows(std::int32_t group) const;
  // How many fewer they are without `left_out` (rows that the group admits, ascending).
  Index repeated_among(std::int32_t group, std::span<const std::int32_t> left_out) const;

 private:
  void collect_rows(Index corpus_rows);
  void collect_classes(Index corpus_rows);
  void collect_known();
  void count_repeated();
  Index admitted(std::int32_t row_class, std::int32_t group) const;

  const MineOptions& options_;
  std::vector<std::int32_t> rows_;   // that have a text, by text, then row
  std::vector<std::int32_t> class_;  // [corpus rows]
  std::vector<std::uint32_t> shared_;
  std::vector<Index> starts_;
  std::vector<std::int32_t> class_rows_;
  RowClasses classes_;
  std::unordered_map<std::int32_t, std::vector<std::int32_t>> known_;  // by the text of a query
  Index repeated_ = 0;  // among the rows of no group in particular
  std::unordered_map<std::int32_t, Index> repeated_more_;  // by group
};

}  // namespace gemmine
