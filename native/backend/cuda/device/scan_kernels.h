#pragma once

#include "backend/cuda/device/platform.h"
#include "backend/cuda/scan_table.h"

// Launches of the kernels of scans. Each returns before its work is done.
namespace gemmine::cuda::device {

Code measure_rows(Queue* queue, const MeasureRows* request);
Code prepare_rows(Queue* queue, const PrepareRows* request);
Code select_rows(Queue* queue, const SelectRows* request);
Code tighten_lists(Queue* queue, const TightenLists* request);
Code score_pairs(Queue* queue, const ScorePairs* request);
Code pack_lists(Queue* queue, const PackLists* request);

}  // namespace gemmine::cuda::device
