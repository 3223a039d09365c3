#include "mining/select.h"

#include <algorithm>

#include "backend/draw.h"

namespace gemmine {

// The K smallest of M independent keys are a uniform K-subset. A key depends only on the seed, the
// query and the row.
void select_negatives(const MineOptions& options, Index query, std::vector<Negative>& survivors) {
  const Index count = std::min(options.num_negatives, static_cast<Index>(survivors.size()));
  const SamplingRule& rule = rule_for(options.sampling);
  const Index fixed = std::min(rule.taken, count);
  if (rule.pool != Pool::negatives) {
    const Draw draw{
        .count = count, .seed = options.seed, .query = static_cast<std::uint64_t>(query)};
    const auto key = [&](const Negative& each) { return RowKey{draw.key(each.row), each.row}; };
    std::nth_element(survivors.begin() + fixed, survivors.begin() + count, survivors.end(),
                     [&](const Negative& a, const Negative& b) { return key(a) < key(b); });
  }
  survivors.resize(count);
  std::sort(survivors.begin(), survivors.end(),
            [](const Negative& a, const Negative& b) { return a.rank < b.rank; });
}

}  // namespace gemmine
