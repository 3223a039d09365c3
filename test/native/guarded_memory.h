#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>

#include "core/error.h"
#include "core/matrix.h"

namespace test {

using gemmine::expect;
using gemmine::Index;

// Memory that host code cannot touch: its pages are accessible only during the lifetime of a
// DeviceAccess. Several threads may use it at the same time; it is open until the last one ends.
// All addresses are from one range, so that one system call opens it, and each is used only once.
class DeviceMemory {
 public:
  std::shared_ptr<float[]> allocate(Index count) {
    const std::lock_guard lock(range_->mutex);
    float* begin = range_->take(std::max<std::size_t>(1, count * sizeof(float)));
    range_->blocks[begin] = count;
    // The block may outlive the device.
    return {begin, [range = range_](float* block) {
              const std::lock_guard freeing(range->mutex);
              range->blocks.erase(block);
            }};
  }

  // Whether the elements from `first` to `end` are in one allocation.
  bool holds(const float* first, const float* end) const {
    const std::lock_guard lock(range_->mutex);
    auto after = range_->blocks.upper_bound(const_cast<float*>(first));
    if (after == range_->blocks.begin()) return false;
    const auto [begin, count] = *--after;
    return end <= begin + count;
  }
  bool touches(const void* address) const {
    return address >= range_->begin && address < range_->begin + Range::bytes;
  }

 private:
  friend class DeviceAccess;

  struct Range {
    static constexpr std::size_t bytes = std::size_t{1} << 34;  // of addresses

    Range()
        : begin(static_cast<std::byte*>(mmap(nullptr, bytes, PROT_NONE,
                                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0))) {
      expect(begin != MAP_FAILED, "addresses for a test");
    }
    ~Range() { munmap(begin, bytes); }
    Range(const Range&) = delete;

    // Takes whole pages, so that the next block starts on a new page. When all blocks are freed,
    // all addresses can be used again: the system zeroes their pages.
    float* take(std::size_t needed) {
      const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
      if (blocks.empty() && accesses == 0 && used > 0) {
        expect(mmap(begin, used, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED,
                    -1, 0) == begin,
               "fresh memory for a test");
        used = 0;
      }
      auto* taken = reinterpret_cast<float*>(begin + used);
      used += (needed + page - 1) / page * page;
      expect(used <= bytes, "addresses for a test");
      if (accesses > 0) protect();
      return taken;
    }
    void protect() {
      const int protection = accesses > 0 ? PROT_READ | PROT_WRITE : PROT_NONE;
      expect(mprotect(begin, used, protection) == 0, "protection of a test's memory");
    }

    std::mutex mutex;
    std::byte* const begin;
    std::size_t used = 0;
    std::map<float*, Index> blocks;  // start of each block, and its number of elements
    Index accesses = 0;
  };

  std::shared_ptr<Range> range_ = std::make_shared<Range>();
};

class DeviceAccess {
 public:
  explicit DeviceAccess(DeviceMemory& memory) : range_(memory.range_) {
    const std::lock_guard lock(range_->mutex);
    if (range_->accesses++ == 0) range_->protect();
  }
  ~DeviceAccess() {
    const std::lock_guard lock(range_->mutex);
    if (--range_->accesses == 0) range_->protect();
  }
  DeviceAccess(const DeviceAccess&) = delete;

 private:
  std::shared_ptr<DeviceMemory::Range> range_;
};

}  // namespace test
