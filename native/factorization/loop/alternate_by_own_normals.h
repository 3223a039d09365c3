#pragma once

#include "factorization/loop/alternate.h"
#include "factorization/model.h"

namespace gemmine {

// The same loop where each row of either factor has a normal matrix of its own: entries are
// missing, rows have weights beside a penalty on their codes, or the loss is bounded by weighted
// squares. The steps are those of the model's rule. docs/math/own-normal-matrices.md.
Alternated alternate_by_own_normals(const Input& input, const ModelRule& rule,
                                    const LoopOptions& options, Checkpoints& checkpoints,
                                    Previous previous, LoopState& state, BackendView<float> W,
                                    BackendView<float> Ht);

// One read of X for such steps. Penalties are added to the loss of the input.
class OwnNormals {
 public:
  OwnNormals(const Input& input, BackendView<float> W, BackendView<float> Ht);

  struct Read {
    std::optional<Step> step;
    bool measures = false;  // the pair before the step
    bool accumulates = false;
    std::optional<Extrapolated> extrapolated = std::nullopt;
  };
  // Returns the loss of the pair before the step, if it is measured.
  double read(const Read& read);
  // Improves Ht from the sums of the last read.
  void improve_columns(const Step& step, double pull);
  // ‖X − W Htᵀ‖² over the entries that count, from the sums of the last read.
  double identity_error() const;

  // The step of a factor for penalties beside the loss.
  Step step_of(StepKind kind, double l1, double l2, Index sweeps, double upper) const;

 private:
  const Input& input_;
  BackendView<float> W_;
  BackendView<float> Ht_;
  const NormalMatrix unused_;
  std::unique_ptr<Sums> sums_;
};

}  // namespace gemmine
