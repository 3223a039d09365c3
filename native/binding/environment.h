#pragma once

#include <napi.h>

#include <memory>
#include <unordered_set>

#include "binding/job.h"

namespace gemmine::binding {

// State of the addon in one JavaScript environment (the main thread or a worker): its running jobs,
// and the threadsafe function that calls back to its thread.
class Environment {
 public:
  explicit Environment(Napi::Env env);
  static Environment& of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

  // The event loop stays alive while there are jobs.
  void add(const std::shared_ptr<RunningJob>& job);
  void remove(const std::shared_ptr<RunningJob>& job);

  // Schedules RunningJob::attend() on the JavaScript thread. May be called from any thread that
  // JobThreads waits for.
  void post(std::shared_ptr<RunningJob> job);

  // Whether a job may run on the JavaScript thread. The promises of such jobs settle before the
  // event loop goes on, so a program that awaits one after another would keep it from timers and
  // connections: after a quarter of a millisecond of them, one has a thread.
  bool may_work_here() const { return worked_here_ < most_work_here; }
  void add_work_here(double seconds) { worked_here_ += seconds; }

 private:
  static constexpr double most_work_here = 2.5e-4;  // seconds

  using Message = std::shared_ptr<RunningJob>;
  static void attend(Napi::Env env, Napi::Function, Environment*, Message* message);
  using Attention = Napi::TypedThreadSafeFunction<Environment, Message, attend>;

  // Runs before the memory of the environment is freed.
  static void close(Environment* environment);

  Napi::Env env_;
  Attention attention_;
  std::unordered_set<std::shared_ptr<RunningJob>> jobs_;
  double worked_here_ = 0;  // seconds, since the event loop last called attend()
};

}  // namespace gemmine::binding
