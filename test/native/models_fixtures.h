#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "devices.h"
#include "factorization_matrices.h"
#include "guarded_passes.h"

// What the suites of models share.
namespace test {

using oracle::Matrix;

inline Matrix widened(const Dense& A) {
  return {A.rows, A.cols, {A.values.begin(), A.values.end()}};
}

inline double relative_difference(const Matrix& A, const Dense& B) {
  double sum = 0;
  for (std::size_t i = 0; i < A.data.size(); ++i)
    sum += (A.data[i] - B.values[i]) * (A.data[i] - B.values[i]);
  return std::sqrt(sum / oracle::inner(A, A));
}

inline std::vector<Passes*> tried_devices() {
  static GuardedPasses guarded;
  std::vector<Passes*> devices = {&guarded, &passes_for("cpu")};
  if (Passes* emulated = emulated_gpu()) devices.push_back(emulated);
  return devices;
}

inline void expect_falling(const std::vector<double>& f, double norm, const std::string& name) {
  for (std::size_t t = 1; t < f.size(); ++t)
    check(f[t] <= f[t - 1] * (1 + 1e-6) + 5e-7 * norm,
          name + " never rises, at " + std::to_string(t) + ": " + std::to_string(f[t - 1]) +
              " then " + std::to_string(f[t]));
}

inline void same_bits_of(const Fitted& a, const Fitted& b, const std::string& name) {
  same_bits(a.W.values.data(), b.W.values.data(), a.W.values.size(), name + ", W");
  same_bits(a.H.values.data(), b.H.values.data(), a.H.values.size(), name + ", H");
}

}  // namespace test
