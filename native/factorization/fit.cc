#include "factorization/fit.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "factorization/fit_warnings.h"
#include "factorization/hull_start.h"
#include "factorization/loop/alternate.h"
#include "factorization/loop/alternate_by_batches.h"
#include "factorization/loop/alternate_by_own_normals.h"
#include "factorization/loop/alternate_by_ratios.h"
#include "factorization/loop/alternate_logistic.h"
#include "factorization/loop/columns_first.h"
#include "factorization/loop/combinations.h"
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
  const double of_W = std::ldexp(1.0, exponents.W + shift);  // W is rounded once, as by ldexp
  for (Index i = 0; i < W.rows; ++i)
    for (float& w : std::span(W.row(i), W.cols)) w = static_cast<float>(of_W * w);
}

// Returns whether the rows of a factor have no normal matrix in common: entries may be excluded, or
// rows have different weights and their codes a penalty. mu then takes a denominator for each
// element.
bool has_own_terms(const FitOptions& options) {
  const Penalties& p = options.penalties;
  const bool penalised = p.l1_w > 0 || p.l2_w > 0 || p.graph > 0;
  if (options.loss.kind == LossKind::logistic) return false;
  return options.loss.kind != LossKind::frobenius || !options.mask.all_pass() ||
         (!options.row_weights.empty() && penalised);
}

// Orthonormal rows of H, and those in the unit ball, have a fixed scale, and so have codes of rows
// of X or of their hull, and columns of W of length 1.
Exponents exponents_of(int exponent, const FitOptions& options, const ModelRule& rule) {
  if (rule.fixes_columns()) return {.X = exponent, .W = exponent, .H = 0};
  if (is_hull(rule) || rule.one_component) return {.X = exponent, .W = 0, .H = exponent};
  return split_exponent(exponent, options.penalties);
}

// Codes of rows of H of length 1 are as long as the rows of X, whose lengths may exceed float32
// although their entries do not.
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

// A component for columns of W of length 1 is as long as the columns of X, whose lengths may exceed
// float32 although their entries do not.
void check_range_of_components(Passes& device, const RowSource& X, HostView<const float> W,
                               HostView<const float> H, const Job& job) {
  for (Index j = 0; j < H.rows; ++j)
    for (Index t = 0; t < H.cols; ++t) {
      if (std::isfinite(H(j, t))) continue;
      Index largest = 0;
      for (Index i = 1; i < W.rows; ++i)
        if (W(i, j) > W(largest, j)) largest = i;
      std::vector<double> row(X.cols());
      device.read_rows(X, {&largest, 1}, job).take(0, 1, row);
      throw InvalidEntry(X.argument, largest, t, row[t],
                         "columns whose length is a float32, as that of the components");
    }
}

// A factor takes the scale that a bound of the other one refuses.
void check_unbounded(const Penalties& bounds, HostView<const float> W, HostView<const float> H) {
  const auto wanted = [](const std::string& other) {
    return "a bound so large that the entries of " + other + " are float32 numbers";
  };
  if (!is_finite(H)) throw InvalidElement("upperW", bounds.upper_w, wanted("H"));
  if (!is_finite(W)) throw InvalidElement("upperH", bounds.upper_h, wanted("W"));
}

