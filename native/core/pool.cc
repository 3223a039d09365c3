#include "core/pool.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <limits>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "core/linear_algebra.h"
#include "core/thread_limit.h"
#include "core/threads.h"

namespace gemmine {
namespace {

thread_local bool on_pool_thread = false;

// An iteration is a few loops of milliseconds with pauses of less than a millisecond. A thread that
// sleeps in a pause may be woken on the processor of another thread, and wait there for the whole
// loop.
constexpr std::chrono::microseconds patience{100};

// After a refusal, starting the missing threads is retried at this interval; once per loop is too
// often.
constexpr std::chrono::seconds between_attempts{1};

// One parallel_for in progress; every field is guarded by the pool's mutex.
struct Loop {
  Loop(const Job& job, Index count, const std::function<void(Index, Index)>& body, Index workers)
      : job(job), count(count), body(body) {
    for (Index worker = workers; worker-- > 0;) idle_workers.push_back(worker);
  }

  const Job& job;
  const Index count;
  const std::function<void(Index, Index)>& body;
  std::vector<Index> idle_workers;
  Index next = 0;
  Index running = 0;
  bool stopped = false;
  Index failed_index = std::numeric_limits<Index>::max();
  std::exception_ptr failure;
  std::condition_variable finished;

  bool exhausted() const { return stopped || next == count; }
  bool done() const { return exhausted() && running == 0; }
};

class Pool {
 public:
  // Starts the missing threads, as many as the system allows (ulimit -u and the pids limit of a
  // container may allow more later). Throws if it allows none. Not thread-safe.
  void grow_to(Index threads) {
    const auto now = std::chrono::steady_clock::now();
    if (size() >= threads || now < next_attempt_) return;
    try {
      while (size() < threads) threads_.push_back(start_thread([this] { work(); }));
    } catch (const Error&) {
      if (threads_.empty()) throw;
      next_attempt_ = now + between_attempts;
    }
  }

  void run(Loop& loop) {
    std::unique_lock lock(mutex_);
    if (stopping_) throw Cancelled();
    loops_.push_back(&loop);
    arrivals_.fetch_add(1, std::memory_order_release);
    wake_.notify_all();
    loop.finished.wait(lock, [&] { return loop.done(); });
    std::erase(loops_, &loop);
    if (loop.failure) std::rethrow_exception(loop.failure);
    if (loop.next < loop.count) throw Cancelled();
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      arrivals_.fetch_add(1, std::memory_order_release);
      for (Loop* loop : loops_) stop_loop(*loop);
      wake_.notify_all();
    }
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  Index size() const { return static_cast<Index>(threads_.size()); }

  void work() {
    on_pool_thread = true;
    std::unique_lock lock(mutex_);
    for (;;) {
      Loop* loop = next_loop();
      if (loop == nullptr && !stopping_) {
        await_arrival(lock);
        wake_.wait(lock, [&] { return stopping_ || (loop = next_loop()) != nullptr; });
      }
      if (stopping_) return;
      const Index index = loop->next++;
      const Index worker = loop->idle_workers.back();
      loop->idle_workers.pop_back();
      ++loop->running;
      // Each thread wakes another while there is work: a worker of another loop may have become
      // free, and the thread that freed it may be this one, now busy with this loop.
      if (std::ranges::any_of(loops_, has_work)) wake_.notify_one();
      run_one(*loop, index, worker, lock);
    }
  }

  // Polls for a new loop for a short time and yields the processor meanwhile.
  void await_arrival(std::unique_lock<std::mutex>& lock) {
    const std::uint64_t seen = arrivals_.load(std::memory_order_relaxed);
    lock.unlock();
    const auto end = std::chrono::steady_clock::now() + patience;
    while (arrivals_.load(std::memory_order_acquire) == seen &&
           std::chrono::steady_clock::now() < end)
      std::this_thread::yield();
    lock.lock();
  }

  static bool has_work(const Loop* loop) {
    return !loop->exhausted() && !loop->idle_workers.empty();
  }

  // Returns the first loop with work for one more thread and moves it to the back, so that loops
  // take turns.
  Loop* next_loop() {
    for (auto at = loops_.begin(); at != loops_.end(); ++at) {
      Loop* loop = *at;
      if (!loop->exhausted() && loop->job.cancellation.requested()) stop_loop(*loop);
      if (!has_work(loop)) continue;
      loops_.erase(at);
      loops_.push_back(loop);
      return loop;
    }
    return nullptr;
  }

  void run_one(Loop& loop, Index index, Index worker, std::unique_lock<std::mutex>& lock) {
    lock.unlock();
    std::exception_ptr failure;
    try {
      loop.body(index, worker);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    loop.idle_workers.push_back(worker);
    --loop.running;
    if (failure && index < loop.failed_index) {
      loop.failed_index = index;
      loop.failure = failure;
    }
    if (failure) loop.stopped = true;
    if (loop.done()) loop.finished.notify_one();
  }

  static void stop_loop(Loop& loop) {
    loop.stopped = true;
    if (loop.done()) loop.finished.notify_one();
  }

  std::mutex mutex_;
  std::atomic<std::uint64_t> arrivals_ = 0;  // loops so far
  std::condition_variable wake_;
  std::deque<Loop*> loops_;
  std::vector<std::thread> threads_;
  std::chrono::steady_clock::time_point next_attempt_{};
  bool stopping_ = false;
};

const ThreadLimit& detected() {
  static const ThreadLimit limit = thread_limit();
  return limit;
}

Index& chosen_threads() {
  static Index threads = detected().threads;
  return threads;
}

std::mutex pool_mutex;
Pool* the_pool = nullptr;  // never freed: job threads may use it while the process exits
bool exiting = false;

Pool& pool() {
  const std::lock_guard lock(pool_mutex);
  if (exiting) throw Cancelled();
  if (the_pool == nullptr) {
    hold_products_to_one_thread();
    the_pool = new Pool;
  }
  the_pool->grow_to(pool_threads());
  return *the_pool;
}

}  // namespace

void parallel_for(const Job& job, Index count,
                  const std::function<void(Index index, Index worker)>& body) {
  expect(!on_pool_thread, "parallel_for is called by a job's own thread");
  job.cancellation.check();
  if (count <= 0) return;
  Loop loop(job, count, body, worker_count(job));
  pool().run(loop);
}

void on_pool(const std::function<void()>& body) {
  const Job job{.cancellation = {}, .report = nullptr, .threads = 1};
  parallel_for(job, 1, [&](Index, Index) { body(); });
}

void start_pool() { pool(); }

Index worker_count(const Job& job) { return std::clamp<Index>(job.threads, 1, pool_threads()); }

Index pool_threads() { return chosen_threads(); }
std::string pool_threads_reason() { return detected().reason; }

void set_pool_threads(Index threads) {
  expect(the_pool == nullptr && threads >= 1, "threads are set before the first loop");
  chosen_threads() = threads;
}

void stop_pool() {
  const std::lock_guard lock(pool_mutex);
  exiting = true;
  if (the_pool != nullptr) the_pool->stop();
}

}  // namespace gemmine
