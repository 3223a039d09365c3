#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "core/error.h"
#include "core/matrix.h"

namespace test {

using gemmine::expect;
using gemmine::Index;

// Memory that host code cannot touch: its pages are accessible only during the lifetime of a
// DeviceAccess. Several threads may use it at the same time; it is open until the last one ends.
// All addresses are from one range, so that one system call opens it.
class DeviceMemory {
 public:
  std::shared_ptr<float[]> allocate(Index count) {
    const std::lock_guard lock(range_->mutex);
    float* begin = range_->take(count);
    range_->blocks[begin] = count;
    // The block may outlive the device.
    return {begin, [range = range_](float* block) {
              const std::lock_guard freeing(range->mutex);
              range->give_back(block);
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

    // Takes whole pages, so that the next block starts on a new page. Addresses of freed blocks of
    // the same size are used again, because opening the range takes a time for each of its pages.
    float* take(Index count) {
      const std::size_t size = size_of(count);
      std::vector<float*>& same = freed[size];
      if (!same.empty()) {
        float* taken = same.back();
        same.pop_back();
        // The system zeroes these pages.
        expect(madvise(taken, size, MADV_DONTNEED) == 0, "fresh memory for a test");
        return taken;
      }
      auto* taken = reinterpret_cast<float*>(begin + used);
      used += size;
      expect(used <= bytes, "addresses for a test");
      if (accesses > 0) protect();
      return taken;
    }
    void give_back(float* block) {
      const auto found = blocks.find(block);
      freed[size_of(found->second)].push_back(block);
      blocks.erase(found);
    }
    static std::size_t size_of(Index count) {
      const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
      return (std::max<std::size_t>(1, count * sizeof(float)) + page - 1) / page * page;
    }
    void protect() {
      const int protection = accesses > 0 ? PROT_READ | PROT_WRITE : PROT_NONE;
      expect(mprotect(begin, used, protection) == 0, "protection of a test's memory");
    }

    std::mutex mutex;
    std::byte* const begin;
    std::size_t used = 0;
    std::map<float*, Index> blocks;  // start of each block, and its number of elements
    std::map<std::size_t, std::vector<float*>> freed;  // addresses by the size in bytes
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
