#pragma once

#include "backend/cuda/abi.h"
#include "backend/cuda/entry_table.h"
#include "backend/cuda/epilogue_table.h"
#include "backend/cuda/pass_table.h"
#include "backend/cuda/scan_table.h"

// The functions of gemmine_cuda.so. Its only exported symbol returns the table.
namespace gemmine::cuda {

// Calls return before the work is done, except synchronize, wait_on_host and release. Any thread
// may call, one at a time for each queue.
struct Runtime {
  Code (*probe)(Probe* found);
  Code (*describe)(std::int32_t device, DeviceDescription* description);
  // Text of the last failure in this thread; valid until the next call.
  const char* (*last_failure)();

  Code (*open)(std::int32_t device, Queue** queue);
  void (*close)(Queue* queue);
  Code (*synchronize)(Queue* queue);

  Code (*allocate)(Queue* queue, std::int64_t bytes, void** memory);
  void (*release)(Queue* queue, void* memory);
  Code (*allocate_pinned)(Queue* queue, std::int64_t bytes, void** memory);
  void (*release_pinned)(Queue* queue, void* memory);
  Code (*copy)(Queue* queue, const Copy* copy);
  Code (*fill)(Queue* queue, void* memory, std::int32_t byte, std::int64_t bytes);

  Code (*create_event)(Queue* queue, Event** event);
  void (*destroy_event)(Event* event);
  Code (*record)(Queue* queue, Event* event);
  Code (*wait)(Queue* queue, Event* event);  // later work of the queue waits
  Code (*wait_on_host)(Event* event);

  Code (*multiply)(Queue* queue, const Product* product);
};

struct Table {
  std::int32_t abi;
  std::int32_t bytes;  // sizeof(Table)
  Runtime runtime;
  PassTable passes;
  ScanTable scans;
  EpilogueTable epilogues;
  EntryTable entries;
};

inline constexpr const char* entry_symbol = "gemmine_cuda_table";
using Entry = const Table* (*)();

}  // namespace gemmine::cuda
