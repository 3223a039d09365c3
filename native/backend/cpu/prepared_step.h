#pragma once

#include <optional>
#include <vector>

#include "backend/cpu/kernels.h"
#include "backend/cpu/simplex_rows.h"
#include "backend/normal_matrix.h"
#include "backend/scaled_normal.h"
#include "backend/step.h"
#include "core/job.h"

namespace gemmine::cpu {

// A step with its small matrices in the layout of its kernel: packed once, used for every block by
// any number of threads at once. Keeps references to its arguments.
class PreparedStep {
 public:
  PreparedStep(const Kernels& kernels, const Step& step, const NormalMatrix& normal,
               const Cancellation& stop);

  // cross [b×k], factor [b×k]; see StepKind. row_diagonal [b]: see RowAddend; null: none.
  void improve(HostView<const float> cross, HostView<float> factor,
               const float* row_diagonal = nullptr) const;

 private:
  void pack();
  SweepProblem problem(HostView<const float> cross, HostView<float> factor,
                       const float* row_diagonal) const;
  void project(HostView<const float> cross, HostView<float> factor) const;
  void shifted_ascent(HostView<const float> cross, HostView<float> factor) const;
  void solve(HostView<const float> cross, HostView<float> factor) const;
  void nonnegative_solve(HostView<const float> cross, HostView<float> factor) const;
  void one_component(HostView<const float> cross, HostView<float> factor) const;
  void solve_on_support(HostView<const float> cross, HostView<float> factor) const;

  const Kernels& kernels_;
  const Step step_;
  const NormalMatrix& normal_;
  const Cancellation stop_;
  Index padded_;
  std::optional<ScaledNormal> scaled_;
  std::optional<SimplexRows> simplex_;
  std::vector<float> positive_;
  std::vector<float> negative_;
  std::vector<float> inverse_;
  std::vector<double> inverse64_;  // (N + l2 I)⁻¹ of the independent components
};

}  // namespace gemmine::cpu
