#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>

namespace gemmine::binding {

// The threads that run jobs, of all JavaScript environments of the process. They only orchestrate:
// the backend computes on threads of its own. A few of them take the calls in the order in which
// they came. The memory a job borrows belongs to JavaScript, so an environment must not go away,
// nor the process end, while one of its jobs runs.
class JobThreads {
 public:
  // Runs `work`, then `announce`, on one of the threads, when those before it have been taken.
  // `cancel`, the job's flag, is not touched any more when `announce` begins: it may free it.
  // Throws Error where no thread is to be had, Cancelled while the process exits.
  void start(std::int32_t* cancel, const void* environment, std::function<void()> work,
             std::function<void()> announce);

  // Announces the waiting calls of one environment whose flags are raised; their work never begins.
  void drop_cancelled(const void* environment);

  // Forgets the waiting calls of one environment, raises the flags of its running jobs and waits
  // until their threads have nothing left to do: for the blocks that are being computed.
  void stop(const void* environment);

  // The same for all jobs; none starts afterwards. Waits so long at most: false if a job still
  // runs.
  bool stop_all(std::chrono::milliseconds patience);

 private:
  struct Call {
    std::int32_t* cancel;  // null once the work is done
    const void* environment;
    std::function<void()> work;
    std::function<void()> announce;
  };
  using Calls = std::list<Call>;

  void serve();
  void grow();  // the mutex is held
  void run(Calls::iterator call);
  template <class Which>
  Calls take_waiting(Which which);  // the mutex is held

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::condition_variable ended_;
  Calls waiting_;
  Calls running_;
  int threads_ = 0;
  int idle_ = 0;                // threads that take the next call
  bool backend_asked_ = false;  // it has what threads it can get
  bool exiting_ = false;
};

// Never destroyed: threads may look at it while the process exits.
JobThreads& job_threads();

}  // namespace gemmine::binding
