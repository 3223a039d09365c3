#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mining/mine.h"

// Mining of a corpus in parts: each part retrieves its candidates, and the candidates of all parts
// are judged together.
namespace gemmine {

// Numbers of a list (QueryLists) in PartCandidates: dropped by each rule (0 for `rank`),
// admissible, above the ceiling, above the reference, and 1 where the scan proved nothing.
inline constexpr Index population_size = rule_count + 4;

// The candidates of one part. Rows are numbered as in the whole corpus; their ranks depend on all
// parts and are not known.
struct PartCandidates {
  std::vector<double> indptr = {0};       // [lists + 1], integers
  std::vector<std::int32_t> rows = {};    // best first within a list
  std::vector<double> scores = {};        // canonical
  std::vector<std::uint8_t> rules = {};   // positions in rule_names, rule_count: admissible
  std::vector<std::int32_t> populations;  // [lists × population_size], 0 for one not mined
  ZeroVectors zeros;
};

// options.part must be set.
PartCandidates part_candidates(Scans& scans, const RowSource& queries, const CorpusHandle& corpus,
                               const MineOptions& options, const Job& job);

// Rows of the whole corpus, for each list, with their canonical scores: [lists × count], −1 for a
// missing row.
struct AskedRows {
  Index count;
  const std::int32_t* rows;
  const double* scores;
};

// ranks [lists × count]: how many rows of this part, of those with raw ranks, are better than
// each row; −1 for a missing row. options.part must be set.
void part_ranks(Scans& scans, const RowSource& queries, const CorpusHandle& corpus,
                const MineOptions& options, const AskedRows& asked, std::int32_t* ranks,
                const Job& job);

// The caller's arrays of a PartCandidates, checked: starts ascend to the number of rows.
struct PartView {
  std::span<const double> indptr;
  std::span<const std::int32_t> rows;
  std::span<const double> scores;
  std::span<const std::uint8_t> rules;
  std::span<const std::int32_t> populations;
};

// Judges the candidates of all parts. Of the options only numbers, names and the references of
// `part` are used. Ranks are those of the whole corpus, except that a row drawn from a band has one
// only if all candidates, or all within max_rank, are listed.
MinedCounts merge_parts(std::span<const PartView> parts, const MineOptions& options,
                        const MinedArrays& out, const Job& job);

}  // namespace gemmine
