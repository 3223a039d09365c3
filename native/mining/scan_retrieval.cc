#include <algorithm>
#include <cstring>
#include <iterator>

#include "mining/beside_lists.h"
#include "mining/listed_scores.h"
#include "mining/retrieval.h"

namespace gemmine {
namespace {

// Whether a row is among the best admissible rows. Their ranks follow from their order.
bool is_best(const Ranking& ranking, const Scored& scored) {
  return !ranking.admissible.empty() && !better(ranking.admissible.back(), scored);
}

// Whether a scan draws the negatives. With limited ranks the best rows include all survivors.
bool is_drawn(const MineOptions& options) {
  return rule_for(options.sampling).pool == Pool::all && !options.max_rank;
}

// A job for the scan that counts ranks, with separate progress totals.
Job ranking_job(const Job& job) {
  if (!job.report) return job;
  Job ranking = job;
  ranking.report = [report = job.report](Progress progress) {
    constexpr std::pair<const char*, const char*> names[] = {{"prepare", "prepare ranks"},
                                                             {"scan", "rank"},
                                                             {"rescan", "rank"},
                                                             {"settle", "settle ranks"}};
    for (const auto& [name, ranked] : names)
      if (std::strcmp(progress.phase, name) == 0) progress.phase = ranked;
    report(progress);
  };
  return ranking;
}

// Makes one query's candidates from the ranking of the scan and the rows that the scan excluded.
class Assembly {
 public:
  Assembly(const RowIndex& index, const MinedQuery& query, Ranking& ranking, Index corpus_rows)
      : options_(query.options),
        index_(index),
        query_(query),
        ranking_(ranking),
        corpus_rows_(corpus_rows) {}

  // `left_out` are rows that the scan excluded, with their rules; `ranks` are the ranks of the
  // drawn rows among the rows of the scan.
  void add(std::vector<RuledRow> left_out, std::span<const std::int32_t> ranks, Candidates& to) {
    listed_ = std::move(left_out);
    count_scanned(count_left_out());
    const std::vector<RankedRow> drawn = rank_drawn(ranks);
    for (const Scored& each : ranking_.admissible) listed_.push_back({each, no_rule});
    for (const Scored& each : ranking_.repeats) listed_.push_back({each, Rule::duplicate});
    for (const Scored& each : ranking_.rejected)
      if (!is_listed_repeat(each)) listed_.push_back({each, rule_of(each)});
    to.append(listed_, population_, drawn);
  }

 private:
  std::vector<RankedRow> rank_drawn(std::span<const std::int32_t> ranks) const;
  Index left_out_above(const Scored& least) const;
  Index count_left_out();
  void count_scanned(Index unscanned);
  bool is_listed_repeat(const Scored& scored) const;
  Rule rule_of(const Scored& rejected) const;

  std::int64_t& dropped(Rule rule) { return population_.dropped[static_cast<std::size_t>(rule)]; }

