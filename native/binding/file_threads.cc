// The threads of Node.js for files, names and compression (libuv's pool). Node.js starts them at
// their first use and ends the process if the system refuses one. So they must start before jobs
// use up a limit on threads.
#include <algorithm>
#include <cstdlib>
#include <mutex>

#include "binding/entry_points.h"
#include "binding/failure.h"
#include "core/error.h"
#include "core/threads.h"

namespace gemmine::binding {
namespace {

// UV_THREADPOOL_SIZE, read as in libuv: https://docs.libuv.org/en/v1.x/threadpool.html
int pool_size() {
  const char* const given = std::getenv("UV_THREADPOOL_SIZE");
  return given == nullptr ? 4 : std::clamp(std::atoi(given), 1, 1024);
}

class Nothing : public Napi::AsyncWorker {
 public:
  explicit Nothing(Napi::Env env) : AsyncWorker(env) {}
  void Execute() override {}
};

}  // namespace

// napi_queue_async_work() returns after all threads of the pool have started.
Napi::Value StartFileThreads(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  static std::once_flag once;
  try {
    std::call_once(once, [&] {
      try_threads(pool_size());
      (new Nothing(env))->Queue();
    });
  } catch (const Error&) {
    throw Napi::Error(env, to_js_error(env, std::current_exception()));
  }
  return env.Undefined();
}

}  // namespace gemmine::binding
