#include "backend/cuda/device/runtime.h"
#include "backend/cuda/device/scan_kernels.h"

namespace gemmine::cuda::device {

ScanTable scan_table() {
  return {.measure_rows = measure_rows,
          .prepare_rows = prepare_rows,
          .select_rows = select_rows,
          .tighten_lists = tighten_lists,
          .score_pairs = score_pairs,
          .pack_lists = pack_lists};
}

}  // namespace gemmine::cuda::device
