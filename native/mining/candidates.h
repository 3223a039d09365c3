#pragma once

#include <array>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include "mining/mine.h"

namespace gemmine {

// Positions in rule_names.
enum class Rule : std::uint8_t { self, positive, excluded, group, duplicate, ceiling, floor, rank };
inline constexpr auto no_rule = static_cast<Rule>(rule_count);

struct RuledRow {
  Scored scored;
  Rule rule;  // the first that drops the row
};

// A row whose rank was counted.
struct RankedRow {
  Scored scored;
  std::int32_t rank;
};

// All candidates of a query in numbers, those too that are not listed. Exact.
struct Population {
  double ceiling;
  std::array<std::int64_t, rule_count> dropped;  // by each rule but `rank`, which judge() asks
  Index admissible;                              // dropped by none of these
  Index above_ceiling;                           // of the rows that take raw ranks
  Index above_reference;                         // likewise; 0 where nobody asks
  bool rescanned;

  Index candidates() const { return std::accumulate(dropped.begin(), dropped.end(), admissible); }
};

// One query's part of Candidates.
struct QueryCandidates {
  std::span<const std::int32_t> rows;
  std::span<const double> scores;
  std::span<const std::int32_t> ranks;
  std::span<const Rule> rules;
  const Population& population;
};

// Where retrieving, judging and selecting meet: the candidates of some queries, from a scan of the
// corpus or from lists. Of each query there are listed at least the best admissible rows, as many
// as its answer can depend on, those with the smallest keys where its answer is drawn from all, and
// the best rejected ones, as many as are to be explained.
struct Candidates {
  std::vector<Index> indptr = {0};      // [queries + 1]
  std::vector<std::int32_t> rows;       // best first within a query
  std::vector<double> scores;           // canonical
  std::vector<std::int32_t> ranks;      // raw ranks of the admissible rows, −1 for others
  std::vector<Rule> rules;              // no_rule: admissible
  std::vector<Population> populations;  // [queries]

  QueryCandidates of(std::size_t query) const;
  // Adds the next query. Each row comes once, in any order. `drawn` are admissible rows beyond the
  // best ones, best first.
  void append(std::vector<RuledRow>& listed, const Population& population,
              std::span<const RankedRow> drawn = {});

 private:
  void append(const RuledRow& row, Index rank);
};

}  // namespace gemmine
