#include "factorization/fit.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "factorization/loop/alternate.h"
#include "factorization/loop/alternate_by_batches.h"
#include "factorization/loop/alternate_by_own_normals.h"
#include "factorization/loop/alternate_by_ratios.h"
#include "factorization/loop/columns_first.h"
#include "factorization/loop/reseeding.h"
#include "factorization/second_start.h"
#include "factorization/starts.h"

namespace gemmine {
namespace {

int exponent_of_largest(const HostMatrix<float>& A) {
  float largest = 0;
  for (Index i = 0; i < A.rows(); ++i)
    for (Index j = 0; j < A.cols(); ++j) largest = std::max(largest, std::abs(A(i, j)));
  return largest > 0 ? std::ilogb(largest) : 0;
}

// Undoes the scaling, exactly. If the scale may be shared freely between the factors, the largest
// entry of H' is scaled to [1, 2), so that H has the magnitude of X and stays in range.
void hand_back(Passes& backend, const Exponents& exponents, bool fixed, BackendView<float> scaled_W,
               BackendView<float> scaled_Ht, HostView<float> W, HostView<float> H) {
  const HostMatrix<float> Ht = downloaded(backend, scaled_Ht);
  const int shift = fixed ? 0 : exponent_of_largest(Ht);
  for (Index j = 0; j < H.rows; ++j)
    for (Index t = 0; t < H.cols; ++t) H(j, t) = std::ldexp(Ht(t, j), exponents.H - shift);
  backend.download(scaled_W, W);
  const int of_W = exponents.W + shift;
  for (Index i = 0; of_W != 0 && i < W.rows; ++i)
    for (Index j = 0; j < W.cols; ++j) W(i, j) = std::ldexp(W(i, j), of_W);
}

void warn_of_one_side(const Penalties& p, std::vector<std::string>& warnings) {
  const bool on_W = p.l1_w > 0 || p.l2_w > 0 || p.graph > 0;
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

// Returns whether the rows of a factor have no normal matrix in common: entries may be excluded, or
// rows have different weights and their codes a penalty. mu then takes a denominator for each
// element.
bool has_own_terms(const FitOptions& options) {
  const Penalties& p = options.penalties;
  const bool penalised = p.l1_w > 0 || p.l2_w > 0 || p.graph > 0;
  return options.loss.kind != LossKind::frobenius || !options.mask.all_pass() ||
         (!options.row_weights.empty() && penalised);
}

// If the step cannot leave a zero: what to do, as the end of a sentence. hals takes no loss but
// squares and what they bound, and no graph.
std::string other_ways(const FitOptions& options, const std::string& way) {
  const bool has_hals = find_rule(options.model, Solver::hals) &&
                        is_bounded_by_squares(options.loss) && options.adjacency == nullptr;
  return has_hals ? way + ", or use hals." : way + ".";
}

struct Zeros {
  Index count = 0;
  Index row = 0;  // of the first one
  Index column = 0;
};

Zeros zeros_of(HostView<const float> factor) {
  Zeros zeros;
  for (Index i = 0; i < factor.rows; ++i)
    for (Index j = 0; j < factor.cols; ++j)
      if (factor(i, j) == 0 && zeros.count++ == 0) {
        zeros.row = i;
        zeros.column = j;
      }
  return zeros;
}

// Multiplicative steps keep the zeros of factors that the caller gives.
void warn_of_given_zeros(const FitOptions& options, std::vector<std::string>& warnings) {
  const ModelRule& rule = rule_for(options.model, options.solver);
  if (options.start != Start::given || rule.leaves_zeros) return;
  const auto warn = [&](HostView<const float> factor, const char* argument) {
    if (factor.data == nullptr) return;
    const Zeros zeros = zeros_of(factor);
    if (zeros.count == 0) return;
    warnings.push_back(std::string(argument) + " has " + std::to_string(zeros.count) +
                       (zeros.count == 1 ? " zero, at row " : " zeros, the first at row ") +
                       std::to_string(zeros.row) + ", column " + std::to_string(zeros.column) +
                       ": mu leaves " + (zeros.count == 1 ? "it" : "them") + " at zero; " +
                       other_ways(options, "give small positive numbers"));
  };
  warn(options.given_W, "init.W");
  if (!rule.columns_free) warn(options.given_H, "init.H");
}

// If rounding prevented all further steps, the result still has the requested number of iterations,
// and a warning.
void warn_of_standstill(Index worked, Index iterations, std::vector<std::string>& warnings) {
  if (worked >= iterations) return;
  warnings.push_back("Rounding let no iteration after the first " + std::to_string(worked) +
                     " lower the objective: the others were not computed, so a rate counted over "
                     "all " +
                     std::to_string(iterations) + " of them is too high.");
}

// Warns of components without a part in W H, or, for H of any sign, with codes that depend on
// others.
void warn_of_spare(const FitOptions& options, const std::vector<double>& row_gram,
                   const std::vector<double>& column_gram, double squared_norm, Index k,
                   std::vector<std::string>& warnings) {
  if (row_gram.empty() || squared_norm == 0) return;
  const std::vector<bool> dead = dead_components(row_gram, column_gram, squared_norm);
  const Index unused = std::count(dead.begin(), dead.end(), true);
  // If the step cannot leave a zero, unused components do not mean that the rank is too high.
  const std::string remedy =
      rule_for(options.model, options.solver).leaves_zeros
          ? "a smaller rank would do."
          : other_ways(options,
                       "mu cannot bring one back that reached zero: try another init or seed");
  if (unused > 0) warnings.push_back(components(unused, k) + " have no part in the fit; " + remedy);
  if (options.model != Model::semi_nmf || options.penalties.l1_h > 0 || options.penalties.l2_h > 0)
    return;
  const NormalMatrix normal(row_gram, k, 0, true);
  const auto dependent = static_cast<Index>(normal.dependent().size());
  if (dependent > unused)
    warnings.push_back("The codes of " + components(dependent, k) +
                       " depend linearly on the others, so that H is not determined; a weight "
                       "l2 on both factors or a smaller rank would settle it.");
}

// Orthonormal rows of H have a fixed scale.
Exponents exponents_of(int exponent, const FitOptions& options) {
  if (rule_for(options.model, options.solver).orthonormal)
    return {.X = exponent, .W = exponent, .H = 0};
  return split_exponent(exponent, options.penalties);
}

// Codes of orthonormal rows are as long as the rows of X, whose lengths may exceed float32 although
// their entries do not.
void check_range(Passes& device, const RowSource& X, HostView<const float> W, const Job& job) {
  for (Index i = 0; i < W.rows; ++i)
    for (Index j = 0; j < W.cols; ++j) {
      if (std::isfinite(W(i, j))) continue;
      std::vector<double> row(X.cols());
      device.read_rows(X, {&i, 1}, job).take(0, 1, row);
      const Index largest =
          std::ranges::max_element(row, {}, [](double x) { return std::abs(x); }) - row.begin();
      throw InvalidEntry(X.argument, i, largest, row[largest],
                         "rows whose length is a float32, as that of their codes");
    }
}

bool is_finite(HostView<const float> factor) {
  for (Index i = 0; i < factor.rows; ++i)
    for (Index j = 0; j < factor.cols; ++j)
      if (!std::isfinite(factor(i, j))) return false;
  return true;
}

// A factor takes the scale that a bound of the other one refuses.
void check_unbounded(const Penalties& bounds, HostView<const float> W, HostView<const float> H) {
  const auto wanted = [](const std::string& other) {
    return "a bound so large that the entries of " + other + " are float32 numbers";
  };
  if (!is_finite(H)) throw InvalidElement("upperW", bounds.upper_w, wanted("H"));
  if (!is_finite(W)) throw InvalidElement("upperH", bounds.upper_h, wanted("W"));
}

// What a run of several ranks needs beyond sums over rows, see fit.h.
void expect_splits(const FitOptions& options, Index rows) {
  expect(rows > 0, "every rank has rows");
  expect(options.start == Start::random || options.start == Start::given,
         "ranks start from random or given factors");
  expect(options.checkpoint.path.empty() && !options.resume, "ranks write no checkpoints");
  expect(!options.tries_svd, "ranks try one start");
  expect(options.batch_rows == 0, "batches are those of one rank");
  expect(options.adjacency == nullptr, "a graph has the rows of one rank");
  expect(!bounds(options.penalties), "ranks bound no factor");
  expect(options.mask.held_out == 0, "rows of held-out entries count from the first of X");
}

// Throws InvalidEntry for an invalid weight, or if all weights are 0.
void check_weights(std::span<const float> weights, Communicator& ranks) {
  double counts = weights.empty() ? 1 : 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (!(weights[i] >= 0 && std::isfinite(weights[i])))
      throw InvalidEntry("sampleWeight", static_cast<Index>(i), 0, weights[i],
                         "a finite number of at least 0");
    if (weights[i] > 0) counts = 1;
  }
  ranks.allreduce({&counts, 1});
  if (counts == 0) throw InvalidEntry("sampleWeight", 0, 0, 0, "a weight above 0 in some row");
}

Alternated run_loop(const Input& input, const FitOptions& options, const LoopOptions& loop,
                    Checkpoints& checkpoints, Previous previous, LoopState& state,
                    BackendView<float> W, BackendView<float> Ht) {
  const ModelRule& rule = rule_for(options.model, options.solver);
  if (!rule.monotone)
    return alternate_columns_first(input, rule, loop,
                                   {.kept_share = options.kept_share, .patience = options.patience},
                                   checkpoints, previous, state, W, Ht);
  if (options.batch_rows > 0)
    return alternate_by_batches(
        input, rule, loop, {.rows = options.batch_rows, .forget_factor = options.forget_factor},
        checkpoints, previous, state, W, Ht);
  if (has_own_terms(options)) {
    if (options.solver == Solver::mu)
      return alternate_by_ratios(input, loop, checkpoints, previous, state, W, Ht);
    return alternate_by_own_normals(input, rule, loop, checkpoints, previous, state, W, Ht);
  }
  return alternate(input, rule, loop, checkpoints, previous, state, W, Ht);
}

// A complete run from one start.
struct Attempt {
  LoopState state;
  Alternated end;
};

const CheckpointOptions nowhere{.path = "", .seconds = 0, .metadata = ""};

// State of the factorization of one X.
class Fitting {
 public:
  Fitting(const RowSource& X, const ScaledInput& scaled_input, const FitOptions& options,
          HostView<float> W, HostView<float> H)
      : X_(X),
        input_(*scaled_input),
        options_(options),
        rule_(rule_for(options.model, options.solver)),
        exponents_(exponents_of(scaled_input.exponent(), options)),
        degree_(degree_of(options.loss)),
        penalties_(scaled(options.penalties, exponents_, degree_)),
        scaled_W_(input_.backend, W.rows, W.cols),
        scaled_Ht_(input_.backend, H.cols, H.rows),
        W_(W),
        H_(H) {
    if (options.adjacency != nullptr)
      graph_.emplace(input_.backend, *options.adjacency, penalties_.graph, W.cols, input_.job);
  }