  const MineOptions& options_;
  const RowIndex& index_;
  const MinedQuery& query_;
  Ranking& ranking_;
  const Index corpus_rows_;
  std::vector<RuledRow> listed_;
  Population population_{.ceiling = query_.ceiling,
                         .dropped = {},
                         .admissible = 0,
                         .above_ceiling = 0,
                         .above_reference = 0,
                         .rescanned = ranking_.rescanned};
};

// Of the excluded rows only duplicates and rows near positives have raw ranks.
Index Assembly::left_out_above(const Scored& least) const {
  return std::count_if(listed_.begin(), listed_.end(), [&](const RuledRow& each) {
    return has_rank(each.rule) && better(each.scored, least);
  });
}

// The drawn rows that are not among the best rows.
std::vector<RankedRow> Assembly::rank_drawn(std::span<const std::int32_t> ranks) const {
  std::vector<RankedRow> drawn;
  for (std::size_t i = 0; i < ranking_.drawn.size(); ++i) {
    const Scored& scored = ranking_.drawn[i];
    if (!is_best(ranking_, scored))
      drawn.push_back({scored, ranks[i] + static_cast<std::int32_t>(left_out_above(scored))});
  }
  return drawn;
}

// Returns the number of rows that the scan excluded.
Index Assembly::count_left_out() {
  dropped(Rule::excluded) =
      index_.rows_outside() - static_cast<Index>(query_.listed.outside.size());
  for (const auto& [row, rule] : query_.listed.outside) ++dropped(rule);
  dropped(Rule::group) = index_.forbidden_rows(query_.query);
  Index unscanned = dropped(Rule::group);
  for (std::size_t i = 0; i < query_.listed.rows.size(); ++i) {
    const Rule rule = query_.listed.rules[i];
    if (rule == Rule::group) continue;
    if (rule != absent_rule) ++dropped(rule);
    if (index_.forbids(query_.query, query_.listed.rows[i]))
      --dropped(Rule::group);
    else
      ++unscanned;
  }
  return unscanned;
}

void Assembly::count_scanned(Index unscanned) {
  const auto distinct_above = [&](Level level) {
    return ranking_.above[level] - ranking_.repeated[level];
  };
  const Index repeated = index_.repeated_rows(query_.query, query_.listed);
  const Index distinct = corpus_rows_ - unscanned - repeated;
  const Index above = distinct_above(ceiling_level);
  const Index floored = options_.min_score ? distinct_above(floor_level) : distinct;
  population_.admissible = std::max<Index>(floored - above, 0);
  dropped(Rule::duplicate) += repeated;
  dropped(Rule::ceiling) = above;
  dropped(Rule::floor) = distinct - above - population_.admissible;
  population_.above_ceiling = ranking_.above[ceiling_level] + left_out_above({query_.ceiling, 0});
  if (options_.max_positive_rank && query_.reference)
    population_.above_reference =
        ranking_.above[reference_level] + left_out_above({*query_.reference, 0});
}

bool Assembly::is_listed_repeat(const Scored& scored) const {
  return std::binary_search(ranking_.repeats.begin(), ranking_.repeats.end(), scored, better);
}

Rule Assembly::rule_of(const Scored& rejected) const {
  const std::vector<std::int32_t>& repeats = ranking_.rejected_repeats;
  if (index_.forbids(query_.query, rejected.row)) return Rule::group;
  if (std::binary_search(repeats.begin(), repeats.end(), rejected.row)) return Rule::duplicate;
  return rejected.score > query_.ceiling ? Rule::ceiling : Rule::floor;
}

class ScanRetrieval : public Retrieval {
 public:
  ScanRetrieval(Scans& scans, const QueryHandle& queries, std::span<const MineOptions> sweep,
                const RowIndex& index)
      : scans_(scans),
        queries_(queries),
        shared_(sweep.front()),
        explained_(std::ranges::any_of(
            sweep, [](const MineOptions& options) { return options.explain > 0; })),
        index_(index),
        beside_(scans, queries, shared_, index),
        corpus_rows_(index.live_rows()) {}

  Index bytes(const MinedQuery& query) const override {
    const ScanQuery asked = question(query);
    const Index cols = queries_.rows().cols();
    const Index ranked =
        asked.draw.count + static_cast<Index>(beside_list(shared_, query.query).size());
    return scan_bytes(asked, cols, index_.classes()) +
           ranked * scan_bytes(rank_question(asked, {}), cols, {}) + beside_.bytes(query.query);
  }

  Candidates retrieve(std::span<const MinedQuery> asked, bool more, const Job& job) override;

 private:
  ScanQuery question(const MinedQuery& query) const;
  std::vector<Ranking> scan(std::span<const ScanQuery> asked, const RowClasses& classes, bool more,
                            const Job& job);
  std::vector<std::vector<std::int32_t>> drawn_ranks(std::span<const ScanQuery> asked,
                                                     std::vector<Ranking>& rankings, bool more,
                                                     const Job& job);
  Index skipped(const MineOptions& options) const {
    return std::min(options.skip_ranks, corpus_rows_) +
           std::min(options.skip_survivors, corpus_rows_);
  }
  Index needed_depth(const MinedQuery& query) const;
  bool is_scored(Rule rule) const { return has_rank(rule) || (explained_ && rule != absent_rule); }

