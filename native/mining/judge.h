#pragma once

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "mining/listed_rows.h"

namespace gemmine {

// What the rules ask of one query.
struct MinedQuery {
  Index query;
  std::optional<double> reference;  // score of its positives; nothing without any
  double ceiling;
  ListedRows listed;
};

struct Negative {
  double score;
  std::int32_t row;
  std::int32_t rank;  // among the rows that are not themselves, positives, excluded or forbidden
};

struct RejectedRow {
  Scored scored;
  Rule rule;
};

// One query's part of the answer.
struct Verdict {
  bool inconsistent;                // max_positive_rank leaves the query out
  std::vector<Negative> survivors;  // best first, after all skips; as many as are needed
  std::array<std::int64_t, rule_count> dropped;
  std::vector<RejectedRow> rejected;  // the `explain` best
};

// Survivors that a query's answer is chosen from.
inline Index pool_size(const MineOptions& options) {
  return options.sampling == Sampling::top ? options.num_negatives
                                           : std::max(options.num_negatives, options.pool);
}

// How many of the best admissible rows decide the answer: skipped ranks and survivors come before
// the pool. Rows above the ceiling take the first ranks, so no rank is needed beyond these.
Index needed_depth(const MineOptions& options, const RowIndex& index, const ListedRows& listed,
                   Index corpus_rows);

// The listed rows whose scores the rules ask for.
std::vector<std::int32_t> scored_rows(const MineOptions& options, const ListedRows& listed);

// Applies the rules in their order to what is known exactly; `scores` are those of scored_rows.
Verdict judge(const MineOptions& options, const RowIndex& index, const MinedQuery& query,
              const Ranking& ranking, Index corpus_rows, std::span<const double> scores);

}  // namespace gemmine
