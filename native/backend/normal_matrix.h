#pragma once

#include <vector>

#include "core/matrix.h"

namespace gemmine {

// otherᵀ·other [k×k] of the fixed side, in the forms that steps use. Small: it lives on the host
// and every device takes its own copy.
class NormalMatrix {
 public:
  // `solvable`: also factorize N + l2 I. A component is dependent, and left out of the
  // factorization, where its pivot falls below 1e-6 of its diagonal, or its diagonal is at most
  // 1e-12 of the trace: float32 sums carry a relative noise of 1e-7, which smaller pivots would
  // blow up past the objective's own noise. (No jitter: the objective does not contain it.)
  NormalMatrix(std::vector<double> gram, Index k, double l2, bool solvable);

  Index size() const { return k_; }
  const std::vector<double>& gram() const { return gram_; }          // [k×k], without l2
  const std::vector<float>& gram32() const { return gram32_; }       // [k×k], without l2
  const std::vector<double>& cholesky() const { return cholesky_; }  // lower [m×m] of independent()
  const std::vector<Index>& independent() const { return independent_; }
  const std::vector<Index>& dependent() const { return dependent_; }

 private:
  void factorize(double l2);

  Index k_;
  std::vector<double> gram_;
  std::vector<float> gram32_;
  std::vector<double> cholesky_;
  std::vector<Index> independent_;
  std::vector<Index> dependent_;
};

}  // namespace gemmine