  Scans& scans_;
  const QueryHandle& queries_;
  const MineOptions& shared_;  // only its lists, groups and texts and the range of queries are used
  const bool explained_;       // some options explain
  const RowIndex& index_;
  const BesideLists beside_;
  const Index corpus_rows_;
};

// The number of best admissible rows that decide the answer: skipped ranks and survivors, then the
// pool. Rows above the ceiling have the first ranks, so no deeper row is needed.
Index ScanRetrieval::needed_depth(const MinedQuery& query) const {
  const MineOptions& options = query.options;
  const std::vector<Rule>& rules = query.listed.rules;
  const auto capped = [&](Index count) { return std::min(count, corpus_rows_); };
  if (is_drawn(options)) return capped(skipped(options));
  // Without a draw in the scan all survivors of a band are listed.
  const bool all = rule_for(options.sampling).pool == Pool::all;
  Index depth = skipped(options) + (all ? corpus_rows_ : capped(query.pool));
  if (options.max_rank) {
    const bool duplicates = index_.classes().count > 0 || (options.part && has_texts(options)) ||
                            std::ranges::any_of(rules, has_rank);
    // Duplicates shift ranks, so all rows in the window are needed; `explain` needs rows after it
    // too. A part of a corpus has duplicates in other parts.
    if (options.explain > 0)
      depth = capped(*options.max_rank) + capped(options.explain);
    else if (duplicates)
      depth = *options.max_rank;
    else
      depth = std::min(depth, *options.max_rank);
  }
  return std::clamp<Index>(depth, 1, std::max<Index>(corpus_rows_, 1));
}

ScanQuery ScanRetrieval::question(const MinedQuery& query) const {
  const MineOptions& options = query.options;
  ScanQuery asked{.query = query.query - shared_.first_query,
                  .depth = needed_depth(query),
                  .ceiling = query.ceiling,
                  .rejected_depth = std::min(options.explain, corpus_rows_),
                  .barred = query.listed.rows,
                  .group = index_.group_of(query.query)};
  if (options.min_score) asked.floor = *options.min_score;
  if (options.max_positive_rank && query.reference) asked.reference = *query.reference;
  // Skipped rows can be among the drawn rows, so as many more are drawn.
  if (is_drawn(options))
    asked.draw = {
        .count = std::min(skipped(options) + std::min(query.pool, corpus_rows_), corpus_rows_),
        .seed = options.seed,
        .query = static_cast<std::uint64_t>(query.query),
        .row_numbers = options.part ? options.part->row_numbers : nullptr};
  return asked;
}

std::vector<Ranking> ScanRetrieval::scan(std::span<const ScanQuery> asked,
                                         const RowClasses& classes, bool more, const Job& job) {
  return scans_.scan({.queries = queries_,
                      .asked = asked,
                      .groups = shared_.groups,
                      .corpus_groups = shared_.corpus_groups,
                      .classes = classes,
                      .counted = true,
                      .bound_factor = 1.0,
                      .more = more,
                      .filter = index_.filter()},
                     job);
}

// Ranks of the drawn rows of each query among the rows of the scan. Drawn rows can be anywhere in
// the order, so a second scan must count the better rows. A part of a corpus has no ranks.
std::vector<std::vector<std::int32_t>> ScanRetrieval::drawn_ranks(std::span<const ScanQuery> asked,
                                                                  std::vector<Ranking>& rankings,
                                                                  bool more, const Job& job) {
  std::vector<std::vector<std::int32_t>> ranks(asked.size());
  std::vector<ScanQuery> questions;
  std::vector<std::pair<std::size_t, std::size_t>> places;  // places of query and drawn row
  for (std::size_t i = 0; i < asked.size(); ++i) {
    ranks[i].resize(rankings[i].drawn.size());
    for (std::size_t j = 0; j < ranks[i].size(); ++j) {
      if (shared_.part || is_best(rankings[i], rankings[i].drawn[j])) continue;
      questions.push_back(rank_question(asked[i], rankings[i].drawn[j]));
      places.emplace_back(i, j);
    }
  }
  if (questions.empty()) return ranks;
  const std::vector<Ranking> counted = scan(questions, {}, more, ranking_job(job));
  for (std::size_t k = 0; k < counted.size(); ++k) {
    const auto [i, j] = places[k];
    ranks[i][j] = static_cast<std::int32_t>(counted[k].above[reference_level]);
    rankings[i].rescanned = rankings[i].rescanned || counted[k].rescanned;
  }
  return ranks;
}

Candidates ScanRetrieval::retrieve(std::span<const MinedQuery> asked, bool more, const Job& job) {
  std::vector<ScanQuery> questions;
  ListedScores left_out;
  for (const MinedQuery& query : asked) {
    questions.push_back(question(query));
    if (!left_out.begin(questions.back().query)) continue;
    for (std::size_t i = 0; i < query.listed.rows.size(); ++i)
      if (is_scored(query.listed.rules[i]))
        left_out.push(query.listed.rows[i], query.listed.rules[i]);
  }
  const bool ranks_follow =
      shared_.beside ||
      (!shared_.part && std::ranges::any_of(questions, [](const ScanQuery& question) {
        return question.draw.count > 0;
      }));
  std::vector<Ranking> rankings = scan(questions, index_.classes(), more || ranks_follow, job);
  // Their ranks are counted as those of drawn rows.
  if (shared_.beside) beside_.add(asked, rankings, job);
  const auto ranks = drawn_ranks(questions, rankings, more, job);
  left_out.score(scans_, queries_, job);
  Candidates candidates;
  for (std::size_t i = 0; i < asked.size(); ++i)
    Assembly(index_, asked[i], rankings[i], corpus_rows_)
        .add(left_out.of(questions[i].query), ranks[i], candidates);
  return candidates;
}

}  // namespace

std::unique_ptr<Retrieval> scan_retrieval(Scans& scans, const QueryHandle& queries,
                                          std::span<const MineOptions> sweep,
                                          const RowIndex& index) {
  return std::make_unique<ScanRetrieval>(scans, queries, sweep, index);
}

}  // namespace gemmine
