#pragma once

#include <optional>
#include <vector>

#include "mining/mine.h"

namespace gemmine {

struct RangeOptions {
  double threshold;            // score >= threshold, canonical
  std::optional<Index> limit;  // most rows for a query, >= 1
  SelfRows self;
  RowLists exclude;
  RowChoice choice = {};
};

// Rows of the corpus for each query: best first, equal scores by lower row.
struct FoundRows {
  std::vector<double> indptr;  // [queries + 1], integers, as double for JavaScript
  std::vector<std::int32_t> rows;
  std::vector<float> scores;  // canonical scores rounded once, never −0
  Proof proof;
};

FoundRows range_search(Scans& scans, const RowSource& queries, const CorpusHandle& corpus,
                       const RangeOptions& options, const Job& job);

}  // namespace gemmine
