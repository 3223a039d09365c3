#include "backend/cpu/own_normals.h"

#include "backend/cpu/block_pivoting.h"
#include "backend/cpu/panels.h"
#include "backend/normal_matrix.h"
#include "backend/scaled_normal.h"
#include "core/error.h"

namespace gemmine::cpu {

Triangles::Triangles(Index k) : k(k) {
  for (Index a = 0; a < k; ++a)
    for (Index b = a; b < k; ++b) {
      row.push_back(a);
      column.push_back(b);
    }
}

OwnSteps::OwnSteps(const Kernels& kernels, const Step& step, const Triangles& triangles,
                   const Cancellation& stop)
    : kernels_(kernels),
      step_(step),
      triangles_(triangles),
      stop_(stop),
      k_(triangles.k),
      padded_(whole_panels(k_, kernels.lanes)),
      cross_(static_cast<std::size_t>(k_)),
      normal_(static_cast<std::size_t>(k_ * k_)),
      rounded_(static_cast<std::size_t>(k_ * padded_)),
      slope_(static_cast<std::size_t>(padded_)) {
  expect(takes_own_normals(step.kind), "a step for own normal matrices");
}

void OwnSteps::improve(const double* cross, const double* triangle, double pull, float* f) {
  for (Index t = 0; t < triangles_.size(); ++t) {
    const Index a = triangles_.row[t];
    const Index b = triangles_.column[t];
    normal_[a * k_ + b] = normal_[b * k_ + a] = triangle[t];
  }
  for (Index j = 0; j < k_; ++j) {
    const double pulled = pull * normal_[j * (k_ + 1)];
    cross_[j] = cross[j] + pulled * f[j];
    normal_[j * (k_ + 1)] += pulled;
  }
  if (step_.kind == StepKind::solve) return solve(f);
  if (step_.kind == StepKind::nonnegative_solve) return solve_nonnegative(f);
  sweep(f);
}

void OwnSteps::sweep(float* f) {
  for (Index a = 0; a < k_; ++a)
    for (Index b = 0; b < k_; ++b)
      rounded_[a * padded_ + b] = static_cast<float>(normal_[a * k_ + b]);
  for (Index j = 0; j < k_; ++j) slope_[j] = static_cast<float>(cross_[j]);
  kernels_.own_sweep({.k = k_,
                      .padded = padded_,
                      .sweeps = step_.sweeps,
                      .half_l1 = static_cast<float>(step_.l1 / 2),
                      .l2 = static_cast<float>(step_.l2),
                      .relaxation = static_cast<float>(step_.relaxation),
                      .upper = static_cast<float>(step_.upper),
                      .signed_factor = step_.kind == StepKind::signed_sweep,
                      .normal = rounded_.data(),
                      .slope = slope_.data(),
                      .factor = f});
}

void OwnSteps::solve_nonnegative(float* f) {
  const ScaledNormal scaled(NormalMatrix(normal_, k_, 0, false), step_.l2);
  std::vector<double> B(static_cast<std::size_t>(k_));
  std::vector<double> V(static_cast<std::size_t>(k_));
  for (Index j = 0; j < k_; ++j) {
    if (scaled.inverse_root[j] == 0) continue;
    B[j] = (cross_[j] - step_.l1 / 2) * scaled.inverse_root[j];
    V[j] = f[j] / scaled.inverse_root[j];
  }
  BlockPivoting(kernels_, scaled.entries, k_, smallest_float32_pivot)
      .solve({B.data(), 1, k_, k_}, {V.data(), 1, k_, k_}, stop_);
  for (Index j = 0; j < k_; ++j)
    if (scaled.inverse_root[j] > 0)
      f[j] = static_cast<float>(V[j] * scaled.inverse_root[j]);
    else if (step_.l1 > 0)
      f[j] = 0;  // only the penalty depends on it
}

// (C − F_D N_DF) (N_FF + l2 I)⁻¹ by two triangular solves.
void OwnSteps::solve(float* f) {
  const NormalMatrix normal(normal_, k_, step_.l2, true);
  const std::vector<Index>& free = normal.independent();
  const std::vector<double>& L = normal.cholesky();
  const auto m = static_cast<Index>(free.size());
  std::vector<double> y(static_cast<std::size_t>(m));
  for (Index a = 0; a < m; ++a) {
    y[a] = cross_[free[a]];
    for (const Index e : normal.dependent()) y[a] -= double{f[e]} * normal_[e * k_ + free[a]];
    for (Index b = 0; b < a; ++b) y[a] -= L[a * m + b] * y[b];
    y[a] /= L[a * m + a];
  }
  for (Index a = m; a-- > 0;) {
    for (Index b = a + 1; b < m; ++b) y[a] -= L[b * m + a] * y[b];
    y[a] /= L[a * m + a];
    f[free[a]] = static_cast<float>(y[a]);
  }
}

}  // namespace gemmine::cpu
