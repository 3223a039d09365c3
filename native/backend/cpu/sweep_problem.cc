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

// N with `diagonal` added to its diagonal, in a zeroed [padded×padded], each entry through `part`.
template <class Part>
const float* padded_copy(const NormalMatrix& normal, Index padded, double diagonal, Part part,
                         std::vector<float>& to) {
  const Index k = normal.size();
  to.assign(static_cast<std::size_t>(padded * padded), 0.0f);
  for (Index i = 0; i < k; ++i) {
    for (Index j = 0; j < k; ++j) to[i * padded + j] = part(normal.gram32()[i * k + j], i == j);
    to[i * padded + i] += static_cast<float>(diagonal);
  }
  return to.data();
}

SweepProblem problem_without_matrices(HostView<const float> cross, const StepOptions& options,
                                      HostView<float> factor) {
  SweepMemory& memory = sweep_memory();
  const Index padded = (factor.cols + 3) / 4 * 4;
  const auto needed = static_cast<std::size_t>(sweep_scratch(padded));
  if (memory.scratch.size() < needed) memory.scratch.resize(needed);
  return {.rows = factor.rows,
          .k = factor.cols,
          .padded = padded,
          .sweeps = options.sweeps,
          .half_l1 = static_cast<float>(options.l1 / 2),
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
  problem.positive =
      padded_copy(normal, problem.padded, 0.0,
                  [](float x, bool on_diagonal) { return on_diagonal ? 0.0f : x; }, memory.positive);
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
  problem.positive = padded_copy(normal, problem.padded, options.l2,
                                 [](float x, bool) { return x; }, sweep_memory().positive);
  return problem;
}

SweepProblem sign_split_problem(HostView<const float> cross, const NormalMatrix& normal,
                                const StepOptions& options, HostView<float> factor) {
  SweepProblem problem = problem_without_matrices(cross, options, factor);
  SweepMemory& memory = sweep_memory();
  problem.positive =
      padded_copy(normal, problem.padded, options.l2,
                  [](float x, bool) { return std::max(x, 0.0f); }, memory.positive);
  problem.negative =
      padded_copy(normal, problem.padded, 0.0, [](float x, bool) { return std::max(-x, 0.0f); },
                  memory.negative);
  return problem;
}

}  // namespace gemmine::cpu
