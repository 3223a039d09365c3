#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <vector>

#include "core/pool.h"

namespace gemmine::cpu {

// Merges blocks in ascending order, although they finish in any order. An early block is merged
// later by another thread, so threads wait only when they are `slots` blocks ahead.
class MergeOrder {
 public:
  explicit MergeOrder(Index slots) : ready_(slots, false) {}

  // Waits until the sums of `block` may be written to slot block % slots; a thread of a batch gives
  // way meanwhile. Returns false after abandon().
  bool enter(Index block) {
    // The system clock, because waiting by the steady clock needs glibc 2.30.
    using Clock = std::chrono::system_clock;
    constexpr std::chrono::milliseconds patience{1};
    const auto may_enter = [&] { return abandoned_ || block < next_ + slots(); };
    std::unique_lock lock(mutex_);
    while (!merged_.wait_until(lock, Clock::now() + patience, may_enter)) {
      lock.unlock();
      give_way();
      lock.lock();
    }
    return !abandoned_;
  }

  // Merges `block` and the blocks that waited for it, unless another thread is merging and will do
  // it.
  template <class Merge>
  void leave(Index block, Merge merge) {
    std::unique_lock lock(mutex_);
    ready_[block % slots()] = true;
    if (merging_) return;
    merging_ = true;
    while (ready_[next_ % slots()]) {
      lock.unlock();
      merge(next_);
      lock.lock();
      ready_[next_ % slots()] = false;
      ++next_;
      merged_.notify_all();
    }
    merging_ = false;
  }

  // Called when a block failed; wakes the threads that wait for it.
  void abandon() {
    const std::lock_guard lock(mutex_);
    abandoned_ = true;
    merged_.notify_all();
  }

 private:
  Index slots() const { return static_cast<Index>(ready_.size()); }

  std::mutex mutex_;
  std::condition_variable merged_;
  std::vector<bool> ready_;
  Index next_ = 0;
  bool merging_ = false;
  bool abandoned_ = false;
};

// Blocks whose sums exist at the same time: one per worker, and two that wait to be merged.
inline Index sums_at_once(Index workers) { return workers + 2; }

// Runs body(block, worker, sums) for all blocks in parallel and merge(sums) in the order of the
// blocks, so that rounding does not depend on the number of threads. `body` must overwrite its
// sums, an element of `partial`, which may hold those of an earlier block or call.
template <class Sums, class Body, class Merge>
void reduce_in_order(const Job& job, Index blocks, std::vector<Sums>& partial, Body body,
                     Merge merge) {
  const Index slots = std::min(blocks, sums_at_once(worker_count(job)));
  partial.resize(static_cast<std::size_t>(slots));
  MergeOrder order(slots);
  parallel_for(job, blocks, [&](Index block, Index worker) {
    if (!order.enter(block)) return;
    try {
      body(block, worker, partial[block % slots]);
      order.leave(block, [&](Index due) { merge(partial[due % slots]); });
    } catch (...) {
      order.abandon();
      throw;
    }
  });
}

}  // namespace gemmine::cpu
