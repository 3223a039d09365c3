#include "backend/cuda/found_lists.h"

namespace gemmine::cuda {

FoundLists::FoundLists(const std::shared_ptr<Device>& device, const std::vector<AskedScan>& asked,
                       const std::vector<ScanState>& states, Index capacity)
    : device_(device),
      capacity_(static_cast<std::int32_t>(capacity)),
      asked_(device, asked),
      states_(device, states),
      rows_(device, static_cast<Index>(asked.size()) * capacity) {}

void FoundLists::tighten(Index first, Index count, Index growth) const {
  const TightenLists request{.asked_count = static_cast<std::int32_t>(count),
                             .capacity = capacity_,
                             .growth = static_cast<std::int32_t>(growth),
                             .unused = 0,
                             .asked = asked_.data() + first,
                             .states = states_.data() + first,
                             .lists = rows_.data() + first * capacity_};
  device_->require(device_->table().scans.tighten_lists(device_->compute(), &request));
}

// The states first, which say how long the lists are.
ListedRows FoundLists::download(std::optional<Array<std::int32_t>>* pairs) const {
  ListedRows listed{.states = states_.download(), .starts = {0}, .found = {}};
  for (const ScanState& state : listed.states)
    listed.starts.push_back(listed.starts.back() + (is_full(state) ? 0 : state.count));
  const Index count = listed.starts.back();
  if (count == 0) return listed;
  const Array<std::int64_t> starts(device_, listed.starts);
  const Array<Found> packed(device_, count);
  if (pairs != nullptr) pairs->emplace(device_, 2 * count);
  const PackLists request{.asked_count = static_cast<std::int32_t>(listed.states.size()),
                          .capacity = capacity_,
                          .asked = asked_.data(),
                          .lists = rows_.data(),
                          .starts = starts.data(),
                          .packed = packed.data(),
                          .pairs = pairs == nullptr ? nullptr : (*pairs)->data()};
  device_->require(device_->table().scans.pack_lists(device_->compute(), &request));
  listed.found = packed.download(count);
  return listed;
}

}  // namespace gemmine::cuda
