#include "core/aligned.h"

#ifdef __linux__
#include <sys/mman.h>
#endif

#include <algorithm>
#include <cstdlib>
#include <string>

#include "core/error.h"

namespace gemmine {
namespace {

constexpr std::size_t cache_line = 64;
constexpr std::size_t huge_page = 2 << 20;

}  // namespace

void FreeAligned::operator()(void* memory) const { std::free(memory); }

void* aligned_bytes(std::size_t needed) {
  const std::size_t alignment = needed < 4 * huge_page ? cache_line : huge_page;
  const std::size_t bytes =
      std::max((needed + alignment - 1) / alignment, std::size_t{1}) * alignment;
  void* memory = std::aligned_alloc(alignment, bytes);
  if (memory == nullptr)
    throw Error(ErrorCode::out_of_memory, "cannot allocate " + std::to_string(bytes) + " bytes");
#ifdef __linux__
  if (alignment == huge_page) madvise(memory, bytes, MADV_HUGEPAGE);  // fewer page faults
#endif
  return memory;
}

}  // namespace gemmine