  Convergence run() {
    if (!options_.resume) input_.job.progress("initialise", 0, 1);
    const Attempt first =
        options_.resume ? resumed() : started(options_.start, options_.checkpoint, "iterate");
    Convergence result = handed_back(first, options_.start);
    if (!options_.tries_svd ||
        !svd_may_leave_less(input_, scaled_W_.view(), scaled_Ht_.view(), first.state.row_gram,
                            first.end.squared_error, options_.seed))
      return result;
    // Checkpoints hold only the first attempt; a resumed run computes the second one again.
    const Attempt second = started(Start::svd, nowhere, "iterate from svd");
    if (!(second.state.objective.back() < first.state.objective.back())) return result;
    return handed_back(second, Start::svd);
  }

 private:
  // Whether iterations may raise the objective, so that the best pair is handed back.
  bool keeps_best() const { return !rule_.monotone || options_.batch_rows > 0; }

  Attempt started(Start start, const CheckpointOptions& checkpoint, const char* phase) {
    FitOptions options = options_;
    options.start = start;
    double share = 1;
    if (start == Start::given)
      start_given(input_, options, exponents_, penalties_, scaled_W_.view(), scaled_Ht_.view());
    else
      share = start_factors(input_, options, scaled_W_.view(), scaled_Ht_.view());
    if (start != Start::given) {
      balance(input_, penalties_, scaled_W_.view(), scaled_Ht_.view());
      keep_below(input_, penalties_, scaled_W_.view(), scaled_Ht_.view());
    }
    return attempt(start_state(H_.cols, H_.rows, penalties_, share), checkpoint, nullptr, phase);
  }

