#include "mining/sampling.h"

#include <algorithm>

#include "core/random.h"

namespace gemmine {
namespace {

constexpr std::uint32_t sampling_stream = 0x6D696E65;  // keeps the draws apart from other uses

}  // namespace

// The K smallest of M independent keys are a uniform K-subset, and a key depends on nothing but the
// seed, the query and the row.
void sample_negatives(const MineOptions& options, Index query, std::vector<Negative>& survivors) {
  const Index count = std::min(options.num_negatives, static_cast<Index>(survivors.size()));
  const Index fixed = options.sampling == Sampling::top1_random && count > 0 ? 1 : 0;
  if (options.sampling != Sampling::top) {
    const CounterRandom random(options.seed, sampling_stream);
    const auto key = [&](const Negative& each) {
      return random.bits(static_cast<std::uint64_t>(query), static_cast<std::uint32_t>(each.row));
    };
    std::nth_element(survivors.begin() + fixed, survivors.begin() + count, survivors.end(),
                     [&](const Negative& a, const Negative& b) {
                       const auto x = key(a), y = key(b);
                       return x < y || (x == y && a.row < b.row);
                     });
  }
  survivors.resize(count);
  std::sort(survivors.begin(), survivors.end(),
            [](const Negative& a, const Negative& b) { return a.rank < b.rank; });
}

}  // namespace gemmine
