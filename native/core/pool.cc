#include "core/pool.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "core/linear_algebra.h"
#include "core/pool_loop.h"
#include "core/thread_limit.h"
#include "core/threads.h"

namespace gemmine {
namespace {

thread_local bool on_pool_thread = false;
thread_local bool alone = false;  // in on_this_thread()

// An iteration is a few loops with pauses of less than a millisecond. A thread that sleeps in a
// pause may be woken on the processor of another thread, and wait there for the whole loop.
constexpr std::chrono::microseconds patience{100};

// A caller polls so long for the end of the last indices of its loop before it sleeps. It does not
// yield: on a busy machine it would get the processor back much later than a thread that is woken.
constexpr std::chrono::microseconds last_index{20};

// After a refusal, starting the missing threads is retried at this interval; once per loop is too
// often.
constexpr std::chrono::seconds between_attempts{1};

// An index that a thread runs.
struct Running {
  Loop* loop = nullptr;
  Clock::time_point begin;
  double given_away = 0;  // seconds in which the thread ran others

  double seconds() const { return seconds_since(begin) - given_away; }
};
thread_local Running current;

class Pool {
 public:
  // Starts the missing threads, as many as the system allows (ulimit -u and the pids limit of a
  // container may allow more later). Throws if it allows none. Not thread-safe.
  void grow_to(Index threads) {
    const auto now = Clock::now();
    if (size() >= threads || now < next_attempt_) return;
    try {
      while (size() < threads) {
        threads_.push_back(start_thread([this] { work(); }));
        ++size_;
      }
    } catch (const Error&) {
      if (threads_.empty()) throw;
      next_attempt_ = now + between_attempts;
    }
  }

  void run(Loop& loop) {
    const double own_seconds = loop.job.turn ? thread_seconds() - loop.job.turn->resumed : 0;
    std::unique_lock lock(mutex_);
    if (stopping_) throw Cancelled();
    join_queue(loop, own_seconds);
    const Index helpers = std::min(loop.count, static_cast<Index>(loop.idle_workers.size())) - 1;
    wake(std::min(helpers, size() - busy_ - 1));
    help(loop, lock);
    await_end(loop, lock);
    leave_queue(loop);
    if (loop.job.turn) loop.job.turn->resumed = thread_seconds();
    if (loop.failure) std::rethrow_exception(loop.failure);
    if (loop.next < loop.count) throw Cancelled();
  }

  // Runs indices of interactive loops that wait and are before this one. Only batch loops give way,
  // and only to interactive ones: threads that wait for each other's blocks (MergeOrder) can then
  // not wait in a circle.
  void give_way() {
    if (interactive_.load(std::memory_order_relaxed) == 0) return;
    const Loop& own = *current.loop;
    const auto begin = Clock::now();
    std::unique_lock lock(mutex_);
    const double place = own.place() + batch_weight * current.seconds();
    bool ran = false;
    while (!stopping_ && !own.job.cancellation.requested()) {
      Loop* loop = next_loop(Priority::interactive);
      if (loop != nullptr && loop->place() > place) break;
      if (loop == nullptr && std::exchange(ran, false)) {
        await_arrival(lock);
        continue;
      }
      if (loop == nullptr) break;
      run_next(*loop, lock);
      ran = true;
    }
    // An index that was run here may have left its loop a worker, and nobody awake for it.
    if (busy_ < size() && std::ranges::any_of(loops_, has_work)) wake(1);
    current.given_away += seconds_since(begin);
  }

