#pragma once

#include <cstddef>
#include <memory>

namespace gemmine {

struct FreeAligned {
  void operator()(void* memory) const;
};

template <class T>
using Aligned = std::unique_ptr<T[], FreeAligned>;

// Memory aligned for vector loads and whole cache lines, in huge pages if it is large; not zeroed.
// Throws ErrorCode::out_of_memory.
void* aligned_bytes(std::size_t bytes);

}  // namespace gemmine
