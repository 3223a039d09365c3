#pragma once

#include <functional>
#include <string>

#include "core/job.h"
#include "core/matrix.h"

namespace gemmine::cpu {

// Runs body(index, worker) for every index in 0..count-1 on at most job.threads pool threads;
// `worker` is below worker_count(job) and no two calls with the same worker overlap, so it can name
// scratch memory. Returns when all are done. After an exception no further index starts; that of
// the lowest index is rethrown, so it does not depend on the number of threads. Checks the job's
// cancellation between indices. Indices are started in ascending order. Jobs of several callers
// take indices in turn. The calling thread waits and computes nothing: it is a job's own thread,
// never a pool thread and never the event loop.
void parallel_for(const Job& job, Index count,
                  const std::function<void(Index index, Index worker)>& body);

// The same with one index, for what is called once and must run on a pool thread.
void on_pool(const std::function<void()>& body);

// Starts the threads of the pool, which the first loop does otherwise. Throws where the system
// allows not even one; the pool works with as many as it gets.
void start_pool();

// min(job.threads, pool_threads()): how many workers a loop of this job has at most.
Index worker_count(const Job& job);

// How many threads the pool has where the system allows them: min(affinity, cgroup quota,
// hardware), at least 1. And which of them decided, for people.
Index pool_threads();
std::string pool_threads_reason();

// Tests only, before the first loop: as many threads as they want to see, however few the CPUs.
void set_pool_threads(Index threads);

// Waits for running blocks and ends the threads; called once at process exit. A loop that it cuts
// short, and any later one, throws Cancelled in its caller.
void stop_pool();

}  // namespace gemmine::cpu
