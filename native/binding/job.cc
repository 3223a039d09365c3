#include "binding/job.h"

#include <limits>
#include <string>

#include "binding/entry_points.h"
#include "binding/environment.h"
#include "binding/failure.h"
#include "binding/job_threads.h"
#include "binding/read.h"
#include "core/pool.h"

namespace gemmine::binding {
namespace {

constexpr auto progress_interval = std::chrono::milliseconds(100);

// Some kinds of buffers exist at the same time, beside stacks, tiles and parts of the corpus.
Index read_buffer_bytes(const Napi::Object& control) {
  constexpr Index shares = 8;
  const auto budget = read_optional<Index>(control, "memoryBudget");
  return budget ? std::min(*budget / shares, most_buffer_bytes) : most_buffer_bytes;
}

Index read_threads(const Napi::Object& control) {
  const auto threads = read<Index>(control, "threads");
  return threads == 0 ? std::numeric_limits<Index>::max() : threads;
}

}  // namespace

RunningJob::RunningJob(Napi::Env env, const Napi::Value& control, Borrowed borrowed, Place place,
                       Compute compute, ToJs to_js)
    : env_(env),
      environment_(Environment::of(env)),
      promise_(env),
      borrowed_(std::move(borrowed)),
      to_js_(std::move(to_js)),
      place_(place),
      compute_(std::move(compute)) {
  const Napi::Object given = read_object(control, "control");
  threads_ = read_threads(given);
  buffer_bytes_ = read_buffer_bytes(given);
  priority_ = read_choice(given, "priority", priority_names);
  cancel_ = read_array<std::int32_t>(given.Get("cancel"), "cancel", 1, 1, borrowed_);
  if (const Napi::Value listener = given.Get("onProgress"); listener.IsFunction())
    listener_ = Napi::Persistent(listener.As<Napi::Function>());
}

Napi::Value RunningJob::start() {
  const std::shared_ptr<RunningJob> self = shared_from_this();
  const Napi::Value promise = promise_.Promise();
  environment_.add(self);
  if (place_ == Place::here && listener_.IsEmpty() && environment_.may_work_here()) {
    environment_.add_work_here(seconds_of([this] {
      on_this_thread([this] { compute(); });
      settle();
    }));
    return promise;
  }
  try {
    job_threads().start(
        cancel_, &environment_, priority_, [self] { self->compute(); }, [self] { self->finish(); });
  } catch (const std::exception&) {
    failure_ = std::current_exception();
    settle();
  }
  return promise;
}

void RunningJob::compute() {
  Turn turn = begin_turn(priority_);
  Job job{.cancellation = Cancellation(cancel_),
          .report = nullptr,
          .threads = threads_,
          .buffer_bytes = buffer_bytes_,
          .turn = &turn};
  if (!listener_.IsEmpty()) job.report = [this](const Progress& progress) { report(progress); };
  try {
    compute_(job);
  } catch (...) {
    failure_ = std::current_exception();
  }
  compute_ = nullptr;  // frees large memory here rather than on the JavaScript thread
}

void RunningJob::finish() {
  if (compute_) failure_ = std::make_exception_ptr(Cancelled());
  {
    const std::lock_guard lock(mutex_);
    finished_ = true;
  }
  environment_.post(shared_from_this());
}

void RunningJob::report(const Progress& progress) {
  {
    const std::lock_guard lock(mutex_);
    progress_ = progress;
    const auto now = std::chrono::steady_clock::now();
    if (now - posted_ < progress_interval) return;
    posted_ = now;
  }
  environment_.post(shared_from_this());
}

void RunningJob::attend() {
  if (settled_) return;
  std::optional<Progress> progress;
  bool finished;
  {
    const std::lock_guard lock(mutex_);
    std::swap(progress, progress_);
    finished = finished_;
  }
  if (progress) hand_on(*progress);
  if (finished) settle();
}

void RunningJob::hand_on(const Progress& progress) {
  if (__atomic_load_n(cancel_, __ATOMIC_RELAXED) != 0) return;
  const double objective = progress.objective.value_or(std::numeric_limits<double>::quiet_NaN());
  try {
    listener_.Call({Napi::String::New(env_, progress.phase),
                    Napi::Number::New(env_, static_cast<double>(progress.done)),
                    Napi::Number::New(env_, static_cast<double>(progress.total)),
                    Napi::Number::New(env_, objective)});
  } catch (const Napi::Error&) {
    thrown_by_listener_ = std::current_exception();
    __atomic_store_n(cancel_, 1, __ATOMIC_RELAXED);
  }
}

// An exception of the progress listener rejects the promise of the job, so that the caller receives
// it.
void RunningJob::settle() {
  settled_ = true;
  try {
    if (thrown_by_listener_) std::rethrow_exception(thrown_by_listener_);
    if (failure_) std::rethrow_exception(failure_);
    promise_.Resolve(to_js_(env_));
  } catch (const Napi::Error& error) {
    promise_.Reject(error.Value());
  } catch (const std::exception&) {
    promise_.Reject(to_js_error(env_, std::current_exception()));
  }
  release();
  environment_.remove(shared_from_this());
}

void RunningJob::release() {
  borrowed_.release();
  listener_.Reset();
  thrown_by_listener_ = nullptr;
  to_js_ = nullptr;
}

Napi::Value DropCancelled(const Napi::CallbackInfo& info) {
  job_threads().drop_cancelled(&Environment::of(info.Env()));
  return info.Env().Undefined();
}

}  // namespace gemmine::binding
