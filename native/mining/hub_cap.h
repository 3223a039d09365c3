#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "core/job.h"
#include "core/matrix.h"
#include "mining/preference.h"

namespace gemmine {

// Allots rows to queries so that no row has more than `cap` queries: each query takes rows in its
// order of preference, and a row stays with the queries that score it highest (equal scores: the
// lower query). Deferred acceptance: Gale & Shapley (1962), "College Admissions and the Stability
// of Marriage". The answer does not depend on the order of the queries, nor on when their lists
// grow.
class HubCap {
 public:
  HubCap(Index count, Index cap) : count_(count), cap_(static_cast<std::size_t>(cap)) {}

  // Adds the next query, with the number given by its place.
  void add() { queries_.emplace_back(); }
  // `rows` begin with all rows that were given for this query before.
  void offer(std::size_t query, const std::vector<Negative>& rows);
  // Lets all queries take rows until each has `count` rows or none is left in its list.
  void settle(const Job& job);

  bool is_full(std::size_t query) const { return queries_[query].held == count_; }
  // Of the first end_of() rows of its list, those that the query holds.
  const std::vector<bool>& held_by(std::size_t query) const { return queries_[query].holds; }
  std::size_t end_of(std::size_t query) const { return queries_[query].holds.size(); }

 private:
  struct Query {
    std::vector<Negative> rows;
    std::vector<bool> holds = {};  // of the rows that the query has asked for
    Index held = 0;
  };
  struct Holder {
    double score;
    std::size_t query;
    std::size_t place;  // in the query's list
  };
  static bool before(const Holder& a, const Holder& b) {
    return a.score > b.score || (a.score == b.score && a.query < b.query);
  }

  void ask(std::size_t query);

  const Index count_;
  const std::size_t cap_;
  std::vector<Query> queries_;
  std::unordered_map<std::int32_t, std::vector<Holder>> holders_;  // heaps, the last holder first
  std::vector<std::size_t> waiting_;
};

}  // namespace gemmine
