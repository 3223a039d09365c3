// The pool: order, workers, turns, exceptions, cancellation and exit.
#include "core/pool.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include "check.h"

namespace {

using gemmine::begin_turn;
using gemmine::Index;
using gemmine::Job;
using gemmine::parallel_for;

Job job_of(Index threads) { return {.cancellation = {}, .report = {}, .threads = threads}; }

void nap() { std::this_thread::sleep_for(std::chrono::microseconds(200)); }

void runs_every_index_once_on_workers_that_do_not_overlap() {
  for (Index threads : {1, 2, 3, 7}) {
    const Job job = job_of(threads);
    std::vector<std::atomic<int>> ran(1000);
    std::vector<std::atomic<int>> busy(threads);
    std::atomic<bool> overlapped = false;
    parallel_for(job, 1000, [&](Index index, Index worker) {
      if (worker >= gemmine::worker_count(job) || ++busy[worker] != 1) overlapped = true;
      ++ran[index];
      --busy[worker];
    });
    test::check(std::ranges::all_of(ran, [](auto& n) { return n == 1; }), "every index runs once");
    test::check(!overlapped, "a worker does one thing at a time");
  }
}

void a_loop_of_one_index_changes_no_thread() {
  for (Index threads : {1, 3}) {
    std::thread::id ran;
    parallel_for(job_of(threads), 1, [&](Index, Index) { ran = std::this_thread::get_id(); });
    test::check(ran == std::this_thread::get_id(), "the caller runs it");
  }
  std::vector<std::thread::id> ran(100);
  parallel_for(job_of(1), 100,
               [&](Index index, Index) { ran[index] = std::this_thread::get_id(); });
  test::check(std::ranges::count(ran, std::this_thread::get_id()) == 100,
              "the caller runs the loops of a job of one thread");
}

// While every thread has an index of another loop, the caller of one waits.
void no_more_threads_run_indices_than_the_pool_has() {
  std::atomic<int> running = 0, most = 0;
  const auto loop = [&] {
    for (int repeat = 0; repeat < 50; ++repeat)
      parallel_for(job_of(3), 4, [&](Index, Index) {
        most = std::max<int>(most, ++running);
        std::this_thread::yield();
        --running;
      });
  };
  std::vector<std::thread> callers;
  for (int i = 0; i < 5; ++i) callers.emplace_back(loop);
  for (std::thread& caller : callers) caller.join();
  test::check(most <= gemmine::pool_threads(), "threads at once");
}

void work_on_this_thread_waits_for_no_other() {
  std::atomic<bool> answered = false;
  std::atomic<int> begun = 0;
  std::thread other([&] {
    parallel_for(job_of(3), 3, [&](Index, Index) {
      ++begun;
      while (!answered) nap();
    });
  });
  while (begun < 3) nap();
  std::vector<Index> order;
  gemmine::on_this_thread([&] {
    parallel_for(job_of(3), 5, [&](Index index, Index worker) {
      if (worker == 0) order.push_back(index);
    });
  });
  answered = true;
  other.join();
  test::check(std::ranges::is_sorted(order) && order.size() == 5, "all, ascending, by one worker");
}

void starts_indices_in_ascending_order() {
  std::vector<Index> order;
  parallel_for(job_of(1), 100, [&](Index index, Index) { order.push_back(index); });
  test::check(std::ranges::is_sorted(order) && order.size() == 100, "ascending on one worker");
}

void rethrows_the_exception_of_the_lowest_index() {
  for (Index threads : {1, 2, 3})
    for (int repeat = 0; repeat < 50; ++repeat) {
      std::atomic<int> ran = 0;
      const auto body = [&](Index index, Index) {
        ++ran;
        if (index == 5) nap();
        if (index >= 5) throw std::runtime_error(std::to_string(index));
      };
      test::throws<std::runtime_error>(
          [&] { parallel_for(job_of(threads), 1000, body); },
          [](auto& error) { test::check(std::string(error.what()) == "5", error.what()); },
          "an exception reaches the caller");
      test::check(ran < 20, "no index starts after a failure");
    }
}

void stops_within_one_index_of_a_cancellation() {
  std::int32_t flag = 0;
  const Job job{.cancellation = gemmine::Cancellation(&flag), .report = {}, .threads = 3};
  std::atomic<int> after = 0;
  test::throws<gemmine::Cancelled>(
      [&] {
        parallel_for(job, 10000, [&](Index index, Index) {
          if (__atomic_load_n(&flag, __ATOMIC_SEQ_CST) != 0) ++after;
          if (index == 10) __atomic_store_n(&flag, 1, __ATOMIC_SEQ_CST);
        });
      },
      [](auto&) {}, "a raised flag cancels");
  test::check(after <= 2, "no worker starts a second index after the flag is raised");
  test::throws<gemmine::Cancelled>([&] { parallel_for(job, 1, [](Index, Index) {}); }, [](auto&) {},
                                   "a raised flag starts nothing");
}

void jobs_take_indices_in_turn() {
  std::mutex mutex;
  std::vector<char> order;
  std::atomic<int> callers = 0;
  const auto loop = [&](char name) {
    ++callers;
    parallel_for(job_of(3), 200, [&, name](Index, Index) {
      do nap();
      while (callers < 3);
      const std::lock_guard lock(mutex);
      order.push_back(name);
    });
  };
  std::thread a(loop, 'a');
  std::thread b(loop, 'b');
  std::thread c(loop, 'c');
  a.join();
  b.join();
  c.join();
  // From when all have begun until the first ends, every window holds about as many of each.
  const auto share = [&](char name) {
    return std::count(order.begin() + 100, order.begin() + 400, name);
  };
  for (char name : {'a', 'b', 'c'}) test::near(share(name), 100, 10, "a third of the indices");
}

Job job_of(gemmine::Turn& turn) {
  return {.cancellation = {}, .report = {}, .threads = 3, .turn = &turn};
}

constexpr auto interactive = gemmine::Priority::interactive;
constexpr auto batch = gemmine::Priority::batch;

// Runs two jobs at once, one of them with indices that take `naps` naps, and returns how many
// indices of the other end until the first of them has ended `count`.
double others_in_turn(gemmine::Priority priority, gemmine::Priority other_priority, int naps,
                      int count) {
  std::atomic<int> callers = 0;
  std::atomic<int> ended = 0;
  std::atomic<int> others = 0;
  std::thread first([&] {
    gemmine::Turn turn = begin_turn(priority);
    ++callers;
    parallel_for(job_of(turn), count, [&](Index, Index) {
      do
        for (int i = 0; i < naps; ++i) nap();
      while (callers < 2);
      ++ended;
    });
  });
  std::thread second([&] {
    gemmine::Turn turn = begin_turn(other_priority);
    ++callers;
    parallel_for(job_of(turn), 100'000, [&](Index, Index) {
      if (ended == count) return;
      do nap();
      while (callers < 2);
      ++others;
    });
  });
  first.join();
  second.join();
  return others;
}

