#include "mining/ranking.h"

#include <algorithm>

namespace gemmine {
namespace {

constexpr Index rows_at_once = 256;
constexpr double infinity = std::numeric_limits<double>::infinity();

// The best `depth` of the rows pushed.
class BestRows {
 public:
  explicit BestRows(Index depth) : depth_(static_cast<std::size_t>(depth)) {}

  void push(Scored scored) {
    rows_.push_back(scored);
    if (rows_.size() > 2 * depth_ + 64) cut();
  }
  // The score of the last place; what lies below it is of no interest.
  double last_score() {
    cut();
    if (rows_.size() < depth_) return -infinity;
    return depth_ == 0 ? infinity : rows_[depth_ - 1].score;
  }
  std::vector<Scored> take() {
    cut();
    std::sort(rows_.begin(), rows_.end(), better);
    return std::move(rows_);
  }

 private:
  void cut() {
    if (rows_.size() < depth_ || depth_ == 0) return;
    std::nth_element(rows_.begin(), rows_.begin() + static_cast<Index>(depth_) - 1, rows_.end(),
                     better);
    rows_.resize(depth_);
  }

  std::size_t depth_;
  std::vector<Scored> rows_;
};

bool is_above(double score, Level level, const ScanQuery& query) {
  switch (level) {
    case ceiling_level:
      return score > query.ceiling;
    case floor_level:
      return score >= query.floor;
    default:
      return score > query.reference;
  }
}

bool is_admissible(double score, const ScanQuery& query) {
  return score <= query.ceiling && score >= query.floor;
}

bool forbids(const ScanRequest& request, const ScanQuery& query, Index row) {
  return request.groups != Groups::off &&
         group_forbids(request.groups, query.group, request.corpus_groups[row]);
}

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

// Every row's canonical score, straight through the corpus.
Ranking scan_canonically(const ScanRequest& request, const ScanQuery& query, RowScorer& scorer) {
  Ranking ranking{.above = {}, .admissible = {}, .rejected = {}, .rescanned = true};
  BestRows admissible(query.depth), rejected(query.rejected_depth);
  const Index rows = request.queries.corpus().rows().rows();
  double scores[rows_at_once];
  auto barred = query.barred.begin();
  for (Index row = 0; row < rows; ++row) {
    if (row % rows_at_once == 0)
      scorer.score_range(row, std::min(rows_at_once, rows - row), scores);
    if (barred != query.barred.end() && *barred == row) {
      ++barred;
      continue;
    }
    const Scored scored{scores[row % rows_at_once], static_cast<std::int32_t>(row)};
    const bool forbidden = forbids(request, query, row);
    for (int level = 0; level < level_count && !forbidden; ++level)
      ranking.above[level] += is_above(scored.score, static_cast<Level>(level), query);
    if (!forbidden && is_admissible(scored.score, query))
      admissible.push(scored);
    else if (query.rejected_depth > 0)
      rejected.push(scored);
  }
  ranking.admissible = admissible.take();
  ranking.rejected = rejected.take();
  return ranking;
}

}  // namespace

Ranking rank_rows(const ScanRequest& request, const ScanQuery& query, ScanResult& scanned,
                  RowScorer& scorer) {
  if (scanned.overflow) return scan_canonically(request, query, scorer);
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
