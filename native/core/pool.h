#pragma once

#include <functional>
#include <string>

#include "core/job.h"
#include "core/matrix.h"

namespace gemmine {

// Runs body(index, worker) for every index in 0..count-1 on at most job.threads threads;
// `worker` is below worker_count(job) and no two calls with the same worker overlap, so it can
// index scratch memory. Returns when all are done. After an exception no further index starts; that
// of the lowest index is rethrown, so it does not depend on the number of threads. Checks the job's
// cancellation between indices. Indices are started in ascending order. Jobs of several callers
// take turns by the time that each has used, also that of its own thread; short jobs go first.
// The calling thread is a job thread, never a pool thread or the event loop. While fewer threads
// than the pool has run an index, it runs indices itself, and in the turn of another loop those of
// that one. A loop of one index wakes nobody.
void parallel_for(const Job& job, Index count,
                  const std::function<void(Index index, Index worker)>& body);

// The place among others of a job whose loops the calling thread will start.
Turn begin_turn(Priority priority);

// The calling thread goes on with a job that another thread has started or left.
void take_over(const Job& job);

// Called between two parts of an index that takes long: on a thread of a batch job, the indices of
// interactive jobs that wait run first. Nothing else may depend on the place of the call: no lock
// is held, and memory of the thread may change. Does nothing outside parallel_for().
void give_way();

// The same with one index, for a function that must run on a pool thread.
void on_pool(const std::function<void()>& body);

// Runs `work`, whose loops then run on the calling thread alone: for work that takes less time than
// waking a thread.
void on_this_thread(const std::function<void()>& work);

// Starts the threads of the pool; otherwise the first loop starts them. Throws if the system allows
// none; the pool also works with fewer threads than wanted.
void start_pool();

// min(job.threads, pool_threads()): the maximum of workers in a loop of this job.
Index worker_count(const Job& job);

// Wanted number of threads: min(affinity, cgroup quota, hardware), at least 1; and the reason for
// it, for messages.
Index pool_threads();
std::string pool_threads_reason();

// For tests only, before the first loop: sets the number of threads, independent of the CPUs.
void set_pool_threads(Index threads);

// Waits for running blocks and ends the threads; called once at process exit. A loop that is not
// finished, and any later one, throws Cancelled in its caller.
void stop_pool();

}  // namespace gemmine
