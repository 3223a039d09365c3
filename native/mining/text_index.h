#pragma once

#include <span>
#include <unordered_map>
#include <vector>

#include "backend/row_classes.h"
#include "mining/mine.h"

namespace gemmine {

// Corpus rows by text, and the known answers of each query text.
class TextIndex {
 public:
  // Removed rows, which are not in `live`, have no text.
  TextIndex(const MineOptions& options, Index corpus_rows, RowFilter live);

  // Classes of the rows that share their text with another row.
  const RowClasses& classes() const { return classes_; }
  // Texts that no negative of a query may have: its own text, those of its positives, and those of
  // the positives of queries with the same text. Ascending, unique.
  std::vector<std::int32_t> known_texts(Index query) const;
  std::span<const std::int32_t> rows_of(std::int32_t text) const;
  // Among the rows that the group of a query admits: rows with a class, minus one for every class
  // with such rows.
  Index repeated_rows(std::int32_t group) const;
  // The decrease of this number without the rows `left_out` (ascending, admitted by the group).
  Index repeated_among(std::int32_t group, std::span<const std::int32_t> left_out) const;

 private:
  void collect_rows(Index corpus_rows, RowFilter live);
  void collect_classes(Index corpus_rows);
  void collect_known();
  void count_repeated();
  Index admitted(std::int32_t row_class, std::int32_t group) const;

  const MineOptions& options_;
  std::vector<std::int32_t> rows_;   // rows with a text, by text, then row
  std::vector<std::int32_t> class_;  // [corpus rows]
  std::vector<std::uint32_t> shared_;
  std::vector<Index> starts_;
  std::vector<std::int32_t> class_rows_;
  RowClasses classes_;
  std::unordered_map<std::int32_t, std::vector<std::int32_t>> known_;  // by query text
  Index repeated_ = 0;                                     // among all rows, without a group
  std::unordered_map<std::int32_t, Index> repeated_more_;  // by group
};

}  // namespace gemmine
