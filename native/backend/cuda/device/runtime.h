#pragma once

#include "backend/cuda/table.h"

namespace gemmine::cuda::device {

Runtime runtime_table();
PassTable pass_table();
ScanTable scan_table();
EntryTable entry_table();

}  // namespace gemmine::cuda::device
