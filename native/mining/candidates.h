#pragma once

#include <array>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include "mining/mine.h"

namespace gemmine {

// Positions in rule_names.
enum class Rule : std::uint8_t {
  self,
  positive,
  excluded,
  group,
  duplicate,
  near_positive,
  ceiling,
  floor,
  rank,
  near_duplicate,
  hub
};
// The rules before the ceiling whose rows have raw ranks.
constexpr bool has_rank(Rule rule) {
  return rule == Rule::duplicate || rule == Rule::near_positive;
}
inline constexpr auto no_rule = static_cast<Rule>(rule_count);
inline constexpr auto absent_rule = static_cast<Rule>(rule_count + 1);  // the row is no candidate

struct RuledRow {
  Scored scored;
  Rule rule;  // the first rule that drops the row
};

// A row with a counted rank.
struct RankedRow {
  Scored scored;
  std::int32_t rank;
};

// Exact counts over all candidates of a query, listed or not.
struct Population {
  double ceiling;
  std::array<std::int64_t, rule_count> dropped;  // by each rule before `rank`; judge() applies it
  Index admissible;                              // dropped by none of these rules
  Index above_ceiling;                           // number of rows with raw ranks above the ceiling
  Index above_reference;                         // likewise; 0 if not needed
  bool rescanned;

  Index candidates() const { return std::accumulate(dropped.begin(), dropped.end(), admissible); }
};

// The part of Candidates for one query.
struct QueryCandidates {
  std::span<const std::int32_t> rows;
  std::span<const double> scores;
  std::span<const std::int32_t> ranks;
  std::span<const Rule> rules;
  const Population& population;
};

// The candidates of some queries, from a scan of the corpus or from lists: the output of retrieval
// and the input of judging and selection. The list of a query contains at least the best admissible
// rows on which its answer can depend; the rows with the smallest keys, if the answer is drawn from
// all; and the best rejected rows that `explain` requests.
struct Candidates {
  std::vector<Index> indptr = {0};      // [queries + 1]
  std::vector<std::int32_t> rows;       // best first within a query
  std::vector<double> scores;           // canonical
  std::vector<std::int32_t> ranks;      // raw ranks of the admissible rows, −1 for others
  std::vector<Rule> rules;              // no_rule for admissible rows
  std::vector<Population> populations;  // [queries]

  QueryCandidates of(std::size_t query) const;
  // Adds the next query. `listed` contains each row once, in any order. `drawn` are admissible rows
  // that are not among the best ones, best first.
  void append(std::vector<RuledRow>& listed, const Population& population,
              std::span<const RankedRow> drawn = {});

 private:
  void append(const RuledRow& row, Index rank);
};

}  // namespace gemmine
