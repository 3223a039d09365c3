#include "binding/job_threads.h"

#include <algorithm>
#include <utility>

#include "backend/registry.h"
#include "core/error.h"
#include "core/threads.h"

namespace gemmine::binding {
namespace {

// Maximum of concurrent jobs. Running jobs share the backend fairly, so a short job waits only
// behind this many long ones; more would only use memory. A job thread mostly sleeps.
constexpr int most_threads = 16;
// Of a batch, so that interactive jobs find a thread.
constexpr int most_of_batch = 12;

bool raised(const std::int32_t* flag) {
  return flag != nullptr && __atomic_load_n(flag, __ATOMIC_RELAXED) != 0;
}

void raise(std::int32_t* flag) {
  if (flag != nullptr) __atomic_store_n(flag, 1, __ATOMIC_RELAXED);
}

}  // namespace

void JobThreads::start(std::int32_t* cancel, const void* environment, Priority priority,
                       std::function<void()> work, std::function<void()> announce) {
  const std::lock_guard lock(mutex_);
  if (exiting_) throw Cancelled();
  waiting_.push_back({cancel, environment, priority, std::move(work), std::move(announce)});
  try {
    grow();
  } catch (...) {
    waiting_.pop_back();
    throw;
  }
  arrived_.notify_one();
}

// There is one thread until the backend has started its own. Otherwise, near a limit on threads, a
// second job thread could take the one that the backend needs.
void JobThreads::grow() {
  const auto short_of_threads = [&] {
    return threads_ == 0 || (backend_asked_ && static_cast<int>(waiting_.size()) > idle_);
  };
  try {
    while (!exiting_ && threads_ < most_threads && short_of_threads()) {
      start_thread([this] { serve(); }).detach();
      ++threads_;
      ++idle_;
    }
  } catch (const Error&) {
    if (threads_ == 0) throw;  // otherwise the calls wait for the existing threads
  }
}

void JobThreads::serve() {
  try {
    start_backends();
  } catch (const std::exception&) {  // the job fails with the same error and reports it
  }
  std::unique_lock lock(mutex_);
  backend_asked_ = true;
  for (;;) {
    grow();
    auto call = waiting_.end();
    arrived_.wait(lock, [&] { return !exiting_ && (call = next_call()) != waiting_.end(); });
    running_.splice(running_.end(), waiting_, call);
    --idle_;
    lock.unlock();
    run(call);
    lock.lock();
    running_.erase(call);
    ++idle_;
    arrived_.notify_one();
    ended_.notify_all();
  }
}

JobThreads::Calls::iterator JobThreads::next_call() {
  const auto is_batch = [](const Call& call) { return call.priority == Priority::batch; };
  const auto first = std::ranges::find_if_not(waiting_, is_batch);
  const bool is_room = std::ranges::count_if(running_, is_batch) < most_of_batch;
  return first == waiting_.end() && is_room ? waiting_.begin() : first;
}

void JobThreads::run(Calls::iterator call) {
  call->work();
  {
    const std::lock_guard lock(mutex_);
    call->cancel = nullptr;
  }
  call->announce();
  call->work = nullptr;
  call->announce = nullptr;
}

template <class Which>
JobThreads::Calls JobThreads::take_waiting(Which which) {
  Calls taken;
  for (auto next = waiting_.begin(); next != waiting_.end();) {
    const auto call = next++;
    if (which(*call)) taken.splice(taken.end(), waiting_, call);
  }
  return taken;
}

void JobThreads::drop_cancelled(const void* environment) {
  Calls dropped;
  {
    const std::lock_guard lock(mutex_);
    dropped = take_waiting(
        [=](const Call& call) { return call.environment == environment && raised(call.cancel); });
  }
  for (const Call& call : dropped) call.announce();
}

void JobThreads::stop(const void* environment) {
  const auto mine = [=](const Call& call) { return call.environment == environment; };
  Calls dropped;  // destroyed after the lock is released
  std::unique_lock lock(mutex_);
  dropped = take_waiting(mine);
  for (const Call& call : running_)
    if (mine(call)) raise(call.cancel);
  ended_.wait(lock, [&] { return std::ranges::none_of(running_, mine); });
}

// Waiting calls are not destroyed: their data belongs to environments that are still open.
bool JobThreads::stop_all(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  exiting_ = true;
  for (const Call& call : running_) raise(call.cancel);
  // The system clock, because waiting by the steady clock needs glibc 2.30.
  const auto end = std::chrono::system_clock::now() + patience;
  return ended_.wait_until(lock, end, [&] { return running_.empty(); });
}

JobThreads::Counts JobThreads::counts() {
  const std::lock_guard lock(mutex_);
  return {.waiting = waiting_.size(), .running = running_.size(), .threads = threads_};
}

JobThreads& job_threads() {
  static auto* const threads = new JobThreads;
  return *threads;
}

}  // namespace gemmine::binding
