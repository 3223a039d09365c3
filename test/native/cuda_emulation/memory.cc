#include "memory.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <vector>

#include "runtime.h"
#if defined(EMULATION_ASAN)
#include <sanitizer/asan_interface.h>
#endif

namespace emulation {
namespace {

constexpr std::size_t page = 4096;
constexpr std::size_t far_memory = std::size_t{1}
                                   << 30;  // not filled: its pages exist once touched
constexpr std::size_t range_bytes = std::size_t{1} << 38;

// Ordered by address.
std::map<char*, std::size_t>& allocations() {
  static auto& all = *new std::map<char*, std::size_t>;
  return all;
}
int open_count = 0;
bool is_open = false;
bool is_new = false;  // whether there is memory that was never opened

// Closing takes the system a time for each page. An access by the host that happens more than a few
// times still meets closed memory.
constexpr int closed_once_in = 16;

#if defined(EMULATION_ASAN)

// From the heap, so that every allocation has red zones; poisoned for the host.
void* take(std::size_t bytes) {
  if (bytes > far_memory) {
    void* far = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return far == MAP_FAILED ? nullptr : far;
  }
  void* memory = nullptr;
  return posix_memalign(&memory, 256, bytes) == 0 ? memory : nullptr;
}
void drop(void* memory, std::size_t bytes) {
  if (bytes > far_memory) {
    munmap(memory, bytes);
    return;
  }
  __asan_unpoison_memory_region(memory, bytes);
  std::free(memory);
}
void make_accessible(bool open) {
  for (const auto& [at, bytes] : allocations()) {
    if (bytes > far_memory) continue;
    if (open)
      __asan_unpoison_memory_region(at, bytes);
    else
      __asan_poison_memory_region(at, bytes);
  }
}

#else

// All addresses are from one range, so that one system call opens it.
struct Range {
  char* begin;
  std::size_t used = 0;
  std::map<std::size_t, std::vector<char*> > freed;  // by size

  Range()
      : begin(static_cast<char*>(mmap(nullptr, range_bytes, PROT_NONE,
                                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0))) {
    if (begin == MAP_FAILED) std::abort();
  }
};
Range& range() {
  static auto& the_range = *new Range;
  return the_range;
}
std::size_t pages(std::size_t bytes) { return (bytes + page - 1) / page * page; }

void* take(std::size_t bytes) {
  const std::size_t size = pages(bytes) + page;
  std::vector<char*>& same = range().freed[size];
  char* taken = nullptr;
  if (!same.empty()) {
    taken = same.back();
    same.pop_back();
  } else {
    if (range().used + size > range_bytes) return nullptr;
    taken = range().begin + range().used;
    range().used += size;
  }
  return taken;
}
void drop(void* memory, std::size_t bytes) {
  auto* begin = static_cast<char*>(memory);
  madvise(begin, pages(bytes), MADV_DONTNEED);
  range().freed[pages(bytes) + page].push_back(begin);
}
void make_accessible(bool open) {
  mprotect(range().begin, range().used, open ? PROT_READ | PROT_WRITE : PROT_NONE);
}

#endif

}  // namespace

void* take_memory(std::size_t bytes) {
  if (bytes == 0) bytes = 1;
  auto* memory = static_cast<char*>(take(bytes));
  if (memory == nullptr) return nullptr;
  allocations()[memory] = bytes;
  is_new = true;
  const MemoryAccess access;
  if (bytes <= far_memory) std::memset(memory, 0xFF, bytes);
  return memory;
}

std::size_t give_back_memory(void* memory) {
  const auto found = allocations().find(static_cast<char*>(memory));
  if (found == allocations().end()) return 0;
  const std::size_t bytes = found->second;
  allocations().erase(found);
  drop(memory, bytes);
  return bytes;
}

bool is_device_memory(const void* at) {
  auto next = allocations().upper_bound(static_cast<char*>(const_cast<void*>(at)));
  if (next == allocations().begin()) return false;
  --next;
  return static_cast<const char*>(at) < next->first + next->second;
}

// Whether a word of a request is an address of the host: of its heap, its stack or a library. Bytes
// between the fields of a request may hold half of an old address, so memory must be there.
bool is_host_address(std::uint64_t word) {
  const std::uint64_t high = word >> 40;
  if (high != 0x55 && high != 0x56 && high != 0x7E && high != 0x7F) return false;
  if (is_device_memory(reinterpret_cast<const void*>(word))) return false;
  unsigned char there = 0;
  return mincore(reinterpret_cast<void*>(word / page * page), 1, &there) == 0;
}

MemoryAccess::MemoryAccess() {
  if (open_count++ == 0 && (!is_open || is_new)) make_accessible(true);
  is_open = true;
  is_new = false;
}
MemoryAccess::~MemoryAccess() {
  static int times = 0;
  if (--open_count > 0 || ++times % closed_once_in != 0) return;
  make_accessible(false);
  is_open = false;
}

}  // namespace emulation
