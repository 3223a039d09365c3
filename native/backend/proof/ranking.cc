#include "backend/proof/ranking.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace gemmine {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace

double BestRows::last_score() {
  if (depth_ == 0) return infinity;
  cut();
  return full_ ? last_.score : -infinity;
}

std::vector<Scored> BestRows::take() {
  cut();
  std::sort(rows_.begin(), rows_.end(), better);
  return std::move(rows_);
}

void BestRows::merge(const BestRows& other) {
  for (const Scored& each : other.rows_) push(each);
}

void BestRows::cut() {
  if (rows_.size() < depth_) return;
  const auto end = rows_.begin() + static_cast<Index>(depth_);
  if (depth_ > 0) {
    std::nth_element(rows_.begin(), end - 1, rows_.end(), better);
    last_ = end[-1];
    full_ = true;
  }
  rows_.erase(end, rows_.end());
}

void keep_ranked(Ranking& ranking, const ScanQuery& query) {
  std::vector<Scored>& repeats = ranking.repeats;
  if (query.depth == 0) return repeats.clear();
  const bool all = static_cast<Index>(ranking.admissible.size()) < query.depth;
  const Scored last = all ? Scored{query.floor, std::numeric_limits<std::int32_t>::max()}
                          : ranking.admissible.back();
  std::erase_if(repeats, [&](const Scored& each) { return !better(each, last); });
  std::sort(repeats.begin(), repeats.end(), better);
}

bool is_above(const Scored& scored, Level level, const ScanQuery& query) {
  const double score = scored.score;
  switch (level) {
    case ceiling_level:
      return score > query.ceiling;
    case floor_level:
      return score >= query.floor;
    default:
      return score > query.reference ||
             (score == query.reference && scored.row < query.reference_row);
  }
}

void list_filtered(const ScanRequest& request, const ScanQuery& query, Index begin, Index end,
                   std::vector<std::int32_t>& rows) {
  rows.clear();
  for (Index first = begin / 32 * 32; first < end; first += 32) {
    std::uint32_t bits = filtered_rows(request, query, first);
    if (first < begin) bits &= ~0u << (begin - first);
    if (end - first < 32) bits &= (1u << (end - first)) - 1;
    for (; bits != 0; bits &= bits - 1)
      rows.push_back(static_cast<std::int32_t>(first + std::countr_zero(bits)));
  }
}

RankingCollector::RankingCollector(const ScanRequest& request, const ScanQuery& query)
    : request_(&request),
      query_(&query),
      admissible_(query.depth),
      rejected_(query.rejected_depth),
      drawn_(query.draw) {}

void RankingCollector::take_admissible(const Scored& scored) {
  admissible_.push(scored);
  if (query_->draw.count > 0) drawn_.push(scored.row, scored.score, true);
}

void RankingCollector::take(Index first, std::span<const double> scores) {
  const auto& listed = query_->barred;
  auto barred = std::lower_bound(listed.begin(), listed.end(), first);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const Scored scored{scores[i], static_cast<std::int32_t>(first + static_cast<Index>(i))};
    if (barred != listed.end() && *barred == scored.row)
      ++barred;
    else
      take(scored);
  }
}

void RankingCollector::take(std::span<const std::int32_t> rows, std::span<const double> scores) {
  const auto& listed = query_->barred;
  auto barred = listed.begin();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    barred = std::lower_bound(barred, listed.end(), rows[i]);
    if (barred == listed.end() || *barred != rows[i]) take({scores[i], rows[i]});
  }
}

// Takes a row that is not barred.
void RankingCollector::take(const Scored& scored) {
  const ScanQuery& query = *query_;
  const bool forbidden = forbids(*request_, query, scored.row);
  for (int level = 0; level < level_count && !forbidden; ++level)
    above_[level] += is_above(scored, static_cast<Level>(level), query);
  if (!forbidden && request_->classes.class_of(scored.row) >= 0)
    classed_.push_back(scored);
  else if (!forbidden && is_admissible(scored.score, query))
    take_admissible(scored);
  else if (query.rejected_depth > 0)
    rejected_.push(scored);
}

void RankingCollector::merge(const RankingCollector& other) {
  for (int level = 0; level < level_count; ++level) above_[level] += other.above_[level];
  admissible_.merge(other.admissible_);
  rejected_.merge(other.rejected_);
  drawn_.merge(other.drawn_);
  classed_.insert(classed_.end(), other.classed_.begin(), other.classed_.end());
}

void RankingCollector::take_classed(Ranking& ranking, std::vector<std::int32_t>& repeated_rows) {
  const RowClasses& classes = request_->classes;
  std::vector<Scored> best(classes.count, {-infinity, std::numeric_limits<std::int32_t>::max()});
  for (const Scored& each : classed_) {
    Scored& first = best[classes.of[each.row]];
    if (better(each, first)) first = each;
  }
  for (const Scored& each : classed_) {
    const bool repeated = best[classes.of[each.row]].row != each.row;
    for (int level = 0; level < classed_levels; ++level)
      ranking.repeated[level] += repeated && is_above(each, static_cast<Level>(level), *query_);
    if (repeated) repeated_rows.push_back(each.row);
    if (repeated && each.score <= query_->ceiling) ranking.repeats.push_back(each);
    if (!repeated && is_admissible(each.score, *query_))
      take_admissible(each);
    else if (query_->rejected_depth > 0)
      rejected_.push(each);
  }
}

Ranking RankingCollector::ranking() {
  Ranking ranking{.above = {},
                  .repeated = {},
                  .admissible = {},
                  .repeats = {},
                  .rejected = {},
                  .rejected_repeats = {},
                  .rescanned = true};
  std::vector<std::int32_t> repeated;
  if (!classed_.empty()) take_classed(ranking, repeated);
  ranking.admissible = admissible_.take();
  ranking.rejected = rejected_.take();
  std::vector<DrawnRow> drawn = drawn_.take();
  drawn.resize(std::min(drawn.size(), static_cast<std::size_t>(query_->draw.count)));
  for (const DrawnRow& each : drawn) ranking.drawn.push_back({each.score, each.key.row});
  std::sort(ranking.drawn.begin(), ranking.drawn.end(), better);
  std::sort(repeated.begin(), repeated.end());
  for (const Scored& each : ranking.rejected)
    if (std::binary_search(repeated.begin(), repeated.end(), each.row))
      ranking.rejected_repeats.push_back(each.row);
  std::sort(ranking.rejected_repeats.begin(), ranking.rejected_repeats.end());
  keep_ranked(ranking, *query_);
  std::copy(std::begin(above_), std::end(above_), std::begin(ranking.above));
  return ranking;
}

}  // namespace gemmine
