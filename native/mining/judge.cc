#include "mining/judge.h"

#include <algorithm>
#include <iterator>

#include "core/error.h"

namespace gemmine {
namespace {

bool is_scored(const MineOptions& options, Rule rule) {
  return options.explain > 0 || rule == Rule::duplicate;
}

// One query's rows in the order of the rules.
class Judgement {
 public:
  Judgement(const MineOptions& options, const RowIndex& index, const MinedQuery& query,
            const Ranking& ranking, Index corpus_rows)
      : options_(options),
        index_(index),
        query_(query),
        ranking_(ranking),
        corpus_rows_(corpus_rows) {}

  Verdict decide(std::span<const double> scores) {
    take_listed(scores);
    verdict_.inconsistent = is_inconsistent();
    if (verdict_.inconsistent) return std::move(verdict_);
    count_scanned(count_listed());
    walk_admissible();
    if (options_.explain > 0) explain();
    return std::move(verdict_);
  }

 private:
  void take_listed(std::span<const double> scores);
  bool is_inconsistent() const;
  Index duplicates_above(double score) const;
  Index count_listed();
  void count_scanned(Index unscanned);
  std::vector<Scored> duplicates_between() const;
  void walk_admissible();
  void explain();

  std::int64_t& dropped(Rule rule) { return verdict_.dropped[static_cast<std::size_t>(rule)]; }

  const MineOptions& options_;
  const RowIndex& index_;
  const MinedQuery& query_;
  const Ranking& ranking_;
  const Index corpus_rows_;
  std::vector<RejectedRow> listed_;  // those whose score matters
  std::vector<Scored> duplicates_;   // the listed ones, best first
  std::vector<Scored> out_of_rank_;  // best first
  Index admissible_ = 0;             // rows between floor and ceiling, duplicates not among them
  Verdict verdict_{.inconsistent = false, .survivors = {}, .dropped = {}, .rejected = {}};
};

void Judgement::take_listed(std::span<const double> scores) {
  const ListedRows& listed = query_.listed;
  auto score = scores.begin();
  for (std::size_t i = 0; i < listed.rows.size(); ++i) {
    if (!is_scored(options_, listed.rules[i])) continue;
    listed_.push_back({{*score++, listed.rows[i]}, listed.rules[i]});
    if (listed.rules[i] == Rule::duplicate) duplicates_.push_back(listed_.back().scored);
  }
  std::sort(duplicates_.begin(), duplicates_.end(), better);
}

Index Judgement::duplicates_above(double score) const {
  return std::partition_point(duplicates_.begin(), duplicates_.end(),
                              [&](const Scored& each) { return each.score > score; }) -
         duplicates_.begin();
}

bool Judgement::is_inconsistent() const {
  if (!options_.max_positive_rank || !query_.reference) return false;
  return ranking_.above[reference_level] + duplicates_above(*query_.reference) >=
         *options_.max_positive_rank;
}

// Returns how many rows the scan did not look at.
Index Judgement::count_listed() {
  dropped(Rule::group) = index_.forbidden_rows(query_.query);
  Index unscanned = dropped(Rule::group);
  for (std::size_t i = 0; i < query_.listed.rows.size(); ++i) {
    if (query_.listed.rules[i] == Rule::group) continue;
    ++dropped(query_.listed.rules[i]);
    if (index_.forbids(query_.query, query_.listed.rows[i]))
      --dropped(Rule::group);
    else
      ++unscanned;
  }
  return unscanned;
}

void Judgement::count_scanned(Index unscanned) {
  const auto distinct_above = [&](Level level) {
    return ranking_.above[level] - ranking_.repeated[level];
  };
  const Index repeated = index_.repeated_rows(query_.query, query_.listed);
  const Index distinct = corpus_rows_ - unscanned - repeated;
  const Index above = distinct_above(ceiling_level);
  const Index floored = options_.min_score ? distinct_above(floor_level) : distinct;
  admissible_ = std::max<Index>(floored - above, 0);
  dropped(Rule::duplicate) += repeated;
  dropped(Rule::ceiling) = above;
  dropped(Rule::floor) = distinct - above - admissible_;
}

// All duplicates at or below the ceiling that rank before the last admissible row; best first.
std::vector<Scored> Judgement::duplicates_between() const {
  const auto listed = duplicates_.begin() + duplicates_above(query_.ceiling);
  std::vector<Scored> between;
  std::merge(listed, duplicates_.end(), ranking_.repeats.begin(), ranking_.repeats.end(),
             std::back_inserter(between), better);
  return between;
}

// Ranks the admissible rows, duplicates between them, and cuts the window out.
void Judgement::walk_admissible() {
  const std::vector<Scored>& rows = ranking_.admissible;
  const std::vector<Scored> duplicates = duplicates_between();
  const Index first_rank = ranking_.above[ceiling_level] + duplicates_above(query_.ceiling);
  const Index end_rank = options_.max_rank.value_or(corpus_rows_);
  auto duplicate = duplicates.begin();
  Index inside = 0, before = 0;
  Index to_skip = options_.skip_survivors;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    while (duplicate != duplicates.end() && better(*duplicate, rows[i])) ++duplicate;
    const Index passed = duplicate - duplicates.begin();
    const Index rank = first_rank + static_cast<Index>(i) + passed;
    before += rank < options_.skip_ranks;
    if (rank < options_.skip_ranks || rank >= end_rank) {
      if (options_.explain > 0) out_of_rank_.push_back(rows[i]);
      continue;
    }
    ++inside;
    if (to_skip-- > 0) continue;
    if (static_cast<Index>(verdict_.survivors.size()) < pool_size(options_))
      verdict_.survivors.push_back({rows[i].score, rows[i].row, static_cast<std::int32_t>(rank)});
  }
  const bool complete = static_cast<Index>(rows.size()) == admissible_;
  // Without duplicates ranks are consecutive, and the window's end needs no list; neither does a
  // window without an end.
  if (!complete && !options_.max_rank)
    inside = admissible_ - before;
  else if (!complete && duplicates_.empty() && index_.classes().count == 0)
    inside = std::clamp<Index>(end_rank - first_rank - before, 0, admissible_ - before);
  dropped(Rule::rank) = admissible_ - inside;
}

void Judgement::explain() {
  std::vector<RejectedRow>& all = verdict_.rejected;
  all = listed_;
  const std::vector<std::int32_t>& repeats = ranking_.rejected_repeats;
  for (const Scored& each : ranking_.rejected) {
    const bool repeated = std::binary_search(repeats.begin(), repeats.end(), each.row);
    const bool high = each.score > query_.ceiling;
    const Rule rule = index_.forbids(query_.query, each.row) ? Rule::group
                      : repeated                             ? Rule::duplicate
                      : high                                 ? Rule::ceiling
                                                             : Rule::floor;
    all.push_back({each, rule});
  }
  for (const Scored& each : out_of_rank_) all.push_back({each, Rule::rank});
  const auto kept = std::min(options_.explain, static_cast<Index>(all.size()));
  std::partial_sort(
      all.begin(), all.begin() + kept, all.end(),
      [](const RejectedRow& a, const RejectedRow& b) { return better(a.scored, b.scored); });
  all.resize(kept);
}

}  // namespace

