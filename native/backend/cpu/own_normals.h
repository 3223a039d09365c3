#pragma once

#include <vector>

#include "backend/cpu/kernels.h"
#include "backend/step.h"
#include "core/job.h"
#include "core/matrix.h"

namespace gemmine::cpu {

// Upper triangles of k×k matrices as rows of k(k + 1)/2 elements, row by row.
struct Triangles {
  explicit Triangles(Index k);

  Index k;
  std::vector<Index> row;  // of each element
  std::vector<Index> column;

  Index size() const { return static_cast<Index>(row.size()); }
  // Element t of f fᵀ.
  float product(const float* f, Index t) const { return f[row[t]] * f[column[t]]; }
};

// Improves rows of a factor, each with its own normal matrix. Used by one thread.
class OwnSteps {
 public:
  OwnSteps(const Kernels& kernels, const Step& step, const Triangles& triangles,
           const Cancellation& stop);

  // The row f [k], from its cross product and the upper triangle of its normal matrix; see
  // Passes::improve_by_own_normals for `pull`.
  void improve(const double* cross, const double* triangle, double pull, float* f);

 private:
  void sweep(float* f);
  void solve_nonnegative(float* f);
  void solve(float* f);

  const Kernels& kernels_;
  const Step& step_;
  const Triangles& triangles_;
  const Cancellation& stop_;
  Index k_;
  Index padded_;
  std::vector<double> cross_;   // [k]
  std::vector<double> normal_;  // [k×k]
  std::vector<float> rounded_;  // [k×padded], of a sweep
  std::vector<float> slope_;    // [padded]
};

}  // namespace gemmine::cpu
