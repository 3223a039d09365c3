#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "factorization/codes.h"
#include "factorization/factors.h"
#include "factorization/hull_start.h"
#include "factorization/input.h"
#include "factorization/loop/alternate_by_own_normals.h"
#include "factorization/loop/alternate_by_ratios.h"
#include "factorization/loop/alternate_logistic.h"

namespace gemmine {
namespace {

// Exchanges of two components settle most rows long before.
constexpr Index simplex_sweeps = 1000;

// Each row by the component that explains most of it.
void choose_components(const Input& input, const Penalties&, BackendView<const float> Ht,
                       BackendView<float> W) {
  const NormalMatrix normal(input.backend.gram(Ht, input.job), W.cols, 0, false);
  input.improve(Ht, normal, step_of(StepKind::one_component, 0, 0, 1), W);
}

// Per read of X: further sweeps do not read X and are cheap compared with reading a file.
constexpr Index ratio_sweeps = 50;
constexpr Index most_reads = 200;
constexpr double least_gain = 1e-6;  // of the loss, per read

// Multiplicative steps from equal codes: D_β is convex in W for 1 <= β <= 2. A step goes to the
// minimum of a sum of convex terms of single elements, or less far: cut off at the bound it still
// lowers the sum.
void solve_codes_by_ratios(const Input& input, const Penalties& penalties,
                           BackendView<const float> Ht, BackendView<float> W) {
  Passes& backend = input.backend;
  const ColumnSums columns = backend.column_sums(Ht, input.job);
  const double sum = std::reduce(columns.absolute.begin(), columns.absolute.end());
  const double equal = sum > 0 ? input.mean * static_cast<double>(Ht.rows) / sum : 1;
  backend.shift(std::min(equal, penalties.upper_w), W, input.job);
  const NormalMatrix unused(std::vector<double>(W.cols * W.cols), W.cols, 0, false);
  const auto sums = backend.make_sums(Ht.rows, W.cols);
  Step step = ratio_step(input.loss, penalties.l1_w, penalties.l2_w, ratio_sweeps);
  step.upper = penalties.upper_w;
  const Group group{.Ht = Ht,
                    .normal = unused,
                    .step = step,
                    .W = W,
                    .measure = Measure::divergence,
                    .accumulate = false,
                    .sums = *sums};
  double before = std::numeric_limits<double>::infinity();
  for (Index read = 0; read < most_reads; ++read) {
    const double penalty = penalty_of(backend, W, penalties.l1_w, penalties.l2_w, input.job);
    backend.pass(
        {.X = input.X, .exponent = input.pass_exponent, .groups = {&group, 1}, .loss = input.loss},
        input.job);
    const double objective = sums->incoming_divergence + penalty;
    if (read > 0 && !(objective < before - least_gain * std::abs(before))) return;
    before = objective;
  }
}

// Steps of the logistic loss, which is convex in W, from W = 0. Columns of Ht are orthonormal.
void solve_codes_by_majorisers(const Input& input, const Penalties&, BackendView<const float> Ht,
                               BackendView<float> W) {
  const NormalMatrix unused(std::vector<double>(W.cols * W.cols), W.cols, 0, false);
  const auto sums = input.backend.make_sums(Ht.rows, W.cols);
  const Group group{.Ht = Ht,
                    .normal = unused,
                    .step = step_of(StepKind::project, 0, 0, ratio_sweeps),
                    .W = W,
                    .measure = Measure::divergence,
                    .accumulate = false,
                    .sums = *sums};
  double before = std::numeric_limits<double>::infinity();
  for (Index read = 0; read < most_reads; ++read) {
    input.pass(group, input.loss);
    if (read > 0 && !(sums->incoming_divergence < (1 - least_gain) * before)) return;
    before = sums->incoming_divergence;
  }
}

// Sweeps from zero codes, with the weights of the squares that bound the loss formed again before
// each read, for an H of any sign.
void solve_codes_by_own_normals(const Input& input, const Penalties& penalties,
                                BackendView<float> Ht, BackendView<float> W) {
  OwnNormals entries(input, W, Ht);
  const Step step = entries.step_of(StepKind::nonnegative_sweep, penalties.l1_w, penalties.l2_w,
                                    ratio_sweeps, penalties.upper_w);
  double before = std::numeric_limits<double>::infinity();
  for (Index read = 0; read < most_reads; ++read) {
    const double penalty = penalty_of(input.backend, W, penalties.l1_w, penalties.l2_w, input.job);
    const double objective = entries.read({.step = step, .measures = true}) + penalty;
    if (read > 0 && !(objective < before - least_gain * std::abs(before))) return;
    before = objective;
  }
}

}  // namespace

// Coordinate descent from W = 0 solves most rows; an active set solves the others.
constexpr Index sweeps = 64;

void solve_codes(const Input& input, const Penalties& penalties, BackendView<const float> Ht,
                 BackendView<float> W) {
  Passes& backend = input.backend;
  const NormalMatrix normal(backend.gram(Ht, input.job), W.cols, penalties.l2_w, false);
  const Step step = step_of(StepKind::nonnegative_sweep, penalties.l1_w, penalties.l2_w, sweeps,
                            penalties.upper_w);
  input.improve(Ht, normal, step, W);
  backend.settle_codes({.X = input.X,
                        .exponent = input.pass_exponent,
                        .Ht = Ht,
                        .normal = normal,
                        .l1 = step.l1,
                        .l2 = step.l2,
                        .upper = step.upper},
                       W, input.job);
}

TransformResult transform(Passes& backend, const RowSource& X, HostView<const float> H,
                          const TransformOptions& options, HostView<float> W, const Job& job) {
  const bool logistic = options.loss.kind == LossKind::logistic;
  const bool by_ratios = !logistic && options.loss.kind != LossKind::frobenius;
  const ScaledInput scaled_input(backend, {.X = X, .sign = sign_of(options.model, options.loss)},
                                 job, options.loss);
  const Input& input = *scaled_input;
  const int of_X = scaled_input.exponent();
  const auto components = dense_source(H.data, ElementType::float32, H.rows, H.cols, H.stride);
  components->argument = "H";
  const int exponent = backend.examine({.X = *components, .sign = EntrySign::any}, job).exponent;
  const int of_H = logistic ? 0 : exponent;  // log-odds have no scale
  const ModelRule rule = rule_of(options);
  const Exponents exponents = rule.sums_rows() ? Exponents{.X = of_X, .W = 0, .H = of_X}
                                               : Exponents{.X = of_X, .W = of_X - of_H, .H = of_H};
  const Penalties penalties = scaled({.l1_w = options.l1_w,
                                      .l2_w = options.l2_w,
                                      .l1_h = 0,
                                      .l2_h = 0,
                                      .upper_w = options.upper_w},
                                     exponents, degree_of(options.loss));

  HostMatrix<float> Ht(H.cols, H.rows);
  for (Index t = 0; t < H.cols; ++t)
    for (Index j = 0; j < H.rows; ++j) Ht(t, j) = std::ldexp(H(j, t), -exponents.H);
  const BackendMatrix other(backend, H.cols, H.rows);
  const BackendMatrix codes(backend, W.rows, W.cols);
  backend.upload(Ht.view(), other.view());
  const auto solve = logistic                           ? solve_codes_by_majorisers
                     : by_ratios                        ? solve_codes_by_ratios
                     : has_one_component(options.model) ? choose_components
                                                        : solve_codes;
  if (rule.sums_rows())
    code_from_middle(input, rule, simplex_sweeps, other.view(), codes.view());
  else if (by_ratios && sign_of(options.model) == EntrySign::any)
    solve_codes_by_own_normals(input, penalties, other.view(), codes.view());
  else
    solve(input, penalties, other.view(), codes.view());

  const double squared_error = logistic ? probability_error(input, codes.view(), other.view())
                                        : input.squared_error(codes.view(), other.view());
  backend.download(codes.view(), W);
  for (Index i = 0; i < W.rows; ++i)
    for (Index j = 0; j < W.cols; ++j) W(i, j) = std::ldexp(W(i, j), exponents.W);
  return {.relative_error =
              input.squared_norm > 0 ? std::sqrt(squared_error / input.squared_norm) : 0};
}

}  // namespace gemmine
