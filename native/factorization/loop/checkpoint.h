#pragma once

#include <chrono>
#include <string>

#include "factorization/factors.h"
#include "factorization/input.h"
#include "factorization/loop/state.h"

namespace gemmine {

// A second pair that a resumed run needs: the one before extrapolation, or the best one of a model
// that is not monotone. Null if there is none.
struct OtherPair {
  BackendView<const float> W;
  BackendView<const float> Ht;
};
inline constexpr OtherPair no_pair{{nullptr, 0, 0, 0}, {nullptr, 0, 0, 0}};

// Writes the state of a run at the end of an iteration: at iteration 0, after the given seconds, at
// the end, and if the job is to stop, which then throws Cancelled.
class Checkpoints {
 public:
  Checkpoints(const Input& input, const CheckpointOptions& options)
      : input_(input), options_(options) {}

  void at_end_of_iteration(const LoopState& state, bool is_last, BackendView<const float> W,
                           BackendView<const float> Ht, const OtherPair& other);

 private:
  void write(const LoopState& state, BackendView<const float> W, BackendView<const float> Ht,
             const OtherPair& other);

  const Input& input_;
  const CheckpointOptions& options_;
  std::chrono::steady_clock::time_point written_{};
};

// State of a run in a checkpoint.
struct ResumedRun {
  LoopState state;
  HostMatrix<float> W;  // scaled, like all factors here
  HostMatrix<float> Ht;
  HostMatrix<float> other_W;  // see OtherPair; has no rows if there is none
  HostMatrix<float> other_Ht;
};

// Throws ErrorCode::file unless the file is a checkpoint of this run with that many objectives.
ResumedRun read_checkpoint(const CheckpointOptions& options, Index n, Index d, Index k,
                           Index objectives, bool with_other_pair);

}  // namespace gemmine
