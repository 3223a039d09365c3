#include "binding/live_view.h"

namespace gemmine::binding {

// A removed row is in no list.
TopKOptions LiveView::placed(const TopKOptions& options, Index queries) {
  TopKOptions placed = options;
  starts_ = {0};
  for (Index query = 0; query < queries; ++query) {
    for (const std::int32_t row : list_of(options.exclude, query))
      if (live_->has(row)) rows_.push_back(static_cast<std::int32_t>(live_->place_of(row)));
    starts_.push_back(static_cast<std::int32_t>(rows_.size()));
    const std::int32_t self = options.self.of(query);
    const bool is_row = self >= 0 && live_->has(self);
    self_.push_back(is_row ? static_cast<std::int32_t>(live_->place_of(self)) : -1);
  }
  placed.exclude = {.indptr = starts_.data(), .indices = rows_.data()};
  placed.self = {.same = false, .rows = self_.data()};
  return placed;
}

std::vector<std::int32_t> LiveView::placed(std::span<const std::int32_t> starts) const {
  std::vector<std::int32_t> places;
  for (const std::int32_t start : starts)
    places.push_back(static_cast<std::int32_t>(live_->place_of(start)));
  return places;
}

}  // namespace gemmine::binding
