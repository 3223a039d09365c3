#pragma once

#include <algorithm>
#include <vector>

#include "mining/candidates.h"

namespace gemmine {

struct Negative {
  double score;
  std::int32_t row;
  std::int32_t rank;                 // without itself, positive, excluded and forbidden rows
  std::uint8_t sources = from_scan;  // bits of Source
};

// The part of the answer for one query.
struct Verdict {
  bool inconsistent;                // max_positive_rank excludes the query
  std::vector<Negative> survivors;  // best first, after all skips; as many as are needed, and those
                                    // of a list beside
  std::array<std::int64_t, rule_count> dropped;
  std::vector<RuledRow> rejected;  // the `explain` best
};

// Number of survivors to look at first. Caps may need more, so a pool without a limit begins
// larger.
inline Index first_pool(const MineOptions& options) {
  if (rule_for(options.sampling).pool == Pool::best)
    return std::max(options.num_negatives, options.pool);
  return options.caps.any() ? 2 * options.num_negatives + 8 : options.num_negatives;
}

// Applies the rules on ranks to the candidates of one query, from a scan or from lists. The verdict
// has the `pool` best survivors, or all that are listed if the answer is drawn from all; and all
// survivors among the rows `beside`, which ascend.
Verdict judge(const MineOptions& options, Index pool, std::span<const std::int32_t> beside,
              const QueryCandidates& candidates);

}  // namespace gemmine
