#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "core/communicator.h"
#include "core/error.h"

namespace test {

using namespace gemmine;

// Ranks that are threads of this process. Values pass through its memory.
class ThreadRanks {
 public:
  // Runs body(communicator) on a thread for each rank. If a rank throws, the calls of the others
  // throw too, and the exception of the first rank that left is rethrown.
  static void run(Index size, const std::function<void(Communicator&)>& body) {
    ThreadRanks ranks(size);
    std::vector<std::thread> threads;
    for (Index rank = 0; rank < size; ++rank)
      threads.emplace_back([&, rank] {
        ThreadCommunicator own(ranks, rank);
        try {
          body(own);
        } catch (...) {
          ranks.leave(std::current_exception());
        }
      });
    for (std::thread& thread : threads) thread.join();
    if (ranks.failure_) std::rethrow_exception(ranks.failure_);
  }

 private:
  class ThreadCommunicator : public Communicator {
   public:
    ThreadCommunicator(ThreadRanks& ranks, Index rank) : ranks_(ranks), rank_(rank) {}
    Index rank() const override { return rank_; }
    Index size() const override { return static_cast<Index>(ranks_.values_.size()); }
    void allreduce(std::span<double> values) override {
      const std::vector<double> all = allgather(values);
      for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = all[i];
        for (std::size_t at = i + values.size(); at < all.size(); at += values.size())
          values[i] += all[at];
      }
    }
    std::vector<double> allgather(std::span<const double> values) override {
      ranks_.values_[rank_] = values;
      barrier();
      std::vector<double> all;
      for (const std::span<const double>& of_rank : ranks_.values_) {
        expect(of_rank.size() == values.size(), "ranks give the same number of values");
        all.insert(all.end(), of_rank.begin(), of_rank.end());
      }
      barrier();
      return all;
    }
    void barrier() override { ranks_.meet(); }

   private:
    ThreadRanks& ranks_;
    const Index rank_;
  };

  explicit ThreadRanks(Index size) : values_(static_cast<std::size_t>(size)) {}

  void meet() {
    std::unique_lock lock(mutex_);
    const Index meeting = meeting_;
    if (++waiting_ == values_.size()) {
      waiting_ = 0;
      ++meeting_;
      all_here_.notify_all();
    }
    all_here_.wait(lock, [&] { return meeting_ != meeting || failure_; });
    if (meeting_ == meeting) throw Error(ErrorCode::device_failure, "another rank has left");
  }

  void leave(const std::exception_ptr& failure) {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = failure;
    all_here_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable all_here_;
  std::size_t waiting_ = 0;
  Index meeting_ = 0;  // number of meetings that are over
  std::exception_ptr failure_;
  std::vector<std::span<const double>> values_;  // of each rank
};

}  // namespace test
