#pragma once

#include <unordered_map>
#include <vector>

#include "mining/candidates.h"
#include "mining/text_index.h"

namespace gemmine {

// The rows that rules drop for one query independent of its scores, each with the first rule that
// applies. Scans exclude all of them; duplicates and rows near positives still have raw ranks.
struct ListedRows {
  std::vector<std::int32_t> rows;  // ascending, unique
  // self, positive, excluded, group (of a duplicate or near-positive), duplicate, near_positive or
  // absent
  std::vector<Rule> rules;
  // Rows outside the filter that self or positive names, ascending; scans do not read them.
  std::vector<std::pair<std::int32_t, Rule>> outside;
};

// Corpus rows by text and by group.
class RowIndex {
 public:
  // near_positives: by query (NearPositives), or no pointers; borrowed.
  RowIndex(const MineOptions& options, const CorpusHandle& corpus,
           const RowLists& near_positives = {});

  ListedRows listed_rows(Index query) const;
  // Number of rows that the group rule forbids, listed or not.
  Index forbidden_rows(Index query) const;
  // Number of rows that are neither listed nor forbidden and for which a better such row has the
  // same text.
  Index repeated_rows(Index query, const ListedRows& listed) const;
  std::int32_t group_of(Index query) const;
  bool forbids(Index query, std::int32_t row) const;
  const RowClasses& classes() const { return texts_.classes(); }
  // Rows of the corpus within the filter, without those removed.
  Index live_rows() const { return live_rows_; }
  // Rows outside the filter, without those removed.
  Index rows_outside() const { return rows_outside_; }
  bool holds(Index row) const { return rows_.holds(row); }
  // What a scan may read, if there is a filter.
  RowFilter filter() const { return words_.empty() ? RowFilter{} : rows_; }

 private:
  void add_absent(std::vector<std::pair<std::int32_t, Rule>>& found) const;
  void add_duplicates(Index query, std::vector<std::pair<std::int32_t, Rule>>& found) const;
  void add_near_positives(Index query, std::vector<std::pair<std::int32_t, Rule>>& found) const;

  const MineOptions& options_;
  RowFilter live_;                    // of the corpus
  std::vector<std::uint32_t> words_;  // of the live rows in the filter, if there is one
  RowFilter rows_;                    // live_, or words_
  Index live_rows_;
  Index rows_outside_;
  RowLists near_positives_;
  TextIndex texts_;
  std::unordered_map<std::int32_t, Index> group_sizes_;
};

}  // namespace gemmine
