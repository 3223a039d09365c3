#pragma once

#include <vector>

#include "backend/cpu/kernels.h"
#include "backend/normal_matrix.h"
#include "core/matrix.h"

namespace gemmine::cpu {

// Least squares on the simplex for the rows of a factor: see StepKind::simplex. Shared by threads.
class SimplexRows {
 public:
  // `capped`: rows may sum to less than 1. What is missing is one more component, of zeros.
  SimplexRows(const Kernels& kernels, const NormalMatrix& normal, bool capped);

  // cross [b×k], factor [b×k].
  void improve(HostView<const float> cross, HostView<float> factor, Index sweeps) const;

 private:
  void start(HostView<const float> cross, HostView<const float> factor, Index i, double* w,
             double* slope) const;

  const Kernels& kernels_;
  bool capped_;
  Index size_;                    // k, or k + 1
  Index padded_;                  // to whole vectors
  std::vector<double> normal_;    // [size×padded]
  std::vector<double> diagonal_;  // [padded]
  double scale_ = 0;              // the largest element of its diagonal
};

}  // namespace gemmine::cpu
