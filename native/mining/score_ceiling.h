#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <span>

#include "core/named.h"

namespace gemmine {

// Mining rules. A rule gives the highest score that a negative may have, from a query's reference
// positive score. The lowest ceiling applies, so the order of the rules does not matter.
struct MiningRules {
  std::optional<double> max_score;        // score <= max_score
  std::optional<double> absolute_margin;  // score <= positive − margin
  std::optional<double> relative_margin;  // score <= positive − margin·|positive|
};

// The rules by the names of lib/mining/ceiling-rules.ts; info() lists them.
inline constexpr std::array<Named<std::optional<double> MiningRules::*>, 3> ceilings{
    {{"maxScore", &MiningRules::max_score},
     {"absoluteMargin", &MiningRules::absolute_margin},
     {"relativeMargin", &MiningRules::relative_margin}}};

// Of several positives, or for each of them a list of negatives of its own.
enum class Reference { min, max, mean, each };
inline constexpr std::array<Named<Reference>, 4> reference_names{{{"min", Reference::min},
                                                                  {"max", Reference::max},
                                                                  {"mean", Reference::mean},
                                                                  {"each", Reference::each}}};

// The reference of the positive scores of one list; `scores` is not empty and in ascending order
// of rows. A list of Reference::each has one score.
inline double reference_score(std::span<const double> scores, Reference reference) {
  if (reference == Reference::min) return *std::min_element(scores.begin(), scores.end());
  if (reference == Reference::max) return *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (const double score : scores) sum += score;
  return sum / static_cast<double>(scores.size());
}

// Whether a query is mined. Without a positive it needs a rule that applies to it.
inline bool is_mined(std::optional<double> positive, const MiningRules& rules) {
  return positive || rules.max_score;
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
