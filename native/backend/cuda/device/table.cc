#include "backend/cuda/table.h"

#include <type_traits>

#include "backend/cuda/device/epilogue_kernels.h"
#include "backend/cuda/device/runtime.h"

namespace {

using namespace gemmine::cuda;
static_assert(std::is_standard_layout_v<Table> && std::is_trivially_copyable_v<Table>);

}  // namespace

extern "C" __attribute__((visibility("default"))) const Table* gemmine_cuda_table() {
  static const Table table = {.abi = abi_version,
                              .bytes = sizeof(Table),
                              .runtime = device::runtime_table(),
                              .passes = device::pass_table(),
                              .scans = device::scan_table(),
                              .epilogues = device::epilogue_table(),
                              .entries = device::entry_table()};
  return &table;
}
