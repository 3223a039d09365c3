#include "backend/cpu/prepared_step.h"

#include <algorithm>
#include <limits>

#include "backend/cpu/block_pivoting.h"
#include "core/error.h"
#include "core/linear_algebra.h"
#include "core/pool.h"

namespace gemmine::cpu {
namespace {

// off(N_ij) beside the diagonal, on(N_jj) on it, in panels of columns. Kernels read the columns as
// rows, because N is symmetric.
template <class Off, class On>
std::vector<float> panels_of(const NormalMatrix& normal, Index padded, Off off, On on) {
  const Index k = normal.size();
  const float* N = normal.gram32().data();
  std::vector<float> panels(static_cast<std::size_t>(padded * padded));
  for (Index j = 0; j < k; ++j) {
    float* column = panels.data() + j / sweep_panel * sweep_panel * padded + j % sweep_panel;
    for (Index i = 0; i < k; ++i) column[i * sweep_panel] = off(N[j * k + i]);
    column[j * sweep_panel] = static_cast<float>(on(normal.gram()[j * k + j]));
  }
  return panels;
}

float itself(float x) { return x; }
float positive_part(float x) { return std::max(x, 0.0f); }
float negative_part(float x) { return std::max(-x, 0.0f); }
double zero(double) { return 0; }

// Padded with zeros.
std::vector<float> padded_to(Index padded, std::vector<float> lengths) {
  lengths.resize(static_cast<std::size_t>(padded));
  return lengths;
}

float* sweep_memory(Index padded) {
  thread_local std::vector<float> memory;
  const auto needed = static_cast<std::size_t>(sweep_scratch(padded));
  if (memory.size() < needed) memory.resize(needed);
  return memory.data();
}

// C − F_D N_DF for the independent components [b×m]; the dependent ones are unchanged.
void independent_cross(HostView<const float> cross, const NormalMatrix& normal,
                       HostView<const float> factor, HostView<double> right) {
  const Index k = normal.size();
  for (Index i = 0; i < right.rows; ++i)
    for (Index t = 0; t < right.cols; ++t) {
      const Index j = normal.independent()[t];
      double value = cross(i, j);
      for (const Index s : normal.dependent())
        value -= double{factor(i, s)} * normal.gram()[s * k + j];
      right(i, t) = value;
    }
}

}  // namespace

PreparedStep::PreparedStep(const Kernels& kernels, const Step& step, const NormalMatrix& normal,
                           const Cancellation& stop)
    : kernels_(kernels),
      step_(step),
      normal_(normal),
      stop_(stop),
      padded_((normal.size() + sweep_panel - 1) / sweep_panel * sweep_panel) {
  pack();
}

void PreparedStep::pack() {
  const auto raised = [&](double x) { return x + step_.l2; };
  switch (step_.kind) {
    case StepKind::nonnegative_sweep:
    case StepKind::signed_sweep:
      positive_ = panels_of(normal_, padded_, itself, zero);
      inverse_ = padded_to(padded_, inverse_diagonal(normal_, step_.l2));
      break;
    case StepKind::projected_gradient:
      positive_ = panels_of(normal_, padded_, itself, raised);
      inverse_ = padded_to(padded_, gradient_lengths(normal_, step_.l2));
      break;
    case StepKind::nonnegative_solve:
      scaled_.emplace(normal_, step_.l2);
      break;
    case StepKind::multiplicative:
      positive_ = panels_of(normal_, padded_, itself, raised);
      break;
    case StepKind::sign_split:
      positive_ = panels_of(normal_, padded_, positive_part, raised);
      negative_ = panels_of(normal_, padded_, negative_part, zero);
      break;
    case StepKind::solve:
      inverse64_ = inverse_of_independent(normal_);
      break;
    case StepKind::ratio:
    case StepKind::product:
    case StepKind::project:
    case StepKind::solve_on_support:
    case StepKind::one_component:
    case StepKind::cayley:
    case StepKind::unit_ball:
    case StepKind::shifted_ascent:
      break;
    case StepKind::simplex:
    case StepKind::capped_simplex:
      simplex_.emplace(kernels_, normal_, step_.kind == StepKind::capped_simplex);
      break;
  }
}

SweepProblem PreparedStep::problem(HostView<const float> cross, HostView<float> factor,
                                   const float* row_diagonal) const {
  return {.rows = factor.rows,
          .k = factor.cols,
          .padded = padded_,
          .sweeps = step_.sweeps,
          .half_l1 = static_cast<float>(step_.l1 / 2),
          .relaxation = static_cast<float>(step_.relaxation),
          .upper = static_cast<float>(step_.upper),
          .positive = positive_.data(),
          .negative = negative_.data(),
          .inverse = inverse_.data(),
          .cross = cross.data,
          .cross_stride = cross.stride,
          .factor = factor.data,
          .factor_stride = factor.stride,
          .row_diagonal = row_diagonal,
          .scratch = sweep_memory(padded_)};
}

void PreparedStep::improve(HostView<const float> cross, HostView<float> factor,
                           const float* row_diagonal) const {
  expect(row_diagonal == nullptr || takes_row_diagonal(step_.kind),
         "a row addend goes with a multiplicative step");
  switch (step_.kind) {
    case StepKind::nonnegative_sweep:
      return kernels_.nonnegative_sweep(problem(cross, factor, row_diagonal));
    case StepKind::signed_sweep:
      return kernels_.signed_sweep(problem(cross, factor, row_diagonal));
    case StepKind::projected_gradient:
      return kernels_.projected_gradient(problem(cross, factor, row_diagonal));
    case StepKind::nonnegative_solve:
      return nonnegative_solve(cross, factor);
    case StepKind::multiplicative:
      return kernels_.multiplicative_update(problem(cross, factor, row_diagonal));
    case StepKind::sign_split:
      return kernels_.sign_split_update(problem(cross, factor, row_diagonal));
    case StepKind::solve:
      return solve(cross, factor);
    case StepKind::ratio:
      return expect(false, "a ratio step has denominators of its own");
    case StepKind::project:
      return project(cross, factor);
    case StepKind::solve_on_support:
      return solve_on_support(cross, factor);
    case StepKind::one_component:
      return one_component(cross, factor);
    case StepKind::cayley:
    case StepKind::unit_ball:
      return expect(false, "this step changes all rows at once");
    case StepKind::simplex:
    case StepKind::capped_simplex:
      return simplex_->improve(cross, factor, step_.sweeps);
    case StepKind::shifted_ascent:
      return shifted_ascent(cross, factor);
    case StepKind::product:
      for (Index i = 0; i < factor.rows; ++i) std::copy_n(cross.row(i), factor.cols, factor.row(i));
  }
}

void PreparedStep::project(HostView<const float> cross, HostView<float> factor) const {
  const double half_l1 = step_.l1 / 2;
  const double inverse = 1 / (1 + step_.l2);
  for (Index i = 0; i < cross.rows; ++i)
    for (Index j = 0; j < factor.cols; ++j)
      factor(i, j) = static_cast<float>(std::max(0.0, (cross(i, j) - half_l1) * inverse));
}

void PreparedStep::shifted_ascent(HostView<const float> cross, HostView<float> factor) const {
  const Index k = factor.cols;
  for (Index i = 0; i < factor.rows; ++i)
    for (Index j = 0; j < k; ++j)
      factor(i, j) = static_cast<float>(
          std::max(0.0, double{factor(i, j)} + cross(i, j) - normal_.gram()[j * (k + 1)]));
}

void PreparedStep::one_component(HostView<const float> cross, HostView<float> factor) const {
  const Index k = factor.cols;
  const auto diagonal = [&](Index j) { return normal_.gram()[j * (k + 1)]; };
  for (Index i = 0; i < factor.rows; ++i) {
    Index best = -1;
    double most = 0;
    for (Index j = 0; j < k; ++j) {
      const double c = cross(i, j);
      const double gain = c > 0 && diagonal(j) > 0 ? c * c / diagonal(j) : 0;
      if (!(gain > most)) continue;
      most = gain;
      best = j;
    }
    std::fill_n(factor.row(i), k, 0.0f);
    if (best >= 0) factor(i, best) = static_cast<float>(cross(i, best) / diagonal(best));
  }
}

void PreparedStep::solve_on_support(HostView<const float> cross, HostView<float> factor) const {
  const Index k = factor.cols;
  const std::vector<double>& N = normal_.gram();
  std::vector<Index> kept;
  for (Index i = 0; i < factor.rows; ++i) {
    stop_.check();
    kept.clear();
    for (Index j = 0; j < k; ++j)
      if (factor(i, j) != 0) kept.push_back(j);
    const auto m = static_cast<Index>(kept.size());
    std::vector<double> part(static_cast<std::size_t>(m * m));
    for (Index a = 0; a < m; ++a)
      for (Index b = 0; b < m; ++b) part[a * m + b] = N[kept[a] * k + kept[b]];
    const NormalMatrix of_row(part, m, 0, true);
    const auto r = static_cast<Index>(of_row.independent().size());
    std::vector<double> right(static_cast<std::size_t>(r));
    for (Index t = 0; t < r; ++t) {
      const Index a = of_row.independent()[t];
      right[t] = cross(i, kept[a]);
      for (const Index s : of_row.dependent())
        right[t] -= double{factor(i, kept[s])} * part[s * m + a];
    }
    solve_rows({of_row.cholesky().data(), r, r, r}, {right.data(), 1, r, r});
    for (Index t = 0; t < r; ++t)
      factor(i, kept[of_row.independent()[t]]) = static_cast<float>(right[t]);
  }
}

void PreparedStep::nonnegative_solve(HostView<const float> cross, HostView<float> factor) const {
  const Index k = factor.cols;
  const std::vector<double>& inverse_root = scaled_->inverse_root;
  std::vector<double> memory(static_cast<std::size_t>(2 * factor.rows * k));
  const HostView<double> B = {memory.data(), factor.rows, k, k};
  const HostView<double> V = {memory.data() + factor.rows * k, factor.rows, k, k};
  for (Index i = 0; i < factor.rows; ++i)
    for (Index j = 0; j < k; ++j) {
      if (inverse_root[j] == 0) continue;
      B(i, j) = (cross(i, j) - step_.l1 / 2) * inverse_root[j];
      V(i, j) = factor(i, j) / inverse_root[j];
    }
  BlockPivoting(kernels_, scaled_->entries, k, smallest_float32_pivot).solve(B, V, stop_);
  for (Index i = 0; i < factor.rows; ++i)
    for (Index j = 0; j < k; ++j) {
      if (inverse_root[j] > 0)
        factor(i, j) = static_cast<float>(V(i, j) * inverse_root[j]);
      else if (step_.l1 > 0)
        factor(i, j) = 0;  // only the penalty depends on it
    }
}

void PreparedStep::solve(HostView<const float> cross, HostView<float> factor) const {
  const auto m = static_cast<Index>(normal_.independent().size());
  std::vector<double> memory(static_cast<std::size_t>(cross.rows * m));
  const HostView<double> right = {memory.data(), cross.rows, m, m};
  independent_cross(cross, normal_, factor, right);
  std::vector<double> product(memory.size());
  const HostView<double> solved = {product.data(), cross.rows, m, m};
  multiply(right, HostView<const double>{inverse64_.data(), m, m, m}, solved);
  for (Index i = 0; i < solved.rows; ++i)
    for (Index t = 0; t < m; ++t)
      factor(i, normal_.independent()[t]) = static_cast<float>(solved(i, t));
}

}  // namespace gemmine::cpu
