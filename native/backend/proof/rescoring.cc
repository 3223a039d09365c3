#include "backend/proof/rescoring.h"

#include <algorithm>
#include <cmath>

#include "backend/proof/class_scores.h"
#include "backend/proof/ranking.h"

namespace gemmine {
namespace {

constexpr Index canonical_block = 1024;  // rows

// Turns the result of a scan for one query into an exact answer.
class Rescoring {
 public:
  Rescoring(const ScanRequest& request, const ScanQuery& query, ScanResult& scanned,
            RowScorer& scorer)
      : request_(request),
        query_(query),
        scanned_(scanned),
        scorer_(scorer),
        classes_(request, query, scorer),
        admissible_(query.depth) {}

  Ranking rank();

 private:
  void settle_straddlers();
  void count_above();
  void take(const Scored& scored);
  void take_class(std::int32_t row_class);
  bool is_rejected(const Scored& scored);
  bool draw();
  bool is_drawable(const Scored& scored);
  bool is_proven();
  Ranking rank_canonically();

  const ScanRequest& request_;
  const ScanQuery& query_;
  ScanResult& scanned_;
  RowScorer& scorer_;
  ClassScores classes_;
  BestRows admissible_;
  Ranking ranking_{.above = {},
                   .repeated = {},
                   .admissible = {},
                   .repeats = {},
                   .rejected = {},
                   .rejected_repeats = {},
                   .rescanned = false};
};

// Scores the `depth` candidates with the highest upper bounds, then all others with an upper bound
// that reaches the score of the last place. `push` takes a row with its canonical score.
template <class Push>
void rescore(std::vector<Candidate>& candidates, Index depth, const ScanResult& scanned,
             RowScorer& scorer, BestRows& best, Push push) {
  const auto first = candidates.begin();
  const auto middle = first + std::min(depth, static_cast<Index>(candidates.size()));
  std::nth_element(first, middle, candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.upper > b.upper; });
  std::vector<std::int32_t> rows;
  std::vector<double> scores;
  const auto score = [&] {
    scores.resize(rows.size());
    scorer.score(rows.data(), static_cast<Index>(rows.size()), scores.data());
    for (std::size_t i = 0; i < rows.size(); ++i) push(Scored{scores[i], rows[i]});
    rows.clear();
  };
  for (auto at = first; at != middle; ++at) rows.push_back(at->row);
  score();
  const double last = best.last_score();
  for (auto at = middle; at != candidates.end(); ++at)
    if (!(scanned.upper_score(at->upper) < last)) rows.push_back(at->row);
  score();
}

void Rescoring::settle_straddlers() {
  std::vector<std::int32_t> rows;
  for (const Straddler& each : scanned_.straddlers) rows.push_back(each.row);
  std::vector<double> scores(rows.size());
  scorer_.score(rows.data(), static_cast<Index>(rows.size()), scores.data());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Level level = scanned_.straddlers[i].level;
    const std::int32_t own = request_.classes.class_of(rows[i]);
    if (is_above({scores[i], rows[i]}, level, query_)) {
      ++ranking_.above[level];
      if (own >= 0 && level < classed_levels) scanned_.classes[level].add(own);
    } else if (level == ceiling_level) {
      take({scores[i], rows[i]});
    }
  }
}

void Rescoring::count_above() {
  for (int level = 0; level < level_count; ++level) ranking_.above[level] += scanned_.above[level];
  for (std::size_t level = 0; level < scanned_.classes.size(); ++level)
    ranking_.repeated[level] = scanned_.classes[level].repeated();
}

void Rescoring::take(const Scored& scored) {
  const std::int32_t own = request_.classes.class_of(scored.row);
  if (own >= 0) return take_class(own);
  if (is_admissible(scored.score, query_)) admissible_.push(scored);
}