  Attempt resumed() {
    const ResumedRun from =
        read_checkpoint(options_.resume->file, W_.rows, H_.cols, H_.rows,
                        options_.resume->objectives, options_.extrapolated || keeps_best());
    input_.backend.upload(from.W.view(), scaled_W_.view());
    input_.backend.upload(from.Ht.view(), scaled_Ht_.view());
    return attempt(from.state, options_.checkpoint, &from, "iterate");
  }

  Attempt attempt(LoopState state, const CheckpointOptions& checkpoint, Previous previous,
                  const char* phase) {
    const LoopOptions loop{.max_iterations = options_.max_iterations,
                           .tolerance = options_.tolerance,
                           .inner_sweeps = options_.inner_sweeps,
                           .extrapolated = options_.extrapolated,
                           .penalties = penalties_,
                           .objective_exponent = degree_ * exponents_.X,
                           .seed = options_.seed,
                           .graph = graph_ ? &*graph_ : nullptr,
                           .phase = phase};
    // A run with checkpoints stops only at the end of an iteration.
    Job job = input_.job;
    if (!checkpoint.path.empty()) job.cancellation = job.cancellation.until_end_of_iteration();
    const Input input = input_.with_job(job);
    Checkpoints checkpoints(input, checkpoint);
    const Alternated end = run_loop(input, options_, loop, checkpoints, previous, state,
                                    scaled_W_.view(), scaled_Ht_.view());
    return {std::move(state), end};
  }

