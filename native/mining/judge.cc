#include "mining/judge.h"

#include <limits>

namespace gemmine {
namespace {

// Counts of admissible rows by the position of their ranks relative to a window.
struct Window {
  Index begin;  // the window holds the ranks that are neither skipped nor too deep
  Index end;
  Index seen = 0;
  Index before = 0;
  Index inside = 0;

  bool take(Index rank) {
    const bool within = rank >= begin && rank < end;
    ++seen;
    before += rank < begin;
    inside += within;
    return within;
  }

  // Number of admissible rows in the window, listed or not.
  Index size(const Population& population, bool ends) const {
    if (seen == population.admissible) return inside;
    if (!ends) return population.admissible - before;
    // Duplicates and rows near positives shift ranks; with them all candidates up to the end of the
    // window are listed.
    for (const Rule rule : {Rule::duplicate, Rule::near_positive})
      if (population.dropped[static_cast<std::size_t>(rule)] > 0) return inside;
    return std::clamp<Index>(end - population.above_ceiling - before, 0,
                             population.admissible - before);
  }
};

}  // namespace

Verdict judge(const MineOptions& options, Index pool, std::span<const std::int32_t> beside,
              const QueryCandidates& candidates) {
  const Population& population = candidates.population;
  Verdict verdict{.inconsistent = options.max_positive_rank &&
                                  population.above_reference >= *options.max_positive_rank,
                  .survivors = {},
                  .dropped = {},
                  .rejected = {}};
  if (verdict.inconsistent) return verdict;
  Window window{.begin = options.skip_ranks,
                .end = options.max_rank.value_or(std::numeric_limits<Index>::max())};
  Index to_skip = options.skip_survivors;
  Index wanted = rule_for(options.sampling).pool == Pool::all ? every_row : pool;
  for (std::size_t i = 0; i < candidates.rows.size(); ++i) {
    const Scored scored{candidates.scores[i], candidates.rows[i]};
    Rule rule = candidates.rules[i];
    if (rule == no_rule && !window.take(candidates.ranks[i])) rule = Rule::rank;
    if (rule != no_rule) {
      if (static_cast<Index>(verdict.rejected.size()) < options.explain)
        verdict.rejected.push_back({scored, rule});
    } else if (to_skip-- <= 0) {
      const bool pooled = wanted-- > 0;
      const bool listed = std::binary_search(beside.begin(), beside.end(), scored.row);
      const int sources = (pooled ? from_scan : 0) | (listed ? from_candidates : 0);
      if (sources != 0)
        verdict.survivors.push_back(
            {scored.score, scored.row, candidates.ranks[i], static_cast<std::uint8_t>(sources)});
    }
  }
  verdict.dropped = population.dropped;
  verdict.dropped[static_cast<std::size_t>(Rule::rank)] =
      population.admissible - window.size(population, options.max_rank.has_value());
  return verdict;
}

}  // namespace gemmine