// Whether one of a few measurements is within limits: on a busy machine a nap may take long.
bool once_within(double low, double high, const std::function<double()>& measured) {
  for (int repeat = 0; repeat < 5; ++repeat)
    if (const double value = measured(); value > low && value < high) return true;
  return false;
}

void takes_turns_by_the_time_used() {
  test::check(
      once_within(300, 1500, [] { return others_in_turn(interactive, interactive, 5, 150); }),
      "five short indices for one that takes five times");
}

void leaves_a_small_share_to_a_batch() {
  test::check(once_within(20, 450, [] { return others_in_turn(interactive, batch, 1, 1500); }),
              "a seventeenth of the time for the batch");
}

void a_job_that_begins_does_not_wait_for_a_long_one() {
  std::atomic<int> ended = 0;
  std::atomic<bool> enough = false;
  std::thread long_job([&] {
    gemmine::Turn turn = begin_turn(interactive);
    parallel_for(job_of(turn), 1'000'000, [&](Index, Index) {
      if (enough) return;
      nap();
      ++ended;
    });
  });
  while (ended < 1000) nap();  // it has used more than the head start
  int fewest = 1000;
  for (int repeat = 0; repeat < 20; ++repeat) {
    gemmine::Turn turn = begin_turn(interactive);
    const int before = ended;
    parallel_for(job_of(turn), 12, [&](Index, Index) { nap(); });
    fewest = std::min(fewest, ended - before);
  }
  enough = true;
  long_job.join();
  test::check(fewest <= 6,
              "of the long job only indices that run already end before the short one");
}

void a_batch_gives_way_in_the_middle_of_an_index() {
  gemmine::Turn turn = begin_turn(interactive);
  std::atomic<int> begun = 0;
  std::atomic<bool> answered = false;
  std::atomic<int> too_late = 0;
  std::thread batch_job([&] {
    gemmine::Turn turn = begin_turn(batch);
    parallel_for(job_of(turn), 6, [&](Index, Index) {
      ++begun;
      int naps = 0;
      while (!answered && ++naps < 50'000) {
        nap();
        gemmine::give_way();
      }
      if (!answered) ++too_late;
    });
  });
  while (begun < gemmine::pool_threads()) nap();  // every thread of the pool is inside an index
  parallel_for(job_of(turn), 12, [&](Index, Index) { nap(); });
  answered = true;
  batch_job.join();
  test::check(too_late == 0, "an interactive job is done while indices of a batch wait");
  gemmine::give_way();  // outside of a loop: nothing
}

