#include "backend/cuda/found_rows.h"

#include <algorithm>
#include <numeric>

namespace gemmine::cuda {
namespace {

constexpr Index stretch = 32;  // rows of an event
static_assert(scan_levels == level_count && scan_classed_levels == classed_levels);

// The rows of a list within one stretch.
struct Stretch {
  Index first;
  ScanEvent event{};
  std::uint32_t valid = 0;
  float upper[stretch] = {};
  float lower[stretch] = {};

  void add(const Found& row) {
    const auto at = static_cast<int>(row.row - first);
    const std::uint32_t bit = 1u << at;
    valid |= bit;
    upper[at] = row.upper;
    lower[at] = row.lower;
    if ((row.flags & found_admissible) != 0) event.admissible |= bit;
    if ((row.flags & found_rejected) != 0) event.rejected |= bit;
    for (int level = 0; level < level_count; ++level) {
      if ((row.flags & (found_above << level)) != 0) event.above[level] |= bit;
      if ((row.flags & (found_straddling << level)) != 0) event.straddling[level] |= bit;
    }
  }
};

}  // namespace

void collect_rows(std::span<const Found> found, Collector& collector) {
  std::vector<std::uint32_t> order(found.size());
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::sort(order, {}, [&](std::uint32_t i) { return found[i].row; });
  for (std::size_t i = 0; i < order.size();) {
    Stretch rows{.first = found[order[i]].row / stretch * stretch};
    for (; i < order.size() && found[order[i]].row < rows.first + stretch; ++i)
      rows.add(found[order[i]]);
    collector.take(rows.event, rows.upper, rows.lower, rows.first, rows.valid);
  }
}

KnownScorer::KnownScorer(std::span<const Found> found, std::span<const double> scores,
                         const KnownScores& more)
    : known_(more) {
  for (std::size_t i = 0; i < found.size(); ++i) known_.emplace_back(found[i].row, scores[i]);
  std::ranges::sort(known_);
}

void KnownScorer::score(const std::int32_t* rows, Index count, double* scores) {
  for (Index i = 0; i < count; ++i) {
    const auto at = std::ranges::lower_bound(known_, rows[i], {}, &KnownScores::value_type::first);
    if (at == known_.end() || at->first != rows[i]) throw Unscored();
    scores[i] = at->second;
  }
}

}  // namespace gemmine::cuda
