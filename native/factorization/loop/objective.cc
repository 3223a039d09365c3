#include "factorization/loop/objective.h"

#include <algorithm>

namespace gemmine::objective {
namespace {

// Below this share of ‖X‖² the identity cancels: its error is about 1e-7·‖X‖², from the float32
// products in S and R.
constexpr double direct_share = 1e-2;
// This error assumes that rounding averages over many sums; with fewer sums than this, errors are
// measured directly from the start.
constexpr Index averaging_sums = 4096;

}  // namespace

bool starts_direct(Index d, Index k, double expected_share) {
  return expected_share < direct_share || d * k < averaging_sums;
}

bool cancels(double error, double squared_norm) { return error < direct_share * squared_norm; }

Measure next_measure(bool known, const LoopState& state) {
  if (known) return Measure::none;
  return state.direct ? Measure::direct : Measure::identity;
}

double incoming_error(const Input& input, const Sums& sums, Measure measure,
                      const std::vector<double>& column_gram) {
  if (measure == Measure::direct) return sums.incoming_residual;
  return std::max(
      0.0, input.squared_norm - 2 * sums.incoming_product + inner(sums.incoming_gram, column_gram));
}

void set(LoopState& state, Index t, double objective, bool measured) {
  if (t >= static_cast<Index>(state.objective.size())) {
    state.objective.resize(t + 1);
    state.measured.resize(t + 1);
  }
  state.objective[t] = objective;
  state.measured[t] = measured;
}

void record(LoopState& state, Index t, double objective, bool measured, double tolerance) {
  set(state, t, objective, measured);
  if (t == 0 || state.measured[t - 1] != state.measured[t]) return;
  const double previous = state.objective[t - 1];
  const bool still = previous == 0 || previous - objective < tolerance * previous;
  state.converged = state.converged || (tolerance > 0 && still);
}

void repeat(LoopState& state, Index t) {
  state.objective.resize(t + 1, state.objective[t - 1]);
  state.measured.resize(t + 1, state.measured[t - 1]);
}

double inner(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace gemmine::objective
