#pragma once

#include <chrono>
#include <string>

#include "factorization/input.h"
#include "factorization/loop/acceleration.h"
#include "factorization/loop/state.h"

namespace gemmine {

// Writes the state of a run at the end of an iteration: at iteration 0, after that many seconds, at
// the end, and when the job is to stop, which throws Cancelled.
class Checkpoints {
 public:
  Checkpoints(const Input& input, const CheckpointOptions& options)
      : input_(input), options_(options) {}

  void at_end_of_iteration(const LoopState& state, bool is_last, BackendView<const float> W,
                           BackendView<const float> Ht, const Extrapolation* extrapolation);

 private:
  void write(const LoopState& state, BackendView<const float> W, BackendView<const float> Ht,
             const Extrapolation* extrapolation);

  const Input& input_;
  const CheckpointOptions& options_;
  std::chrono::steady_clock::time_point written_{};
};

// A run as a checkpoint left it.
struct ResumedRun {
  LoopState state;
  HostMatrix<float> W;  // scaled, as all factors here
  HostMatrix<float> Ht;
  HostMatrix<float> previous_W;  // of extrapolation; without rows where there is none
  HostMatrix<float> previous_Ht;
};

// Throws ErrorCode::file unless the file is a checkpoint of this run with that many objectives.
ResumedRun read_checkpoint(const CheckpointOptions& options, Index n, Index d, Index k,
                           Index objectives, bool extrapolated);

}  // namespace gemmine
