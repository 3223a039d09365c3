#pragma once

#include "backend/cuda/device/platform.h"
#include "backend/cuda/scan_table.h"

namespace gemmine::cuda::device {

// Lists of a batch: [questions×capacity].
struct Lists {
  ScanState* states;
  Found* rows;
  std::int32_t capacity;
};

// Adds the rows with flags that a warp has found for one question. The count goes on beyond the
// capacity, and nothing is written there.
__device__ inline void append(const Lists& lists, int asked, const Found& found, int lane) {
  const unsigned wanted = __ballot_sync(whole_warp, found.flags != 0);
  if (wanted == 0) return;
  int first = 0;
  if (lane == 0) first = atomicAdd(&lists.states[asked].count, __popc(wanted));
  first = __shfl_sync(whole_warp, first, 0);
  const int place = first + __popc(wanted & ((1u << lane) - 1));
  if (found.flags != 0 && place < lists.capacity)
    lists.rows[Wide{asked} * lists.capacity + place] = found;
}

}  // namespace gemmine::cuda::device