Index needed_depth(const MineOptions& options, const RowIndex& index, const ListedRows& listed,
                   Index corpus_rows) {
  const auto capped = [&](Index count) { return std::min(count, corpus_rows); };
  Index depth =
      capped(options.skip_ranks) + capped(options.skip_survivors) + capped(pool_size(options));
  if (options.max_rank) {
    const bool duplicates =
        index.classes().count > 0 ||
        std::find(listed.rules.begin(), listed.rules.end(), Rule::duplicate) != listed.rules.end();
    // Duplicates shift ranks, so that all rows in the window must be seen; explaining, those after
    // it.
    if (options.explain > 0)
      depth = capped(*options.max_rank) + capped(options.explain);
    else if (duplicates)
      depth = *options.max_rank;
    else
      depth = std::min(depth, *options.max_rank);
  }
  return std::clamp<Index>(depth, 1, corpus_rows);
}

std::vector<std::int32_t> scored_rows(const MineOptions& options, const ListedRows& listed) {
  std::vector<std::int32_t> rows;
  for (std::size_t i = 0; i < listed.rows.size(); ++i)
    if (is_scored(options, listed.rules[i])) rows.push_back(listed.rows[i]);
  return rows;
}

Verdict judge(const MineOptions& options, const RowIndex& index, const MinedQuery& query,
              const Ranking& ranking, Index corpus_rows, std::span<const double> scores) {
  return Judgement(options, index, query, ranking, corpus_rows).decide(scores);
}

}  // namespace gemmine
