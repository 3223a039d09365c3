#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>

#include "core/error.h"
#include "core/matrix.h"

namespace gemmine {

// A flag that another thread raises; checked between blocks. The default one is never raised. 1:
// stop at once; 2: stop at once, but for a loop that writes a checkpoint at the end of its
// iteration.
class Cancellation {
 public:
  Cancellation() = default;
  explicit Cancellation(const std::int32_t* flag) : flag_(flag) {}

  // For the inside of an iteration whose end is waited for.
  Cancellation until_end_of_iteration() const {
    Cancellation patient = *this;
    patient.patient_ = true;
    return patient;
  }

  bool requested() const { return patient_ ? level() == 1 : level() != 0; }
  bool asked_to_stop() const { return level() != 0; }
  void check() const {
    if (requested()) throw Cancelled();
  }

 private:
  std::int32_t level() const {
    // The flag is an element of a SharedArrayBuffer, written by Atomics.store.
    return flag_ == nullptr ? 0 : __atomic_load_n(flag_, __ATOMIC_RELAXED);
  }

  const std::int32_t* flag_ = nullptr;
  bool patient_ = false;
};

struct Progress {
  const char* phase;  // a literal: initialise, iterate, prepare, measure, scan, ...
  Index done;
  Index total;  // the same throughout a phase
  std::optional<double> objective;
};

// What a job is given besides its data. `report` may be called from any thread, often: the binding
// throttles it.
struct Job {
  Cancellation cancellation;
  std::function<void(const Progress&)> report;  // empty: nobody listens
  Index threads;                                // a cap on this job's share of the pool, >= 1

  void progress(const char* phase, Index done, Index total,
                std::optional<double> objective = std::nullopt) const {
    if (report) report({phase, done, total, objective});
  }
};

}  // namespace gemmine
