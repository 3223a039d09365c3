#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>

#include "core/error.h"
#include "core/matrix.h"

namespace gemmine {

// A flag that another thread raises; checked between blocks. The default one is never raised.
class Cancellation {
 public:
  Cancellation() = default;
  explicit Cancellation(const std::int32_t* flag) : flag_(flag) {}

  // For a loop that stops at the end of an iteration: it asks there, and nothing inside is cut
  // short.
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
