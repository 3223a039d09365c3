#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <ctime>
#include <exception>
#include <functional>
#include <limits>
#include <vector>

#include "core/job.h"
#include "core/matrix.h"

// Internal to the pool.
namespace gemmine {

using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// Processor time of the calling thread: its time on a busy machine would count waiting too.
inline double thread_seconds() {
  std::timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// A second of a batch job counts as so many, so it gets a seventeenth of the time beside an
// interactive job that runs as long.
inline constexpr double batch_weight = 16;
// A job that has used less is short, and goes before others that are at most so much behind: those
// that have used more do not hold it up, and it does not hold them up for long. In seconds.
inline constexpr double short_job = 0.03;

// One parallel_for in progress; every field is guarded by the pool's mutex.
struct Loop {
  Loop(const Job& job, Index count, const std::function<void(Index, Index)>& body, Index workers)
      : job(job), count(count), body(body) {
    for (Index worker = workers; worker-- > 0;) idle_workers.push_back(worker);
  }

  const Job& job;
  const Index count;
  const std::function<void(Index, Index)>& body;
  std::vector<Index> idle_workers;
  Index next = 0;
  Index running = 0;
  bool stopped = false;
  std::atomic<bool> ended = false;  // written with the mutex, once nothing runs any more
  Index failed_index = std::numeric_limits<Index>::max();
  std::exception_ptr failure;
  std::condition_variable finished;

  Priority priority() const { return job.turn ? job.turn->priority : Priority::interactive; }
  double place() const {
    if (!job.turn) return 0;
    const bool is_short = priority() == Priority::interactive && job.turn->seconds < short_job;
    return is_short ? job.turn->place - short_job : job.turn->place;
  }
  void charge(double seconds) const {
    if (!job.turn) return;
    job.turn->seconds += seconds;
    job.turn->place += priority() == Priority::batch ? batch_weight * seconds : seconds;
  }

  bool exhausted() const { return stopped || next == count; }
  bool done() const { return exhausted() && running == 0; }
  void tell_if_done() {
    if (!done()) return;
    ended.store(true, std::memory_order_release);
    finished.notify_one();
  }
};

}  // namespace gemmine