// On one thread: the thread that gives way is the one that would run all of the interactive job.
void an_interactive_job_that_runs_long_does_not_hold_an_index_of_a_batch() {
  std::atomic<int> begun = 0;
  std::atomic<bool> ended = false;
  std::thread batch_job([&] {
    gemmine::Turn turn = begin_turn(batch);
    parallel_for(job_of(turn), 6, [&](Index, Index) {
      ++begun;
      for (int i = 0; i < 20; ++i) {
        nap();
        gemmine::give_way();
      }
    });
    ended = true;
  });
  while (begun == 0) nap();
  gemmine::Turn turn = begin_turn(interactive);
  Job alone = job_of(turn);
  alone.threads = 1;
  Index after = 0;
  parallel_for(alone, 20'000, [&](Index, Index) {
    if (ended && ++after > 0) return;
    nap();
  });
  batch_job.join();
  test::check(after > 0, "the batch ends beside a job that runs long");
}

// A thread that gives way runs the first index, and leaves the loop because it took long.
void a_loop_that_a_batch_leaves_goes_on_beside_it() {
  std::atomic<int> begun = 0;
  std::atomic<bool> first_began = false, ended = false, in_time = false;
  std::thread batch_job([&] {
    gemmine::Turn turn = begin_turn(batch);
    parallel_for(job_of(turn), gemmine::pool_threads(), [&](Index index, Index) {
      ++begun;
      while (!first_began) {
        nap();
        if (index == 0) gemmine::give_way();
      }
      for (int naps = 0; index == 0 && !ended && naps < 20'000; ++naps) nap();
      if (index == 0) in_time = ended.load();
    });
  });
  while (begun < gemmine::pool_threads()) nap();
  gemmine::Turn turn = begin_turn(interactive);
  Job alone = job_of(turn);
  alone.threads = 1;
  parallel_for(alone, 2, [&](Index index, Index) {
    first_began = true;
    if (index == 0) std::this_thread::sleep_for(std::chrono::milliseconds(300));
  });
  ended = true;
  batch_job.join();
  test::check(in_time, "threads without work take the rest of the loop");
}

void one_capped_job_leaves_threads_to_another() {
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  const auto body = [&](Index, Index) {
    most = std::max<int>(most, ++running);
    nap();
    --running;
  };
  std::thread first([&] { parallel_for(job_of(1), 100, body); });
  std::thread second([&] { parallel_for(job_of(1), 100, body); });
  first.join();
  second.join();
  test::check(most == 2, "two jobs of one thread run side by side");
}

void exit_waits_for_running_blocks_and_cancels_the_rest() {
  std::atomic<bool> started = false;
  std::atomic<int> running = 0;
  bool cancelled = false;
  std::thread job([&] {
    try {
      parallel_for(job_of(3), 100000, [&](Index, Index) {
        ++running;
        started = true;
        nap();
        --running;
      });
    } catch (const gemmine::Cancelled&) {
      cancelled = true;
    }
  });
  while (!started) nap();
  gemmine::stop_pool();
  test::check(running == 0, "no block runs after stop_pool");
  job.join();
  test::check(cancelled, "the caller is told");
}

}  // namespace

int main() {
  gemmine::set_pool_threads(3);
  runs_every_index_once_on_workers_that_do_not_overlap();
  a_loop_of_one_index_changes_no_thread();
  no_more_threads_run_indices_than_the_pool_has();
  work_on_this_thread_waits_for_no_other();
  starts_indices_in_ascending_order();
  rethrows_the_exception_of_the_lowest_index();
  stops_within_one_index_of_a_cancellation();
  jobs_take_indices_in_turn();
  takes_turns_by_the_time_used();
  leaves_a_small_share_to_a_batch();
  a_job_that_begins_does_not_wait_for_a_long_one();
  a_batch_gives_way_in_the_middle_of_an_index();
  an_interactive_job_that_runs_long_does_not_hold_an_index_of_a_batch();
  a_loop_that_a_batch_leaves_goes_on_beside_it();
  one_capped_job_leaves_threads_to_another();
  exit_waits_for_running_blocks_and_cancels_the_rest();
  return test::report("pool");
}
