#pragma once

#include <algorithm>
#include <vector>

#include "mining/candidates.h"

namespace gemmine {

struct Negative {
  double score;
  std::int32_t row;
  std::int32_t rank;  // without itself, positive, excluded and forbidden rows
};

// The part of the answer for one query.
struct Verdict {
  bool inconsistent;                // max_positive_rank excludes the query
  std::vector<Negative> survivors;  // best first, after all skips; as many as are needed
  std::array<std::int64_t, rule_count> dropped;
  std::vector<RuledRow> rejected;  // the `explain` best
};

// Number of survivors from which a query's answer is chosen.
inline Index pool_size(const MineOptions& options) {
  const Pool pool = rule_for(options.sampling).pool;
  if (pool == Pool::all) return every_row;
  return pool == Pool::negatives ? options.num_negatives
                                 : std::max(options.num_negatives, options.pool);
}

// Applies the rules on ranks to the candidates of one query, from a scan or from lists.
Verdict judge(const MineOptions& options, const QueryCandidates& candidates);

}  // namespace gemmine
