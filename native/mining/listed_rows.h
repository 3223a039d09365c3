#pragma once

#include <unordered_map>
#include <vector>

#include "mining/candidates.h"
#include "mining/text_index.h"

namespace gemmine {

// The rows that the rules name for one query whatever they score, each with the first rule that
// hits it. Scans leave them all out; duplicates still take raw ranks.
struct ListedRows {
  std::vector<std::int32_t> rows;  // ascending, unique
  std::vector<Rule> rules;         // self, positive, excluded, group (of a duplicate) or duplicate
};

// Corpus rows by text and by group.
class RowIndex {
 public:
  RowIndex(const MineOptions& options, Index corpus_rows);

  ListedRows listed_rows(Index query) const;
  // Rows that the group rule forbids, listed ones too.
  Index forbidden_rows(Index query) const;
  // Rows that are neither listed nor forbidden and have a better one of their text among those.
  Index repeated_rows(Index query, const ListedRows& listed) const;
  std::int32_t group_of(Index query) const;
  bool forbids(Index query, std::int32_t row) const;
  const RowClasses& classes() const { return texts_.classes(); }

 private:
  void add_duplicates(Index query, std::vector<std::pair<std::int32_t, Rule>>& found) const;

  const MineOptions& options_;
  Index corpus_rows_;
  TextIndex texts_;
  std::unordered_map<std::int32_t, Index> group_sizes_;
};

}  // namespace gemmine
