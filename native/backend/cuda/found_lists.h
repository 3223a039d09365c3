#pragma once

#include <optional>
#include <span>
#include <vector>

#include "backend/cuda/device.h"
#include "backend/cuda/scan_table.h"

namespace gemmine::cuda {

// The lists of a scan when it is done, one after the other; a list that was full is empty.
struct ListedRows {
  std::vector<ScanState> states;     // [lists]
  std::vector<std::int64_t> starts;  // [lists + 1]
  std::vector<Found> found;

  std::span<const Found> of(Index list) const {
    return std::span(found).subspan(starts[list], starts[list + 1] - starts[list]);
  }
};

// Lists of rows that may matter to questions, on the device, with the thresholds of each.
class FoundLists {
 public:
  // Lists hold `capacity` rows.
  FoundLists(const std::shared_ptr<Device>& device, const std::vector<AskedScan>& asked,
             const std::vector<ScanState>& states, Index capacity);

  std::int32_t capacity() const { return capacity_; }
  const AskedScan* asked() const { return asked_.data(); }
  ScanState* states() const { return states_.data(); }
  Found* rows() const { return rows_.data(); }

  // Raises the thresholds of some lists and drops what is below, if they have grown by `growth`.
  void tighten(Index first, Index count, Index growth) const;
  // Waits. If `pairs` is not null, it gets the lanes and rows of what was found, on the device.
  ListedRows download(std::optional<Array<std::int32_t>>* pairs) const;
  bool is_full(const ScanState& state) const { return state.count > capacity_; }

 private:
  std::shared_ptr<Device> device_;
  const std::int32_t capacity_;
  Array<AskedScan> asked_;
  Array<ScanState> states_;
  Array<Found> rows_;
};

inline constexpr Index fewest_grown = 64;  // rows, before a list is tightened again

}  // namespace gemmine::cuda
