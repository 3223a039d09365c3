#include "mining/candidates.h"

#include <algorithm>

namespace gemmine {

QueryCandidates Candidates::of(std::size_t query) const {
  const auto begin = static_cast<std::size_t>(indptr[query]);
  const auto count = static_cast<std::size_t>(indptr[query + 1]) - begin;
  return {.rows = std::span(rows).subspan(begin, count),
          .scores = std::span(scores).subspan(begin, count),
          .ranks = std::span(ranks).subspan(begin, count),
          .rules = std::span(rules).subspan(begin, count),
          .population = populations[query]};
}

void Candidates::append(const RuledRow& row, Index rank) {
  rows.push_back(row.scored.row);
  scores.push_back(row.scored.score);
  rules.push_back(row.rule);
  ranks.push_back(row.rule == no_rule ? static_cast<std::int32_t>(rank) : -1);
}

// Rows above the ceiling have the first ranks. Below the ceiling each admissible row, each
// duplicate and each row near a positive has a rank. Every other listed row below the ceiling comes
// after the last of the best admissible rows or has no rank.
void Candidates::append(std::vector<RuledRow>& listed, const Population& population,
                        std::span<const RankedRow> drawn) {
  const auto is_better = [](const RuledRow& a, const RuledRow& b) {
    return better(a.scored, b.scored);
  };
  if (!std::is_sorted(listed.begin(), listed.end(), is_better))
    std::sort(listed.begin(), listed.end(), is_better);
  Index rank = population.above_ceiling;
  for (const RuledRow& each : listed) {
    for (; !drawn.empty() && better(drawn.front().scored, each.scored); drawn = drawn.subspan(1))
      append({drawn.front().scored, no_rule}, drawn.front().rank);
    append(each, rank);
    if (each.scored.score <= population.ceiling)
      rank += each.rule == no_rule || has_rank(each.rule);
  }
  for (const RankedRow& each : drawn) append({each.scored, no_rule}, each.rank);
  indptr.push_back(static_cast<Index>(rows.size()));
  populations.push_back(population);
}

}  // namespace gemmine
