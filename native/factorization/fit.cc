#include "factorization/fit.h"

#include <algorithm>
#include <cmath>

#include "factorization/loop/alternate.h"
#include "factorization/loop/alternate_by_ratios.h"
#include "factorization/loop/reseeding.h"
#include "factorization/starts.h"

namespace gemmine {
namespace {

int exponent_of_largest(const HostMatrix<float>& A) {
  float largest = 0;
  for (Index i = 0; i < A.rows(); ++i)
    for (Index j = 0; j < A.cols(); ++j) largest = std::max(largest, std::abs(A(i, j)));
  return largest > 0 ? std::ilogb(largest) : 0;
}

// Undoes the scaling, exactly. Without penalties the factors may share the scale in any way: the
// largest entry of H' is brought into [1, 2), so that H is as large as X and stays in range.
void hand_back(Passes& backend, const Exponents& exponents, bool penalised,
               BackendView<float> scaled_W, BackendView<float> scaled_Ht, HostView<float> W,
               HostView<float> H) {
  const HostMatrix<float> Ht = downloaded(backend, scaled_Ht);
  const int shift = penalised ? 0 : exponent_of_largest(Ht);
  for (Index j = 0; j < H.rows; ++j)
    for (Index t = 0; t < H.cols; ++t) H(j, t) = std::ldexp(Ht(t, j), exponents.H - shift);
  backend.download(scaled_W, W);
  const int of_W = exponents.W + shift;
  for (Index i = 0; of_W != 0 && i < W.rows; ++i)
    for (Index j = 0; j < W.cols; ++j) W(i, j) = std::ldexp(W(i, j), of_W);
}

void warn_of_one_side(const Penalties& p, std::vector<std::string>& warnings) {
  const bool on_W = p.l1_w > 0 || p.l2_w > 0;
  const bool on_H = p.l1_h > 0 || p.l2_h > 0;
  if (on_W == on_H) return;
  const std::string one = on_W ? "W" : "H";
  const std::string other = on_W ? "H" : "W";
  warnings.push_back("The penalty on " + one + " alone can be evaded by shrinking " + one +
                     " while " + other + " grows; give l1 or l2 of " + other + " a weight too.");
}

std::string components(Index count, Index k) {
  return std::to_string(count) + " of " + std::to_string(k) + " components";
}

// A run that rounding keeps from every further step reports what was asked, and says so.
void warn_of_standstill(Index worked, Index iterations, std::vector<std::string>& warnings) {
  if (worked >= iterations) return;
  warnings.push_back("Rounding let no iteration after the first " + std::to_string(worked) +
                     " lower the objective: the others were not computed, so a rate counted over "
                     "all " +
                     std::to_string(iterations) + " of them is too high.");
}

// Components that ended up without a part in W H, or, for free H, as copies of others.
void warn_of_spare(const FitOptions& options, const std::vector<double>& row_gram,
                   const std::vector<double>& column_gram, double squared_norm, Index k,
                   std::vector<std::string>& warnings) {
  if (row_gram.empty() || squared_norm == 0) return;
  const std::vector<bool> dead = dead_components(row_gram, column_gram, squared_norm);
  const Index unused = std::count(dead.begin(), dead.end(), true);
  if (unused > 0)
    warnings.push_back(components(unused, k) +
                       " have no part in the fit; a smaller rank would do.");
  if (options.model != Model::semi_nmf || options.penalties.l1_h > 0 || options.penalties.l2_h > 0)
    return;
  const NormalMatrix normal(row_gram, k, 0, true);
  const auto dependent = static_cast<Index>(normal.dependent().size());
  if (dependent > unused)
    warnings.push_back("The codes of " + components(dependent, k) +
                       " depend linearly on the others, so that H is not determined; a weight "
                       "l2 on both factors or a smaller rank would settle it.");
}

Examined examined(const RowSource& X, const FitOptions& options) {
  const bool divides = options.loss.kind == LossKind::divergence && options.loss.beta <= 0;
  return {.X = X,
          .sign = divides ? EntrySign::positive : sign_of(options.model),
          .mask = options.mask,
          .row_weights = options.row_weights};
}

// Whether elements need denominators of their own: entries may be left out, or rows weigh
// differently beside a penalty on their codes.
bool takes_ratios(const FitOptions& options) {
  const bool penalised = options.penalties.l1_w > 0 || options.penalties.l2_w > 0;
  return options.loss.kind == LossKind::divergence || !options.mask.all_pass() ||
         (!options.row_weights.empty() && penalised);
}

}  // namespace

Convergence fit(Passes& backend, const RowSource& X, const FitOptions& options, HostView<float> W,
                HostView<float> H, const Job& job) {
  const ScaledInput scaled_input(backend, examined(X, options), job, options.loss);
  const Input& input = *scaled_input;
  const Exponents exponents = split_exponent(scaled_input.exponent(), options.penalties);
  const double degree = options.loss.kind == LossKind::frobenius ? 2 : options.loss.beta;
  const Penalties penalties = scaled(options.penalties, exponents, degree);

  const BackendMatrix scaled_W(backend, W.rows, W.cols);
  const BackendMatrix scaled_Ht(backend, H.cols, H.rows);
  job.progress("initialise", 0, 1);
  const double share = start_factors(input, options, scaled_W.view(), scaled_Ht.view());
  balance(input, penalties, scaled_W.view(), scaled_Ht.view());
  LoopState state = start_state(H.cols, H.rows, penalties, share);
  const LoopOptions loop{.max_iterations = options.max_iterations,
                         .tolerance = options.tolerance,
                         .inner_sweeps = options.inner_sweeps,
                         .extrapolated = options.extrapolated,
                         .penalties = penalties,
                         .objective_exponent = degree * exponents.X,
                         .seed = options.seed};
  const Alternated run =
      takes_ratios(options)
          ? alternate_by_ratios(input, loop, state, scaled_W.view(), scaled_Ht.view())
          : alternate(input, rule_for(options.model, options.solver), loop, state, scaled_W.view(),
                      scaled_Ht.view());

  hand_back(backend, exponents, any(options.penalties), scaled_W.view(), scaled_Ht.view(), W, H);
  for (double& value : state.objective) value *= std::exp2(degree * exponents.X);
  const Penalties& p = options.penalties;
  if (any(p) && !takes_ratios(options))  // of the factors handed back: tiny entries may be gone
    state.objective.back() = std::ldexp(run.squared_error, 2 * exponents.X) +
                             penalty_of(W, p.l1_w, p.l2_w) + penalty_of(H, p.l1_h, p.l2_h);
  const auto iterations = static_cast<Index>(state.objective.size()) - 1;
  Convergence result{.objective = std::move(state.objective),
                     .iterations = iterations,
                     .converged = state.converged,
                     .relative_error = 0,
                     .warnings = {}};
  if (input.squared_norm > 0)
    result.relative_error = std::sqrt(run.squared_error / input.squared_norm);
  warn_of_one_side(options.penalties, result.warnings);
  warn_of_standstill(state.worked, iterations, result.warnings);
  warn_of_spare(options, run.row_gram, backend.gram(scaled_Ht.view(), job), input.squared_norm,
                W.cols, result.warnings);
  return result;
}

}  // namespace gemmine
