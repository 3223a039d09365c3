#include <vector>

#include "emulation.h"

// Instrumented by sanitizers, unlike block.h: the copies are the kernel's own accesses.
namespace emulation {
struct Copy {
  void* to;
  const void* from;
  std::size_t bytes;
};
std::vector<Copy>* next_copies(int pending);
void drop_copies();
void async_wait(int pending) {
  while (std::vector<Copy>* copies = next_copies(pending)) {
    for (const Copy& copy : *copies)
      for (std::size_t i = 0; i < copy.bytes; i += 4)
        *reinterpret_cast<std::uint32_t*>(static_cast<char*>(copy.to) + i) =
            *reinterpret_cast<const std::uint32_t*>(static_cast<const char*>(copy.from) + i);
    drop_copies();
  }
}
}  // namespace emulation
