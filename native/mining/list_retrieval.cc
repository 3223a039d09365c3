#include <algorithm>

#include "mining/listed_scores.h"
#include "mining/retrieval.h"

namespace gemmine {
namespace {

// The rule of a row outside the filter.
Rule rule_outside(const ListedRows& listed, std::int32_t row) {
  for (const auto& [outside, rule] : listed.outside)
    if (outside == row) return rule;
  return Rule::excluded;
}

class ListRetrieval : public Retrieval {
 public:
  ListRetrieval(Scans& scans, const QueryHandle& queries, std::span<const MineOptions> sweep,
                const RowIndex& index)
      : scans_(scans), queries_(queries), shared_(sweep.front()), index_(index) {}

  Index bytes(const MinedQuery& query) const override {
    constexpr auto each = static_cast<Index>(2 * sizeof(RuledRow) + 4 * sizeof(double));
    const auto candidates = static_cast<Index>(list_of(*shared_.candidates, query.query).size());
    return each * candidates + 4 * static_cast<Index>(query.listed.rows.size()) + 256;
  }

  Candidates retrieve(std::span<const MinedQuery> asked, bool, const Job& job) override {
    ListedScores scores;
    for (const MinedQuery& query : asked) add_rows(query, scores);
    scores.score(scans_, queries_, job);
    Candidates candidates;
    for (const MinedQuery& query : asked) {
      std::vector<RuledRow> rows = scores.of(query.query - shared_.first_query);
      const Population population = settle(query, rows);
      candidates.append(rows, population);
    }
    return candidates;
  }

 private:
  void add_rows(const MinedQuery& query, ListedScores& to) const;
  Population settle(const MinedQuery& query, std::vector<RuledRow>& rows) const;
  void drop_repeats(std::vector<RuledRow>& best_first) const;

  Scans& scans_;
  const QueryHandle& queries_;
  const MineOptions& shared_;
  const RowIndex& index_;
};

// Adds the rows of a query with the rules that need no score. Both lists are in ascending order.
void ListRetrieval::add_rows(const MinedQuery& query, ListedScores& to) const {
  if (!to.begin(query.query - shared_.first_query)) return;
  const std::vector<std::int32_t>& named = query.listed.rows;
  auto at = named.begin();
  for (const std::int32_t row : list_of(*shared_.candidates, query.query)) {
    at = std::lower_bound(at, named.end(), row);
    const bool is_named = at != named.end() && *at == row;
    to.push(row, !index_.holds(row)                 ? rule_outside(query.listed, row)
                 : is_named                         ? query.listed.rules[at - named.begin()]
                 : index_.forbids(query.query, row) ? Rule::group
                                                    : no_rule);
  }
}

// Keeps the best one of all candidates with the same text.
void ListRetrieval::drop_repeats(std::vector<RuledRow>& best_first) const {
  if (index_.classes().count == 0) return;
  std::vector<std::pair<std::int32_t, std::size_t>> classed;  // class, place
  for (std::size_t i = 0; i < best_first.size(); ++i) {
    const std::int32_t own = index_.classes().class_of(best_first[i].scored.row);
    if (best_first[i].rule == no_rule && own >= 0) classed.emplace_back(own, i);
  }
  std::sort(classed.begin(), classed.end());
  for (std::size_t i = 1; i < classed.size(); ++i)
    if (classed[i].first == classed[i - 1].first)
      best_first[classed[i].second].rule = Rule::duplicate;
}

Population ListRetrieval::settle(const MinedQuery& query, std::vector<RuledRow>& rows) const {
  std::sort(rows.begin(), rows.end(),
            [](const RuledRow& a, const RuledRow& b) { return better(a.scored, b.scored); });
  drop_repeats(rows);
  Population all{.ceiling = query.ceiling,
                 .dropped = {},
                 .admissible = 0,
                 .above_ceiling = 0,
                 .above_reference = 0,
                 .rescanned = false};
  const std::optional<double> min_score = query.options.get().min_score;
  for (RuledRow& each : rows) {
    const double score = each.scored.score;
    if (each.rule == no_rule || has_rank(each.rule)) {
      all.above_ceiling += score > query.ceiling;
      all.above_reference += query.reference && score > *query.reference;
    }
    if (each.rule == no_rule && score > query.ceiling) each.rule = Rule::ceiling;
    if (each.rule == no_rule && min_score && score < *min_score) each.rule = Rule::floor;
    if (each.rule == no_rule)
      ++all.admissible;
    else
      ++all.dropped[static_cast<std::size_t>(each.rule)];
  }
  return all;
}

}  // namespace

std::unique_ptr<Retrieval> list_retrieval(Scans& scans, const QueryHandle& queries,
                                          std::span<const MineOptions> sweep,
                                          const RowIndex& index) {
  return std::make_unique<ListRetrieval>(scans, queries, sweep, index);
}

}  // namespace gemmine
