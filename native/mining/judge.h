#pragma once

#include <algorithm>
#include <vector>

#include "mining/candidates.h"

namespace gemmine {

struct Negative {
  double score;
  std::int32_t row;
  std::int32_t rank;  // among the rows that are not themselves, positives, excluded or forbidden
};

// One query's part of the answer.
struct Verdict {
  bool inconsistent;                // max_positive_rank leaves the query out
  std::vector<Negative> survivors;  // best first, after all skips; as many as are needed
  std::array<std::int64_t, rule_count> dropped;
  std::vector<RuledRow> rejected;  // the `explain` best
};

// Survivors that a query's answer is chosen from.
inline Index pool_size(const MineOptions& options) {
  if (options.sampling == Sampling::band) return every_row;
  return options.sampling == Sampling::top ? options.num_negatives
                                           : std::max(options.num_negatives, options.pool);
}

// Applies the rules on ranks to one query's candidates, wherever they come from.
Verdict judge(const MineOptions& options, const QueryCandidates& candidates);

}  // namespace gemmine
