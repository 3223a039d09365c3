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

 private:
  using Message = std::shared_ptr<RunningJob>;
  static void attend(Napi::Env env, Napi::Function, Environment*, Message* message);
  using Attention = Napi::TypedThreadSafeFunction<Environment, Message, attend>;

  // Runs before the memory of the environment is freed.
  static void close(Environment* environment);

  Napi::Env env_;
  Attention attention_;
  std::unordered_set<std::shared_ptr<RunningJob>> jobs_;
};

}  // namespace gemmine::binding
