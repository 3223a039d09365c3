#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>

namespace gemmine::binding {

// The threads that run jobs, of all JavaScript environments of the process. They only orchestrate:
// the backend computes on threads of its own. The memory a job borrows belongs to JavaScript, so an
// environment must not go away, nor the process end, before its threads have.
class JobThreads {
 public:
  // Runs `work`, then `announce`, on a new thread. `cancel`, the job's flag, is not touched any
  // more when `announce` begins: it may free it. Throws std::system_error where no thread is to be
  // had, Cancelled while the process exits.
  void start(std::int32_t* cancel, const void* environment, std::function<void()> work,
             std::function<void()> announce);

  // Raises the flags of one environment's jobs and waits until their threads have nothing left to
  // do.
  void stop(const void* environment);

  // The same for all jobs; none starts afterwards.
  void stop_all();

 private:
  struct Running {
    std::int32_t* cancel;  // null once the work is done
    const void* environment;
  };
  using Place = std::list<Running>::iterator;

  void retire(Place at);
  void end(Place at);

  std::mutex mutex_;
  std::condition_variable ended_;
  std::list<Running> running_;
  bool exiting_ = false;
};

// Never destroyed: threads may look at it while the process exits.
JobThreads& job_threads();

}  // namespace gemmine::binding