  // Writes the factors to the caller's memory, where a better pair may overwrite them later.
  Convergence handed_back(const Attempt& attempt, Start start) {
    const auto& [state, run] = attempt;
    const Penalties& own = options_.penalties;
    const bool fixed = any(own) || bounds(own) || rule_.orthonormal;
    hand_back(input_.backend, exponents_, fixed, scaled_W_.view(), scaled_Ht_.view(), W_, H_);
    if (bounds(own)) check_unbounded(own, W_, H_);
    if (rule_.orthonormal) check_range(input_.backend, X_, W_, input_.job);
    const auto iterations = static_cast<Index>(state.objective.size()) - 1;
    Convergence result{.objective = state.objective,
                       .iterations = iterations,
                       .converged = state.converged,
                       .relative_error = 0,
                       .start = start,
                       .warnings = {}};
    for (double& value : result.objective) value *= std::exp2(degree_ * exponents_.X);
    const Penalties& p = options_.penalties;
    if (any(p) && !has_own_terms(options_))  // of the returned factors: tiny entries may be 0
      result.objective[keeps_best() ? state.best : iterations] =
          std::ldexp(run.squared_error, 2 * exponents_.X) +
          input_.penalty_of_W(W_, p.l1_w, p.l2_w) + penalty_of(H_, p.l1_h, p.l2_h) +
          graph_penalty();
    if (input_.squared_norm > 0)
      result.relative_error = std::sqrt(run.squared_error / input_.squared_norm);
    warn_of_one_side(p, result.warnings);
    warn_of_given_zeros(options_, result.warnings);
    warn_of_standstill(state.worked, iterations, result.warnings);
    warn_of_spare(options_, state.iteration > 0 ? state.row_gram : std::vector<double>(),
                  input_.backend.gram(scaled_Ht_.view(), input_.job), input_.squared_norm, W_.cols,
                  result.warnings);
    return result;
  }

  // λ/2·Σ_ij A_ij ‖w_i − w_j‖² of the codes that are handed back.
  double graph_penalty() const {
    if (!graph_) return 0;
    return options_.penalties.graph / 2 *
           input_.backend.spread(*options_.adjacency, W_, input_.job);
  }

  const RowSource& X_;
  const Input& input_;
  const FitOptions& options_;
  const ModelRule& rule_;
  const Exponents exponents_;
  const double degree_;        // the objective is proportional to this power of X
  const Penalties penalties_;  // of the scaled factors
  std::optional<GraphTerm> graph_;
  BackendMatrix scaled_W_;
  BackendMatrix scaled_Ht_;
  HostView<float> W_;
  HostView<float> H_;
};

}  // namespace

Examined examined(const RowSource& X, const FitOptions& options) {
  return {.X = X,
          .sign = sign_of(options.model, options.loss),
          .mask = options.mask,
          .row_weights = options.row_weights};
}

Convergence fit(Passes& backend, const RowSource& X, const FitOptions& options, HostView<float> W,
                HostView<float> H, const Job& job, Communicator& ranks) {
  if (ranks.size() > 1) expect_splits(options, X.rows());
  check_weights(options.row_weights, ranks);
  const ScaledInput scaled_input(backend, examined(X, options), job, options.loss, ranks);
  return Fitting(X, scaled_input, options, W, H).run();
}

}  // namespace gemmine
