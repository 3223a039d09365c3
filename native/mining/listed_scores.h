#pragma once

#include <vector>

#include "mining/candidates.h"

namespace gemmine {

// Rows to be scored for some queries, by the places of the queries in a handle, in ascending order.
class ListedScores {
 public:
  // Returns false if the query is the same as the last one: its rows are already present.
  bool begin(Index query) {
    if (static_cast<Index>(indptr_.size()) == query + 1) return false;
    indptr_.resize(query + 1, end());
    return true;
  }
  // Adds a row of the query that was begun last; rows must ascend.
  void push(std::int32_t row, Rule rule) {
    rows_.push_back(row);
    rules_.push_back(rule);
  }
  void score(Scans& scans, const QueryHandle& queries, const Job& job) {
    indptr_.resize(queries.rows().rows() + 1, end());
    scores_.resize(rows_.size());
    if (!rows_.empty())
      scans.score_pairs(queries, {indptr_.data(), rows_.data()}, scores_.data(), job);
  }
  std::vector<RuledRow> of(Index query) const {
    std::vector<RuledRow> listed;
    for (std::int32_t i = indptr_[query]; i < indptr_[query + 1]; ++i)
      listed.push_back({{scores_[i], rows_[i]}, rules_[i]});
    return listed;
  }

 private:
  std::int32_t end() const { return static_cast<std::int32_t>(rows_.size()); }

  std::vector<std::int32_t> indptr_;  // [queries + 1], once scored
  std::vector<std::int32_t> rows_;
  std::vector<Rule> rules_;
  std::vector<double> scores_;
};

}  // namespace gemmine
