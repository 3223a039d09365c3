#include "backend/cpu/sweep_problem.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace gemmine::cpu {
namespace {

struct SweepMemory {
  std::vector<float> positive;
  std::vector<float> negative;
  std::vector<float> inverse;
  std::vector<float> scratch;
};

SweepMemory& sweep_memory() {
  thread_local SweepMemory memory;
  return memory;
}

// off(N_ij) beside the diagonal, on(N_jj) on it, in panels of columns. They are read as rows, N
// being symmetric.
template <class Off, class On>
const float* panels_of(const NormalMatrix& normal, Index padded, Off off, On on,
                       std::vector<float>& to) {
  const Index k = normal.size();
  const float* N = normal.gram32().data();
  to.assign(static_cast<std::size_t>(padded * padded), 0.0f);
  for (Index j = 0; j < k; ++j) {
    float* column = to.data() + j / sweep_panel * sweep_panel * padded + j % sweep_panel;
    for (Index i = 0; i < k; ++i) column[i * sweep_panel] = off(N[j * k + i]);
    column[j * sweep_panel] = static_cast<float>(on(normal.gram()[j * k + j]));
  }
  return to.data();
}

float itself(float x) { return x; }
float positive_part(float x) { return std::max(x, 0.0f); }
float negative_part(float x) { return std::max(-x, 0.0f); }
double zero(double) { return 0; }

SweepProblem problem_without_matrices(HostView<const float> cross, const StepOptions& options,
                                      HostView<float> factor) {
  SweepMemory& memory = sweep_memory();
  const Index padded = (factor.cols + sweep_panel - 1) / sweep_panel * sweep_panel;
  const auto needed = static_cast<std::size_t>(sweep_scratch(padded));
  if (memory.scratch.size() < needed) memory.scratch.resize(needed);
  return {.rows = factor.rows,
          .k = factor.cols,
          .padded = padded,
          .sweeps = options.sweeps,
          .half_l1 = static_cast<float>(options.l1 / 2),
          .relaxation = static_cast<float>(options.relaxation),
          .positive = nullptr,
          .negative = nullptr,
          .inverse = nullptr,
          .cross = cross.data,
          .cross_stride = cross.stride,
          .factor = factor.data,
          .factor_stride = factor.stride,
          .scratch = memory.scratch.data()};
}

}  // namespace

SweepProblem gauss_seidel_problem(HostView<const float> cross, const NormalMatrix& normal,
                                  const StepOptions& options, HostView<float> factor) {
  SweepProblem problem = problem_without_matrices(cross, options, factor);
  SweepMemory& memory = sweep_memory();
  problem.positive = panels_of(normal, problem.padded, itself, zero, memory.positive);
  memory.inverse.assign(static_cast<std::size_t>(problem.padded), 0.0f);
  for (Index j = 0; j < problem.k; ++j) {
    const double diagonal = normal.gram()[j * problem.k + j] + options.l2;
    const bool usable = diagonal >= double{std::numeric_limits<float>::min()};
    memory.inverse[j] = usable ? static_cast<float>(1.0 / diagonal) : 0.0f;
  }
  problem.inverse = memory.inverse.data();
  return problem;
}

SweepProblem multiplicative_problem(HostView<const float> cross, const NormalMatrix& normal,
                                    const StepOptions& options, HostView<float> factor) {
  SweepProblem problem = problem_without_matrices(cross, options, factor);
  const auto raised = [&](double x) { return x + options.l2; };
  problem.positive = panels_of(normal, problem.padded, itself, raised, sweep_memory().positive);
  return problem;
}

SweepProblem sign_split_problem(HostView<const float> cross, const NormalMatrix& normal,
                                const StepOptions& options, HostView<float> factor) {
  SweepProblem problem = problem_without_matrices(cross, options, factor);
  SweepMemory& memory = sweep_memory();
  const auto raised = [&](double x) { return x + options.l2; };
  problem.positive = panels_of(normal, problem.padded, positive_part, raised, memory.positive);
  problem.negative = panels_of(normal, problem.padded, negative_part, zero, memory.negative);
  return problem;
}

}  // namespace gemmine::cpu