// A penalty on one factor alone is evaded by shrinking this factor while the other one grows.
void check_penalised_range(const Penalties& p, HostView<const float> W, HostView<const float> H) {
  const auto check = [](const char* l1, const char* l2, double of_l1, double of_l2,
                        const std::string& other, HostView<const float> grown) {
    if ((of_l1 == 0 && of_l2 == 0) || is_finite(grown)) return;
    throw InvalidElement(of_l2 > 0 ? l2 : l1, of_l2 > 0 ? of_l2 : of_l1,
                         "a weight so small, or beside a penalty on " + other +
                             ", that the entries of " + other + " are float32 numbers");
  };
  check("l1W", "l2W", p.l1_w, p.l2_w, "H", H);
  check("l1H", "l2H", p.l1_h, p.l2_h, "W", W);
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

Alternated run_loop(const Input& input, const FitOptions& options, const ModelRule& rule,
                    const LoopOptions& loop, Checkpoints& checkpoints, Previous previous,
                    LoopState& state, BackendView<float> W, BackendView<float> Ht,
                    BackendView<float> combinations) {
  if (rule.components == Components::rows) return code_rows_of_X(input, state, W, Ht);
  if (rule.components == Components::combinations)
    return alternate_combinations(input, rule, loop, options.hull.relaxation, checkpoints, previous,
                                  state, W, Ht, combinations);
  if (!rule.monotone)
    return alternate_columns_first(
        input, rule, loop,
        {.kept_share = options.kept_share, .patience = options.patience, .refit = options.refit},
        checkpoints, previous, state, W, Ht);
  if (options.loss.kind == LossKind::logistic)
    return alternate_logistic(input, loop, checkpoints, state, W, Ht);
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
        rule_(rule_of(options)),
        exponents_(exponents_of(scaled_input.exponent(), options, rule_)),
        degree_(degree_of(options.loss)),
        penalties_(scaled(options.penalties, exponents_, degree_)),
        scaled_W_(input_.backend, W.rows, W.cols),
        scaled_Ht_(input_.backend, H.cols, H.rows),
        combinations_(input_.backend, W.rows,
                      rule_.components == Components::combinations ? 2 * W.cols : 0),
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
    if (!options_.tries_svd || !has_settled(first.state) ||
        !svd_may_leave_less(input_, scaled_W_.view(), scaled_Ht_.view(), first.state.row_gram,
                            first.end.squared_error, options_.seed))
      return result;
    // Checkpoints hold only the first attempt; a resumed run computes the second one again.
    const Attempt second = started(Start::svd, nowhere, "iterate from svd");
    if (!(second.state.objective.back() < first.state.objective.back())) return result;
    return handed_back(second, Start::svd);
  }

 private:
  // The estimate for a second start would otherwise see codes that are still on their way.
  static bool has_settled(const LoopState& state) {
    constexpr Index fewest = 10;
    return state.converged || state.iteration >= fewest;
  }

  // Whether iterations may raise the objective, so that the best pair is handed back.
  bool keeps_best() const { return !rule_.monotone || options_.batch_rows > 0; }

  Attempt started(Start start, const CheckpointOptions& checkpoint, const char* phase) {
    FitOptions options = options_;
    options.start = start;
    double share = 1;
    if (is_hull(rule_))
      anchors_ = start_from_rows(input_, options, rule_, B(), scaled_W_.view(), scaled_Ht_.view());
    else if (start == Start::given)
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
    const bool has_more =
        options_.extrapolated || keeps_best() || rule_.components == Components::combinations;
    const ResumedRun from = read_checkpoint(options_.resume->file, W_.rows, H_.cols, H_.rows,
                                            options_.resume->objectives, has_more);
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
                           .keeps_columns = options_.keeps_columns,
                           .phase = phase,
                           .volume = volume_of(input_, options_.hull)};
    // A run with checkpoints stops only at the end of an iteration.
    Job job = input_.job;
    if (!checkpoint.path.empty()) job.cancellation = job.cancellation.until_end_of_iteration();
    const Input input = input_.with_job(job);
    Checkpoints checkpoints(input, checkpoint);
    const Alternated end = run_loop(input, options_, rule_, loop, checkpoints, previous, state,
                                    scaled_W_.view(), scaled_Ht_.view(), combinations_.view());
    return {std::move(state), end};
  }

  // Writes the factors to the caller's memory, where a better pair may overwrite them later.
  Convergence handed_back(const Attempt& attempt, Start start) {
    const auto& [state, run] = attempt;
    const Penalties& own = options_.penalties;
    if (rule_.one_component) to_unit_columns();
    const bool fixed =
        any(own) || bounds(own) || rule_.fixes_columns() || rule_.one_component || is_hull(rule_);
    hand_back(input_.backend, exponents_, fixed, scaled_W_.view(), scaled_Ht_.view(), W_, H_);
    hand_back_combinations(input_.backend, B(), options_.hull.A);
    if (bounds(own)) check_unbounded(own, W_, H_);
    if (any(own)) check_penalised_range(own, W_, H_);
    if (rule_.fixes_columns()) check_range(input_.backend, X_, W_, input_.job);
    if (rule_.one_component) check_range_of_components(input_.backend, X_, W_, H_, input_.job);
    const auto iterations = static_cast<Index>(state.objective.size()) - 1;
    Convergence result{.objective = state.objective,
                       .iterations = iterations,
                       .converged = state.converged,
                       .relative_error = 0,
                       .start = start,
                       .warnings = {},
                       .anchors = anchors_};
    for (double& value : result.objective) value *= std::exp2(degree_ * exponents_.X);
    const Penalties& p = options_.penalties;
    if (any(p) && !has_own_terms(options_))  // of the returned factors: tiny entries may be 0
      result.objective[keeps_best() ? state.best : iterations] =
          std::ldexp(run.squared_error, 2 * exponents_.X) +
          input_.penalty_of_W(W_, p.l1_w, p.l2_w) + penalty_of(H_, p.l1_h, p.l2_h) +
          graph_penalty();
    if (input_.squared_norm > 0)
      result.relative_error = std::sqrt(run.squared_error / input_.squared_norm);
    if (!rule_.unit_ball) warn_of_one_side(p, result.warnings);
    warn_of_given_zeros(options_, result.warnings);
    if (is_correntropy(options_.loss))
      warn_of_outliers(options_.loss, loss_of_entries(result.objective.back()), weight_of_all(),
                       result.warnings);
    warn_of_standstill(state.worked, iterations, result.warnings);
    warn_of_spare(options_, state.iteration > 0 ? state.row_gram : std::vector<double>(),
                  input_.backend.gram(scaled_Ht_.view(), input_.job), input_.squared_norm, W_.cols,
                  result.warnings);
    return result;
  }

  // The objective without penalties.
  double loss_of_entries(double objective) const {
    const Penalties& p = options_.penalties;
    return objective - input_.penalty_of_W(W_, p.l1_w, p.l2_w) - penalty_of(H_, p.l1_h, p.l2_h);
  }

  // The weight of all rows, or of the entries seen, each of which a correntropy counts at most σ².
  double weight_of_all() const {
    if (!is_of_rows(options_.loss)) return input_.entry_weight;
    if (input_.row_weights.empty()) return static_cast<double>(input_.all_rows);
    double all = std::reduce(input_.row_weights.begin(), input_.row_weights.end(), 0.0);
    input_.ranks.allreduce({&all, 1});
    return all;
  }

  // Columns of W take length 1, and rows of H the scale; an unused component stays as it is.
  void to_unit_columns() {
    const std::vector<double> squares = input_.column_sums_of_W(scaled_W_.view()).square;
    std::vector<double> lengths(squares.size(), 1.0);
    std::vector<double> inverses(squares.size(), 1.0);
    for (std::size_t j = 0; j < squares.size(); ++j) {
      if (squares[j] == 0) continue;
      lengths[j] = std::sqrt(squares[j]);
      inverses[j] = 1 / lengths[j];
    }
    input_.backend.scale_columns(inverses, scaled_W_.view(), input_.job);
    input_.backend.scale_columns(lengths, scaled_Ht_.view(), input_.job);
  }

  // λ/2·Σ_ij A_ij ‖w_i − w_j‖² of the codes that are handed back.
  double graph_penalty() const {
    if (!graph_) return 0;
    return options_.penalties.graph / 2 *
           input_.backend.spread(*options_.adjacency, W_, input_.job);
  }

  // [n×k] with Ht = XᵀB, for components that are combinations of rows; else no columns.
  BackendView<float> B() const {
    const BackendView<float> both = combinations_.view();
    return {both.cols > 0 ? both.data : nullptr, both.rows, both.cols / 2, both.stride};
  }

  const RowSource& X_;
  const Input& input_;
  const FitOptions& options_;
  const ModelRule rule_;
  const Exponents exponents_;
  const double degree_;        // the objective is proportional to this power of X
  const Penalties penalties_;  // of the scaled factors
  std::optional<GraphTerm> graph_;
  BackendMatrix scaled_W_;
  BackendMatrix scaled_Ht_;
  BackendMatrix combinations_;
  std::vector<Index> anchors_;
  HostView<float> W_;
  HostView<float> H_;
};

}  // namespace

Examined examined(const RowSource& X, const FitOptions& options) {
  return {.X = X,
          .sign = options.hull.normalised ? EntrySign::nonnegative
                                          : sign_of(options.model, options.loss),
          .mask = options.mask,
          .row_weights = options.row_weights};
}

Convergence fit(Passes& backend, const RowSource& X, const FitOptions& options, HostView<float> W,
                HostView<float> H, const Job& job, Communicator& ranks, SharedReads* shared) {
  if (ranks.size() > 1) expect_splits(options, X.rows());
  check_weights(options.row_weights, ranks);
  const ScaledInput scaled_input(backend, examined(X, options), job, options.loss, ranks, shared);
  return Fitting(X, scaled_input, options, W, H).run();
}

}  // namespace gemmine
