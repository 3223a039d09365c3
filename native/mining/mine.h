#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "backend/scans.h"

namespace gemmine {

// The corpus row that a query is itself, which is no answer to it.
struct SelfRows {
  bool same;                 // query i is row i
  const std::int32_t* rows;  // [queries], −1 for none; null: as `same` says

  std::int32_t of(Index query) const {
    if (rows != nullptr) return rows[query];
    return same ? static_cast<std::int32_t>(query) : -1;
  }
};

struct TopKOptions {
  Index k;
  SelfRows self;
  RowLists exclude;
};

struct Proof {
  Index certified;     // queries proven without a rescan
  Index fallback;      // queries rescanned canonically
  Index zero_queries;  // under cosine: zero rows score 0 with everything
  Index zero_rows;     // of the corpus
};

// indices [queries × k] (−1 where fewer exist), scores [queries × k] (NaN there), best first, equal
// scores by lower row. Scores are canonical float64 rounded once to float32, never −0.
Proof top_k(Scans& scans, const RowSource& queries, const CorpusHandle& corpus,
            const TopKOptions& options, std::int32_t* indices, float* scores, const Job& job);

// Mining rules. A rule turns a query's reference positive score into the highest score a negative
// may have; rules combine by taking the lowest ceiling, so their order cannot matter.
struct MiningRules {
  std::optional<double> max_score;        // score <= max_score
  std::optional<double> absolute_margin;  // score <= positive − margin
  std::optional<double> relative_margin;  // score <= positive − margin·|positive|
};

enum class Reference { min, max, mean };
enum class Sampling { top, random, top1_random, band };

// Rows with equal classes say the same; built by lib/ from texts. −1 equals nothing.
struct TextClasses {
  const std::int32_t* queries;  // [queries], null without texts
  const std::int32_t* corpus;   // [corpus rows]
};

// What lists, groups and texts say of queries they say of all; the queries that are mined are some
// of them, with the numbers first_query, first_query + 1, ...
struct MineOptions {
  Index all_queries;
  Index first_query;
  Index num_negatives;
  MiningRules rules;
  std::optional<double> min_score;
  Reference reference;
  Index skip_ranks;
  std::optional<Index> max_rank;
  std::optional<Index> max_positive_rank;
  Index skip_survivors;
  Sampling sampling;
  Index pool;
  std::uint64_t seed;
  SelfRows self;
  RowLists positives;
  RowLists exclude;
  std::optional<RowLists> candidates;  // the only ones; nothing: every row of the corpus
  Groups groups;
  const std::int32_t* query_groups;  // null when groups is off
  const std::int32_t* corpus_groups;
  TextClasses texts;
  Index explain;  // best rejected candidates to report for each mined query
};

// The order in which a candidate is tried; it is charged to the first rule that hits it. lib/ has
// the same list, compared by a test.
inline constexpr const char* rule_names[] = {"self",      "positive", "excluded", "group",
                                             "duplicate", "ceiling",  "floor",    "rank"};
inline constexpr Index rule_count = 8;

// Where the caller wants the answers of the queries that are mined.
struct MinedArrays {
  std::int32_t* indices;    // [queries × num_negatives], −1 padded
  float* scores;            // [queries × num_negatives], NaN padded
  std::int32_t* counts;     // [queries]
  std::int32_t* ranks;      // [queries × num_negatives] raw ranks, −1 padded
  double* positive_scores;  // parallel to positives.indices; those of other queries are left alone
};

struct Rejected {
  std::vector<std::int32_t> queries;  // numbers of mined queries, ascending
  std::vector<std::int32_t> indptr;   // [queries.size() + 1]
  std::vector<std::int32_t> rows;
  std::vector<double> scores;
  std::vector<std::uint8_t> rules;  // positions in rule_names
};

struct MinedCounts {
  std::int64_t dropped[rule_count];
  Index queries_without_positives;
  Index inconsistent;
  std::int64_t candidate_pairs;  // of a mined query, inconsistent ones too
  Proof proof;
  Rejected rejected;
};

// One answer for each of some options, all from the same scans. Queries, lists, groups and texts
// are those of the first; the numbers and names beside them may differ. `queries` are those that
// are mined; positive_scores of the first arrays are written, those of the others not looked at.
std::vector<MinedCounts> mine(Scans& scans, const RowSource& queries, const CorpusHandle& corpus,
                              std::span<const MineOptions> sweep, std::span<const MinedArrays> out,
                              const Job& job);

}  // namespace gemmine
