#pragma once

#include <algorithm>
#include <array>

#include "core/named.h"

namespace gemmine {

enum class Metric { cosine, dot, l2 };
inline constexpr std::array<Named<Metric>, 3> metric_names{
    {{"cosine", Metric::cosine}, {"dot", Metric::dot}, {"l2", Metric::l2}}};

// Whether a score is the negative square of a distance; else it is a product. The terms of a scan's
// bounds depend on it (backend/proof/scan_bounds.h).
constexpr bool is_distance(Metric metric) { return metric == Metric::l2; }

// Whether scores are those of rows divided by their norms, which are kept for this purpose.
constexpr bool has_unit_rows(Metric metric) { return metric == Metric::cosine; }

// Whether the float64 sum of a canonical score is ‖q − c‖², else q·c. Rows divided by their norms
// are not stored, so a distance of such rows follows from q·c.
constexpr bool sums_squares(Metric metric) { return is_distance(metric) && !has_unit_rows(metric); }

// The canonical score. `lengths` is ‖q‖‖c‖ if the metric has unit rows. Adding +0 only changes −0
// to +0.
inline double canonical_score(Metric metric, double sum, double lengths) {
  if (sums_squares(metric)) return 0.0 - sum;
  if (!has_unit_rows(metric)) return sum + 0.0;
  return lengths == 0 ? 0.0 : std::clamp(sum / lengths, -1.0, 1.0) + 0.0;
}

}  // namespace gemmine
