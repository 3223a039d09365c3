#pragma once

#include <napi.h>

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

#include "binding/borrowed.h"
#include "core/job.h"

namespace gemmine::binding {

class Environment;

// `here`: on the JavaScript thread before the call returns, for work of microseconds. A job with a
// listener has a thread of its own.
enum class Place { job_thread, here };

// One job from its start until its promise settles. Members are used on the JavaScript thread
// unless marked otherwise.
class RunningJob : public std::enable_shared_from_this<RunningJob> {
 public:
  using Compute = std::function<void(const Job&)>;
  using ToJs = std::function<Napi::Value(Napi::Env)>;

  // `control` is a JobControl of lib/native.ts.
  RunningJob(Napi::Env env, const Napi::Value& control, Borrowed borrowed, Place place,
             Compute compute, ToJs to_js);

  // Queues or runs the job and returns its promise, which is rejected if no thread can start.
  Napi::Value start();

  // Reports progress, and settles the promise when the job's thread is done.
  void attend();

  // Frees all JavaScript references; afterwards any thread may destroy the job.
  void release();

 private:
  void compute();  // the job's thread
  void finish();   // the job's thread, or the JavaScript thread if the work never began
  void report(const Progress&);  // any thread
  void hand_on(const Progress& progress);
  void settle();

  Napi::Env env_;
  Environment& environment_;
  Napi::Promise::Deferred promise_;
  Borrowed borrowed_;
  Napi::FunctionReference listener_;
  std::exception_ptr thrown_by_listener_;
  ToJs to_js_;
  Index threads_;
  Index buffer_bytes_;
  Priority priority_;
  const Place place_;
  bool settled_ = false;
  std::int32_t* cancel_;  // set by the caller's signal, a throwing listener, or JobThreads

  Compute compute_;             // the job's thread, which also destroys it
  std::exception_ptr failure_;  // the job's thread, until the job is finished

  std::mutex mutex_;  // guards the members below
  std::optional<Progress> progress_;
  std::chrono::steady_clock::time_point posted_{};
  bool finished_ = false;
};

// Runs `compute(const Job&)` and returns the promise of `to_js(env, result)`. All
// data of `compute` is owned by it or kept by `borrowed`. Both functions are copyable.
template <class Compute, class ToJs>
Napi::Value run_job(Napi::Env env, const Napi::Value& control, Borrowed borrowed, Compute compute,
                    ToJs to_js, Place place = Place::job_thread) {
  using Result = std::invoke_result_t<Compute&, const Job&>;
  const auto result = std::make_shared<std::optional<Result>>();
  return std::make_shared<RunningJob>(
             env, control, std::move(borrowed), place,
             [result, compute](const Job& job) mutable { result->emplace(compute(job)); },
             [result, to_js](Napi::Env env) { return to_js(env, **result); })
      ->start();
}

// Runs `solve` and returns the seconds taken.
template <class Solve>
double seconds_of(Solve&& solve) {
  const auto begin = std::chrono::steady_clock::now();
  solve();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace gemmine::binding
