#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>

#include "core/job.h"

namespace gemmine::binding {

// The job threads of all JavaScript environments of the process. They run the calls in order of
// arrival, interactive ones first, and only orchestrate: the backend computes on its own threads.
// The memory that a job borrows belongs to JavaScript, so neither the environment nor the process
// may end while one of its jobs runs.
class JobThreads {
 public:
  // Queues `work`, then `announce`, for one of the threads. `cancel`, the job's flag, is not
  // accessed after `announce` begins, which may free it. Throws Error if no thread can start,
  // Cancelled while the process exits.
  void start(std::int32_t* cancel, const void* environment, Priority priority,
             std::function<void()> work, std::function<void()> announce);

  // Calls `announce` of the waiting calls of one environment whose flags are set; their work never
  // begins.
  void drop_cancelled(const void* environment);

  // Drops the waiting calls of one environment, sets the flags of its running jobs and waits for
  // these to end: as long as their current blocks take.
  void stop(const void* environment);

  // The same for all jobs; none starts afterwards. Waits at most `patience`; returns false if a job
  // still runs.
  bool stop_all(std::chrono::milliseconds patience);

  struct Counts {
    std::size_t waiting;  // calls
    std::size_t running;
    int threads;  // of this class
  };
  Counts counts();

 private:
  struct Call {
    std::int32_t* cancel;  // null once the work is done
    const void* environment;
    Priority priority;
    std::function<void()> work;
    std::function<void()> announce;
  };
  using Calls = std::list<Call>;

  void serve();
  void grow();                  // the mutex is held
  Calls::iterator next_call();  // the mutex is held; the end if none may start
  void run(Calls::iterator call);
  template <class Which>
  Calls take_waiting(Which which);  // the mutex is held

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::condition_variable ended_;
  Calls waiting_;
  Calls running_;
  int threads_ = 0;
  int idle_ = 0;                // threads without a call
  bool backend_asked_ = false;  // the backend has tried to start its threads
  bool exiting_ = false;
};

// Never destroyed: threads may use it while the process exits.
JobThreads& job_threads();

}  // namespace gemmine::binding
