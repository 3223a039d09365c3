#include "binding/environment.h"

#include <utility>

#include "binding/job_threads.h"

namespace gemmine::binding {

// Cleanup hooks run in reverse order. This one is added after that of the threadsafe function,
// which is therefore still open when it runs.
Environment::Environment(Napi::Env env)
    : env_(env), attention_(Attention::New(env, "gemmine", 0, 1, this)) {
  attention_.Unref(env);
  env.AddCleanupHook(close, this);
}

void Environment::add(const std::shared_ptr<RunningJob>& job) {
  if (jobs_.empty()) attention_.Ref(env_);
  jobs_.insert(job);
}

void Environment::remove(const std::shared_ptr<RunningJob>& job) {
  jobs_.erase(job);
  if (jobs_.empty()) attention_.Unref(env_);
}

void Environment::post(std::shared_ptr<RunningJob> job) {
  auto message = std::make_unique<Message>(std::move(job));
  if (attention_.NonBlockingCall(message.get()) == napi_ok) message.release();
}

void Environment::attend(Napi::Env env, Napi::Function, Environment* environment,
                         Message* message) {
  const std::unique_ptr<Message> owned(message);
  if (napi_env(env) == nullptr) return;  // null while the environment is closing
  environment->worked_here_ = 0;
  (*owned)->attend();
}

void Environment::close(Environment* environment) {
  job_threads().stop(environment);
  for (const std::shared_ptr<RunningJob>& job : environment->jobs_) job->release();
  environment->jobs_.clear();
  environment->attention_.Abort();
}

}  // namespace gemmine::binding
