#pragma once

#include <span>
#include <vector>

#include "mining/preference.h"

namespace gemmine {

// Whether the order of preference depends on the scores of rows of the corpus with each other.
inline bool compares_rows(const MineOptions& options) {
  return options.caps.near_duplicate_score || rule_for(options.sampling).order == Order::marginal;
}

// A query whose preference is to be diversified.
struct Diverse {
  const MineOptions& options;
  std::size_t count;  // rows wanted
  Preference& preference;
};

// Moves near-duplicates of earlier rows to `skipped`, and orders the rows of Order::marginal, until
// each preference has `count` rows; the others are removed. Scores are canonical. Each step asks
// for the scores of one row of every query.
void diversify(Scans& scans, const CorpusHandle& corpus, std::span<const Diverse> queries,
               const Job& job);

}  // namespace gemmine
