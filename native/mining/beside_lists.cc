#include "mining/beside_lists.h"

#include <algorithm>

#include "mining/listed_scores.h"

namespace gemmine {

Index BesideLists::bytes(Index query) const {
  Index rows = 0;
  for (const std::int32_t row : beside_list(shared_, query)) {
    const std::int32_t own = index_.classes().class_of(row);
    rows += own < 0 ? 1 : static_cast<Index>(index_.classes().members(own).size());
  }
  return rows * static_cast<Index>(2 * sizeof(RuledRow) + sizeof(double));
}

std::vector<std::int32_t> BesideLists::scored_rows(const MinedQuery& query) const {
  std::vector<std::int32_t> rows;
  for (const std::int32_t row : beside_list(shared_, query.query)) {
    const std::int32_t own = index_.classes().class_of(row);
    if (own < 0) {
      rows.push_back(row);
      continue;
    }
    const auto members = index_.classes().members(own);
    rows.insert(rows.end(), members.begin(), members.end());
  }
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  const std::vector<std::int32_t>& barred = query.listed.rows;
  std::erase_if(rows, [&](std::int32_t row) {
    return std::binary_search(barred.begin(), barred.end(), row) || !index_.holds(row) ||
           index_.forbids(query.query, row);
  });
  return rows;
}

// The rows of the list that are between floor and ceiling and the best ones of their classes, best
// first.
std::vector<Scored> BesideLists::admissible(const MinedQuery& query,
                                            std::vector<RuledRow> scored) const {
  std::sort(scored.begin(), scored.end(),
            [](const RuledRow& a, const RuledRow& b) { return better(a.scored, b.scored); });
  const auto list = beside_list(shared_, query.query);
  const std::optional<double>& floor = query.options.get().min_score;
  std::vector<std::int32_t> classes;  // of the rows so far
  std::vector<Scored> rows;
  for (const RuledRow& each : scored) {
    const auto [score, row] = each.scored;
    const std::int32_t own = index_.classes().class_of(row);
    const bool repeated =
        own >= 0 && std::find(classes.begin(), classes.end(), own) != classes.end();
    if (own >= 0 && !repeated) classes.push_back(own);
    if (repeated || score > query.ceiling || (floor && score < *floor)) continue;
    if (std::binary_search(list.begin(), list.end(), row)) rows.push_back(each.scored);
  }
  return rows;
}

void BesideLists::add(std::span<const MinedQuery> asked, std::vector<Ranking>& rankings,
                      const Job& job) const {
  ListedScores scores;
  for (const MinedQuery& query : asked)
    if (scores.begin(query.query - shared_.first_query))
      for (const std::int32_t row : scored_rows(query)) scores.push(row, no_rule);
  scores.score(scans_, queries_, job);
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const std::vector<Scored>& best = rankings[i].admissible;
    for (const Scored& each : admissible(asked[i], scores.of(asked[i].query - shared_.first_query)))
      if (best.empty() || better(best.back(), each)) rankings[i].drawn.push_back(each);
  }
}

}  // namespace gemmine