  void stop() {
    {
      std::unique_lock lock(mutex_);
      stopping_ = true;
      for (Loop* loop : loops_) stop_loop(*loop);
      wake(size());
      seat_left_.wait(lock, [&] { return busy_ == 0; });
    }
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  Index size() const { return size_.load(std::memory_order_relaxed); }

  static bool is_batch(const Loop* loop) {
    return loop != nullptr && loop->priority() == Priority::batch;
  }

  // Threads that run indices at once, of the pool and callers together, are as many as the pool
  // has.
  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      Loop* loop = next_for_pool();
      const bool may_follow = std::exchange(left_interactive_, false) && is_batch(loop);
      if ((loop == nullptr || may_follow) && !stopping_) {
        // The caller of the next loop is one of the threads that it needs.
        if (may_follow || polling_ + 1 < size()) await_arrival(lock);
        wake_.wait(lock, [&] { return stopping_ || (loop = next_for_pool()) != nullptr; });
      }
      if (stopping_) return;
      take_seat();
      run_next(*loop, lock);
      leave_seat(*loop);
    }
  }

  // A loop with little to do ends before another thread has woken: its caller runs what it can. In
  // the turn of another loop it runs an index of that one rather than to wake a thread for it; but
  // one of a batch could hold an interactive caller up.
  void help(Loop& loop, std::unique_lock<std::mutex>& lock) {
    // Threads that give way poll for it.
    if (busy_ >= size()) arrivals_.fetch_add(1, std::memory_order_release);
    if (stopping_ || busy_ >= size()) return;
    if (next_loop() != &loop) return wake(1);
    take_seat();
    Loop* next = &loop;
    do {
      run_next(*next, lock);
      next = loop.exhausted() || stopping_ ? nullptr : next_loop();
    } while (next == &loop || (next != nullptr && !is_batch(next)));
    leave_seat(loop);
    if (std::ranges::any_of(loops_, has_work)) wake(1);
  }

  void take_seat() {
    on_pool_thread = true;
    ++busy_;
  }

  // A search is some twenty loops: between them a thread waits for the next one rather than to
  // begin a block of a batch.
  void leave_seat(const Loop& loop) {
    on_pool_thread = false;
    left_interactive_ = !is_batch(&loop);
    if (--busy_ == 0 && stopping_) seat_left_.notify_all();
  }

  Loop* next_for_pool() { return busy_ < size() ? next_loop() : nullptr; }

  // Wakes so many threads of the pool.
  void wake(Index threads) {
    if (threads <= 0) return;
    arrivals_.fetch_add(1, std::memory_order_release);
    if (threads >= size()) return wake_.notify_all();
    for (; threads > 0; --threads) wake_.notify_one();
  }

  void await_end(Loop& loop, std::unique_lock<std::mutex>& lock) {
    if (loop.done()) return;
    lock.unlock();
    const auto end = Clock::now() + last_index;
    while (!loop.ended.load(std::memory_order_acquire) && Clock::now() < end) {
    }
    lock.lock();
    loop.finished.wait(lock, [&] { return loop.done(); });
  }

  // A thread that runs an index wakes another while there is work: a worker of another loop may
  // have become free, and the thread that freed it may be this one, now busy with this loop.
  void run_next(Loop& loop, std::unique_lock<std::mutex>& lock) {
    const Index index = loop.next++;
    const Index worker = loop.idle_workers.back();
    loop.idle_workers.pop_back();
    ++loop.running;
    if (busy_ < size() && std::ranges::any_of(loops_, has_work)) wake(1);
    run_one(loop, index, worker, lock);
  }

  // A job that begins has the place of the one whose turn it is; one that goes on after a pause
  // keeps a lower place within limits.
  void join_queue(Loop& loop, double own_seconds) {
    if (Turn* turn = loop.job.turn)
      turn->place = std::max(turn->place, turn->seconds > 0 ? now_ - short_job : now_);
    loop.charge(own_seconds);
    loops_.push_back(&loop);
    if (loop.priority() == Priority::interactive) interactive_.fetch_add(1);
  }

  void leave_queue(Loop& loop) {
    std::erase(loops_, &loop);
    if (loop.priority() == Priority::interactive) interactive_.fetch_sub(1);
  }

