#pragma once

#include <unordered_map>
#include <vector>

#include "backend/proof/ranking.h"
#include "backend/proof/rescoring.h"

namespace gemmine {

// Scores classes of rows for one query, each class at most once.
class ClassScores {
 public:
  ClassScores(const ScanRequest& request, const ScanQuery& query, RowScorer& scorer)
      : request_(request), query_(query), scorer_(scorer) {}

  bool is_new(std::int32_t row_class) const { return !known_.contains(row_class); }
  // The rows of the class that the scan considers: the best row first, the others in any order.
  const std::vector<Scored>& of(std::int32_t row_class);
  // Whether another row of its class is better. `row` must be one that the scan considers.
  bool is_repeated(std::int32_t row);

 private:
  const ScanRequest& request_;
  const ScanQuery& query_;
  RowScorer& scorer_;
  std::unordered_map<std::int32_t, std::vector<Scored>> known_;
};

}  // namespace gemmine
