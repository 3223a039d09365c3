#include "binding/job_threads.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "core/error.h"

namespace gemmine::binding {
namespace {

void raise(std::int32_t* flag) {
  if (flag != nullptr) __atomic_store_n(flag, 1, __ATOMIC_RELAXED);
}

}  // namespace

void JobThreads::start(std::int32_t* cancel, const void* environment, std::function<void()> work,
                       std::function<void()> announce) {
  const std::lock_guard lock(mutex_);
  if (exiting_) throw Cancelled();
  const Place at = running_.insert(running_.end(), {cancel, environment});
  try {
    std::thread([this, at, work = std::move(work), announce = std::move(announce)]() mutable {
      work();
      retire(at);
      announce();
      work = nullptr;
      announce = nullptr;
      end(at);
    }).detach();
  } catch (...) {
    running_.erase(at);
    throw;
  }
}

void JobThreads::retire(Place at) {
  const std::lock_guard lock(mutex_);
  at->cancel = nullptr;
}

void JobThreads::end(Place at) {
  const std::lock_guard lock(mutex_);
  running_.erase(at);
  ended_.notify_all();
}

void JobThreads::stop(const void* environment) {
  const auto mine = [=](const Running& job) { return job.environment == environment; };
  std::unique_lock lock(mutex_);
  for (const Running& job : running_)
    if (mine(job)) raise(job.cancel);
  ended_.wait(lock, [&] { return std::ranges::none_of(running_, mine); });
}

void JobThreads::stop_all() {
  std::unique_lock lock(mutex_);
  exiting_ = true;
  for (const Running& job : running_) raise(job.cancel);
  ended_.wait(lock, [&] { return running_.empty(); });
}

JobThreads& job_threads() {
  static auto* const threads = new JobThreads;
  return *threads;
}

}  // namespace gemmine::binding
