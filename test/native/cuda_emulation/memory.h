#pragma once

#include <cstddef>

// Memory of the emulated device.
namespace emulation {

// Null if there is no more. Aligned as by cudaMalloc; filled with NaN.
void* take_memory(std::size_t bytes);
// Bytes of the allocation, or 0 if it is none.
std::size_t give_back_memory(void* memory);

// The memory is accessible during the lifetime of such an object.
class MemoryAccess {
 public:
  MemoryAccess();
  ~MemoryAccess();
  MemoryAccess(const MemoryAccess&) = delete;
};

}  // namespace emulation
