#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "mining/mine.h"

namespace gemmine {

// The reference of one query's positive scores; `scores` is not empty and in ascending order of
// rows.
inline double reference_score(std::span<const double> scores, Reference reference) {
  if (reference == Reference::min) return *std::min_element(scores.begin(), scores.end());
  if (reference == Reference::max) return *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (const double score : scores) sum += score;
  return sum / static_cast<double>(scores.size());
}

// Each operation is rounded separately, as documented; the build forbids fused multiply-add.
// Without a positive only max_score applies.
inline double score_ceiling(std::optional<double> positive, const MiningRules& rules) {
  double ceiling = std::numeric_limits<double>::infinity();
  if (rules.max_score) ceiling = std::min(ceiling, *rules.max_score);
  if (!positive) return ceiling;
  if (rules.absolute_margin) ceiling = std::min(ceiling, *positive - *rules.absolute_margin);
  if (rules.relative_margin)
    ceiling = std::min(ceiling, *positive - *rules.relative_margin * std::abs(*positive));
  return ceiling;
}

}  // namespace gemmine
