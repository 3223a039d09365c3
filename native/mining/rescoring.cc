#include "mining/rescoring.h"

#include <algorithm>

#include "backend/ranking.h"

namespace gemmine {
namespace {

// Scores the first `depth` candidates by upper bound, then all others whose bound reaches the last
// place. `accept` decides by row and canonical score.
template <class Accept>
void rescore(std::vector<Candidate>& candidates, Index depth, const ScanResult& scanned,
             RowScorer& scorer, BestRows& best, Accept accept) {
  const auto first = candidates.begin();
  const auto middle = first + std::min(depth, static_cast<Index>(candidates.size()));
  std::nth_element(first, middle, candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.upper > b.upper; });
  std::vector<std::int32_t> rows;
  std::vector<double> scores;
  const auto score = [&] {
    scores.resize(rows.size());
    scorer.score(rows.data(), static_cast<Index>(rows.size()), scores.data());
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (accept(rows[i], scores[i])) best.push({scores[i], rows[i]});
    rows.clear();
  };
  for (auto at = first; at != middle; ++at) rows.push_back(at->row);
  score();
  const double last = best.last_score();
  for (auto at = middle; at != candidates.end(); ++at)
    if (!(scanned.upper_score(*at) < last)) rows.push_back(at->row);
  score();
}

void settle_straddlers(const ScanQuery& query, const ScanResult& scanned, RowScorer& scorer,
                       Ranking& ranking, BestRows& best) {
  std::vector<std::int32_t> rows;
  for (const Straddler& each : scanned.straddlers) rows.push_back(each.row);
  std::vector<double> scores(rows.size());
  scorer.score(rows.data(), static_cast<Index>(rows.size()), scores.data());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Level level = scanned.straddlers[i].level;
    ranking.above[level] += is_above(scores[i], level, query);
    if (level == ceiling_level && is_admissible(scores[i], query)) best.push({scores[i], rows[i]});
  }
}

}  // namespace

Ranking rank_rows(const ScanRequest& request, const ScanQuery& query, ScanResult& scanned,
                  RowScorer& scorer) {
  if (scanned.rescanned) return std::move(*scanned.rescanned);
  Ranking ranking{.above = {}, .admissible = {}, .rejected = {}, .rescanned = false};
  std::copy(std::begin(scanned.above), std::end(scanned.above), std::begin(ranking.above));
  BestRows admissible(query.depth), rejected(query.rejected_depth);
  settle_straddlers(query, scanned, scorer, ranking, admissible);
  rescore(scanned.admissible, query.depth, scanned, scorer, admissible,
          [&](std::int32_t, double score) { return is_admissible(score, query); });
  rescore(scanned.rejected, query.rejected_depth, scanned, scorer, rejected,
          [&](std::int32_t row, double score) {
            return forbids(request, query, row) || !is_admissible(score, query);
          });
  ranking.admissible = admissible.take();
  ranking.rejected = rejected.take();
  return ranking;
}

}  // namespace gemmine