void Rescoring::take_class(std::int32_t row_class) {
  if (!classes_.is_new(row_class)) return;
  const std::vector<Scored>& rows = classes_.of(row_class);
  if (is_admissible(rows.front().score, query_)) admissible_.push(rows.front());
  for (std::size_t i = 1; i < rows.size(); ++i)
    if (rows[i].score <= query_.ceiling) ranking_.repeats.push_back(rows[i]);
}

bool Rescoring::is_rejected(const Scored& scored) {
  return forbids(request_, query_, scored.row) || !is_admissible(scored.score, query_) ||
         classes_.is_repeated(scored.row);
}

// The best row of a class that counted for the list's threshold may be above the ceiling.
bool Rescoring::is_proven() {
  if (request_.classes.count == 0 || std::isinf(scanned_.dropped_below)) return true;
  const double last = std::max(admissible_.last_score(), query_.floor);
  return !(last < scanned_.upper_score(scanned_.dropped_below));
}

bool Rescoring::is_drawable(const Scored& scored) {
  return is_admissible(scored.score, query_) && !classes_.is_repeated(scored.row);
}

// Scores rows in the order of their keys until enough are admissible. Returns whether the draw is
// proven.
bool Rescoring::draw() {
  if (!scanned_.drawn) return true;
  const std::vector<DrawnRow> listed = scanned_.drawn->take();
  const auto wanted = static_cast<std::size_t>(query_.draw.count);
  std::vector<Scored>& drawn = ranking_.drawn;
  std::vector<std::int32_t> rows;
  std::vector<double> scores;
  for (std::size_t at = 0; at < listed.size() && drawn.size() < wanted; at += rows.size()) {
    rows.clear();
    const std::size_t end = std::min(listed.size(), at + wanted - drawn.size());
    for (std::size_t i = at; i < end; ++i) rows.push_back(listed[i].key.row);
    scores.resize(rows.size());
    scorer_.score(rows.data(), static_cast<Index>(rows.size()), scores.data());
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (is_drawable({scores[i], rows[i]})) drawn.push_back({scores[i], rows[i]});
  }
  std::sort(drawn.begin(), drawn.end(), better);
  return drawn.size() == wanted || scanned_.drawn->is_complete();
}

Ranking Rescoring::rank_canonically() {
  RankingCollector collector(request_, query_);
  const Index all = request_.queries.corpus().rows().rows();
  std::vector<std::int32_t> rows;
  std::vector<double> scores(canonical_block);
  for (Index first = 0; first < all; first += canonical_block) {
    list_filtered(request_, query_, first, std::min(first + canonical_block, all), rows);
    scorer_.score(rows.data(), static_cast<Index>(rows.size()), scores.data());
    collector.take(rows, std::span(scores).first(rows.size()));
  }
  return collector.ranking();
}

Ranking Rescoring::rank() {
  settle_straddlers();
  count_above();
  rescore(scanned_.admissible, query_.depth, scanned_, scorer_, admissible_,
          [&](const Scored& scored) { take(scored); });
  if (!is_proven() || !draw()) return rank_canonically();
  BestRows rejected(query_.rejected_depth);
  rescore(scanned_.rejected, query_.rejected_depth, scanned_, scorer_, rejected,
          [&](const Scored& scored) {
            if (is_rejected(scored)) rejected.push(scored);
          });
  ranking_.admissible = admissible_.take();
  ranking_.rejected = rejected.take();
  for (const Scored& each : ranking_.rejected)
    if (!forbids(request_, query_, each.row) && classes_.is_repeated(each.row))
      ranking_.rejected_repeats.push_back(each.row);
  std::sort(ranking_.rejected_repeats.begin(), ranking_.rejected_repeats.end());
  keep_ranked(ranking_, query_);
  return std::move(ranking_);
}

}  // namespace

Ranking rank_rows(const ScanRequest& request, const ScanQuery& query, ScanResult& scanned,
                  RowScorer& scorer) {
  return Rescoring(request, query, scanned, scorer).rank();
}

}  // namespace gemmine
