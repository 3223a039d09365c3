#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "backend/scans.h"
#include "mining/row_choice.h"
#include "mining/sampling.h"
#include "mining/score_ceiling.h"

namespace gemmine {

// The corpus row that is the query itself. It is never an answer.
struct SelfRows {
  bool same;                 // query i is row i
  const std::int32_t* rows;  // [queries], −1 for none; null: use `same`

  std::int32_t of(Index query) const {
    if (rows != nullptr) return rows[query];
    return same ? static_cast<std::int32_t>(query) : -1;
  }
};

struct TopKOptions {
  Index k;
  SelfRows self;
  RowLists exclude;
  RowChoice choice = {};
  std::optional<double> min_score = {};  // score >= min_score
};

// Numbers of rows that are zero vectors, under cosine: they score 0 with everything.
struct ZeroVectors {
  Index queries;
  Index rows;  // of the corpus
};

struct Proof {
  Index certified;     // queries proven without a rescan
  Index fallback;      // queries rescanned canonically
  Index zero_queries;  // under cosine: zero rows score 0 with everything
  Index zero_rows;     // of the corpus
};

// indices [queries × k] (padded with −1), scores [queries × k] (padded with NaN), best first, equal
// scores by lower row. Scores are canonical float64 rounded once to float32, never −0.
Proof top_k(Scans& scans, const RowSource& queries, const CorpusHandle& corpus,
            const TopKOptions& options, std::int32_t* indices, float* scores, const Job& job);

// Rows with equal classes have equal texts; lib/ makes the classes from texts. −1 equals no other
// class.
struct TextClasses {
  const std::int32_t* queries;  // [queries], null without texts
  const std::int32_t* corpus;   // [corpus rows]
};

// The lists of negatives that a job finds: one for each query, or under Reference::each one for
// each of its positives.
struct QueryLists {
  Index count;
  const std::int32_t* queries;    // [count], ascending; null: list i is that of query i
  const std::int32_t* positives;  // [count], rows of the whole corpus, −1 for none; null: all −1
};

// The rows that are mined are a part of a corpus.
struct CorpusPart {
  QueryLists lists;
  const double* references;  // by list, NaN for a query without positives in the whole corpus
  const std::int32_t* row_numbers;  // [corpus rows], ascending: their numbers in the whole corpus
  std::span<const std::int32_t> absent;  // rows that belong to another part, ascending; in no list
};

// The numbers of samplings; each sampling uses its own (sampling.h).
struct SamplingNumbers {
  double temperature;  // > 0
  double simans_a;     // >= 0
  double simans_b;
  Index stride;            // >= 1
  Index bins;              // >= 1
  double mmr_lambda;       // in [0, 1]
  double distance_cutoff;  // > 0
  double distance_limit;   // > distance_cutoff, at most 2
  Index dimensions;        // columns of both sides
};

// Limits that depend on other negatives, of the query and of other queries.
struct Caps {
  std::optional<double> near_duplicate_score;
  std::optional<Index> hub_cap;  // >= 1

  bool any() const { return near_duplicate_score || hub_cap; }
};

// Lists, groups and texts are those of all queries; the mined queries are first_query, first_query
// + 1, ... of them.
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
  SamplingNumbers numbers;
  Caps caps;
  std::uint64_t seed;
  SelfRows self;
  RowLists positives;
  bool positives_scored;  // positive_scores are given
  RowLists exclude;
  RowFilter filter = {};  // rows outside count as excluded
  std::optional<double> near_positive_score;
  std::optional<RowLists> candidates;  // the only candidates; nothing: every row of the corpus
  // Every row is a candidate, and the survivors among `candidates` join the pool, which the
  // sampling must have. Not for a part of a corpus.
  bool beside;
  Groups groups;
  const std::int32_t* query_groups;  // null when groups is off
  const std::int32_t* corpus_groups;
  TextClasses texts;
  Index explain;  // number of best rejected candidates to report for each mined query
  std::optional<CorpusPart> part = {};  // nothing: the corpus is whole
};

// Rows of a query that join its pool, ascending.
inline std::span<const std::int32_t> beside_list(const MineOptions& options, Index query) {
  return options.beside ? list_of(*options.candidates, query) : std::span<const std::int32_t>{};
}

inline bool has_texts(const MineOptions& options) { return options.texts.corpus != nullptr; }

// The order in which the rules are applied. A dropped candidate counts for the first rule that
// applies. lib/ has the same list; a test compares them.
// Near-duplicates and hubs are counted only as far as a query's selection comes.
inline constexpr const char* rule_names[] = {"self",      "positive",      "excluded", "group",
                                             "duplicate", "nearPositive",  "ceiling",  "floor",
                                             "rank",      "nearDuplicate", "hub"};
inline constexpr Index rule_count = 11;

// Where a negative comes from.
enum Source : std::uint8_t { from_scan = 1, from_candidates = 2 };

// The caller's arrays for the answers of the mined queries, by their lists (QueryLists): one for
// each query, or under Reference::each one for each of its positives, or one without positives.
struct MinedArrays {
  std::int32_t* indices;            // [lists × num_negatives], −1 padded
  float* scores;                    // [lists × num_negatives], NaN padded
  std::int32_t* counts;             // [lists]
  std::int32_t* ranks;              // [lists × num_negatives] raw ranks, −1 padded
  double* positive_scores;          // parallel to positives.indices; not written for other queries
  double* exact_scores = nullptr;   // [lists × num_negatives] canonical, NaN padded; may be null
  std::uint8_t* sources = nullptr;  // [lists × num_negatives] bits of Source, 0 padded; may be null
  Index lists = every_row;          // that the arrays have room for; for memory safety
};

struct Rejected {
  std::vector<std::int32_t> queries;    // of the mined lists, ascending
  std::vector<std::int32_t> positives;  // whose lists they are, −1 unless under Reference::each
  std::vector<std::int32_t> indptr;     // [queries.size() + 1]
  std::vector<std::int32_t> rows;
  std::vector<double> scores;
  std::vector<std::uint8_t> rules;  // positions in rule_names
};

struct MinedCounts {
  std::int64_t dropped[rule_count];
  Index queries_without_positives;
  Index inconsistent;
  std::int64_t candidate_pairs;  // of all mined queries, inconsistent ones included
  Proof proof;
  Rejected rejected;
};

// One answer for each of several options, all from the same scans. Queries, lists, groups and texts
// are those of the first options; other numbers and names may differ. `queries` are the mined
// queries. positive_scores is written in the first arrays only, or read if the first options say
// that positives are scored, and not used in the others.
std::vector<MinedCounts> mine(Scans& scans, const RowSource& queries, const CorpusHandle& corpus,
                              std::span<const MineOptions> sweep, std::span<const MinedArrays> out,
                              const Job& job);

}  // namespace gemmine
