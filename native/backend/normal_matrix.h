#pragma once

#include <vector>

#include "core/matrix.h"

namespace gemmine {

// A pivot below this share of its diagonal is rounding: of float32 products, and of products in
// float64.
inline constexpr double smallest_float32_pivot = 1e-6;
inline constexpr double smallest_float64_pivot = 1e-13;

// otherᵀ·other [k×k] of the fixed factor, in the forms that steps use. It is small: it stays on the
// host and every device makes a copy.
class NormalMatrix {
 public:
  // `solvable`: also factorize N + l2 I. A component is dependent, and excluded from the
  // factorization, if its pivot is below 1e-6 of its diagonal, or its diagonal is at most 1e-12 of
  // the trace: float32 sums have a relative error of 1e-7, which smaller pivots would amplify
  // beyond the error of the objective. (No jitter: the objective does not contain it.)
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
