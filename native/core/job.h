#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>

#include "core/error.h"
#include "core/matrix.h"
#include "core/named.h"

namespace gemmine {

// A flag that another thread sets; checked between blocks. A default-constructed one is never set.
class Cancellation {
 public:
  Cancellation() = default;
  explicit Cancellation(const std::int32_t* flag) : flag_(flag) {}

  // For a loop that stops only at the end of an iteration: check() inside the iteration does
  // nothing.
  Cancellation until_end_of_iteration() const {
    Cancellation patient = *this;
    patient.patient_ = true;
    return patient;
  }

  bool requested() const { return !patient_ && asked_to_stop(); }
  bool asked_to_stop() const {
    // The flag is an element of a SharedArrayBuffer, written by Atomics.store.
    return flag_ != nullptr && __atomic_load_n(flag_, __ATOMIC_RELAXED) != 0;
  }
  void check() const {
    if (requested()) throw Cancelled();
  }

 private:
  const std::int32_t* flag_ = nullptr;
  bool patient_ = false;
};

// Someone waits for an interactive job; a batch job takes the time that is left, and a small share.
enum class Priority { interactive, batch };
inline constexpr std::array<Named<Priority>, 2> priority_names{
    {{"interactive", Priority::interactive}, {"batch", Priority::batch}}};

// A job's place among the others; only the pool reads and writes the times.
struct Turn {
  Priority priority;
  double seconds;  // used so far
  double place;    // the lowest is next, in weighted seconds: docs/decisions/0026
  double resumed;  // processor time of its own thread when that went on after a loop, in seconds
};

struct Progress {
  const char* phase;  // a literal: initialise, iterate, prepare, measure, scan, ...
  Index done;
  Index total;  // the same throughout a phase
  std::optional<double> objective;
};

// Bytes of each kind of buffers that grow with the queries of a job, at most, unless its budget of
// memory is small.
inline constexpr Index most_buffer_bytes = Index{256} << 20;

// Context of a job. `report` may be called often and from any thread: the binding throttles it.
struct Job {
  Cancellation cancellation;
  std::function<void(const Progress&)> report;  // may be empty
  Index threads;                                // a cap on this job's share of the pool, >= 1
  Index buffer_bytes = most_buffer_bytes;       // cut into requests whose buffers fit in it
  Turn* turn = nullptr;                         // null: before all others

  // The same job without a listener.
  Job quietly() const {
    Job quiet = *this;
    quiet.report = nullptr;
    return quiet;
  }

  void progress(const char* phase, Index done, Index total,
                std::optional<double> objective = std::nullopt) const {
    if (report) report({phase, done, total, objective});
  }
};

}  // namespace gemmine
