#pragma once

#include <vector>

#include "mining/mine.h"

namespace gemmine {

// Rows of the corpus that score at least near_positive_score with a positive of a query, for each
// query of a range: a positive is a query of a range search of its corpus.
class NearPositives {
 public:
  // `mined` are the queries that lists are for; those of the others are empty.
  NearPositives(Scans& scans, const CorpusHandle& corpus, const MineOptions& options,
                RowRange mined, const Job& job);

  // By query, as options.positives; no pointers without a threshold.
  RowLists view() const {
    return indptr_.empty() ? RowLists{nullptr, nullptr} : RowLists{indptr_.data(), rows_.data()};
  }

 private:
  std::vector<std::int32_t> indptr_;
  std::vector<std::int32_t> rows_ = {};
};

}  // namespace gemmine