  // Polls for a new loop for a short time and yields the processor meanwhile.
  void await_arrival(std::unique_lock<std::mutex>& lock) {
    ++polling_;
    const std::uint64_t seen = arrivals_.load(std::memory_order_relaxed);
    lock.unlock();
    const auto end = Clock::now() + patience;
    while (arrivals_.load(std::memory_order_acquire) == seen && Clock::now() < end)
      std::this_thread::yield();
    lock.lock();
    --polling_;
  }

  static bool has_work(const Loop* loop) {
    return !loop->exhausted() && !loop->idle_workers.empty();
  }

  // Returns the loop with work for one more thread whose job has the lowest place, and moves it to
  // the back, so that loops of jobs without a turn alternate.
  Loop* next_loop(std::optional<Priority> only = std::nullopt) {
    for (Loop* loop : loops_)
      if (!loop->exhausted() && loop->job.cancellation.requested()) stop_loop(*loop);
    auto best = loops_.end();
    for (auto at = loops_.begin(); at != loops_.end(); ++at)
      if (has_work(*at) && (!only || (*at)->priority() == *only) &&
          (best == loops_.end() || (*at)->place() < (*best)->place()))
        best = at;
    if (best == loops_.end()) return nullptr;
    Loop* loop = *best;
    loops_.erase(best);
    loops_.push_back(loop);
    if (loop->job.turn) now_ = std::max(now_, loop->job.turn->place);
    return loop;
  }

  void run_one(Loop& loop, Index index, Index worker, std::unique_lock<std::mutex>& lock) {
    lock.unlock();
    std::exception_ptr failure;
    const Running before =
        std::exchange(current, Running{.loop = &loop, .begin = Clock::now(), .given_away = 0});
    try {
      loop.body(index, worker);
    } catch (...) {
      failure = std::current_exception();
    }
    const double seconds = std::exchange(current, before).seconds();
    lock.lock();
    loop.charge(seconds);
    loop.idle_workers.push_back(worker);
    --loop.running;
    if (failure && index < loop.failed_index) {
      loop.failed_index = index;
      loop.failure = failure;
    }
    if (failure) loop.stopped = true;
    loop.tell_if_done();
  }

  static void stop_loop(Loop& loop) {
    loop.stopped = true;
    loop.tell_if_done();
  }

  std::mutex mutex_;
  std::atomic<std::uint64_t> arrivals_ = 0;  // calls of wake()
  std::condition_variable wake_;
  std::condition_variable seat_left_;
  Index busy_ = 0;                 // threads that run an index
  Index polling_ = 0;              // threads of the pool
  bool left_interactive_ = false;  // the last seat that was left
  std::deque<Loop*> loops_;
  std::atomic<Index> interactive_ = 0;  // loops
  double now_ = 0;                      // the highest place of a job whose turn it was
  std::vector<std::thread> threads_;
  std::atomic<Index> size_ = 0;  // of them
  Clock::time_point next_attempt_{};
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
  if (alone) {
    for (Index index = 0; index < count; ++index) body(index, 0);
    return;
  }
  Loop loop(job, count, body, worker_count(job));
  pool().run(loop);
}

Turn begin_turn(Priority priority) {
  return {.priority = priority, .seconds = 0, .place = 0, .resumed = thread_seconds()};
}

void take_over(const Job& job) {
  if (job.turn != nullptr) job.turn->resumed = thread_seconds();
}

void give_way() {
  if (current.loop == nullptr || current.loop->priority() != Priority::batch) return;
  the_pool->give_way();
}

void on_pool(const std::function<void()>& body) {
  const Job job{.cancellation = {}, .report = nullptr, .threads = 1};
  parallel_for(job, 1, [&](Index, Index) { body(); });
}

void on_this_thread(const std::function<void()>& work) {
  const struct Alone {
    Alone() { alone = true; }
    ~Alone() { alone = false; }
  } mark;
  work();
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
