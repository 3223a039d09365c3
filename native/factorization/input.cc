#include "factorization/input.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <numeric>

#include "factorization/factors.h"

namespace gemmine {
namespace {

// Beyond these exponents Ht·2^-exponent or a sum over a block could exceed the range of float32.
constexpr int largest_pass_exponent = 60;

// A residual of a row that is shorter than this share of the root mean square length of the rows of
// X is not weighed by its inverse length, which is mostly rounding. It is positive, also for an X
// of zeros.
constexpr double shortest_share = 0x1p-20;
constexpr double least_length = 0x1p-60;

// Where entries are larger than this multiple of s, by Σx²/Σx, a negative binomial loss takes the
// steps for large entries: docs/math/deviances.md.
constexpr double large_entry = 2;

// A residual this small beside the largest entry of X is rounding of float32, and weights formed
// from smaller ones would vanish in it.
constexpr double least_residual = 1e-20;

void check_residual(const Loss& given, double scaled) {
  const bool huber = given.kind == LossKind::huber;
  const bool kernel =
      given.kind == LossKind::correntropy || given.kind == LossKind::row_correntropy;
  if ((huber || kernel) && scaled < least_residual)
    throw InvalidElement(huber ? "delta" : "bandwidth", given.parameter,
                         "a number of at least 1e-20 of the largest entry of X");
}

bool needs_rescaling(int exponent) { return std::abs(exponent) > largest_pass_exponent; }

// Sums the terms that a pass with this measure forms.
void sum_measure(Communicator& ranks, Measure measure, Sums& sums) {
  switch (measure) {
    case Measure::none:
      return;
    case Measure::identity:
      ranks.allreduce(sums.incoming_gram);
      return ranks.allreduce({&sums.incoming_product, 1});
    case Measure::direct:
    case Measure::exact:
      return ranks.allreduce({&sums.incoming_residual, 1});
    case Measure::divergence:
      return ranks.allreduce({&sums.incoming_divergence, 1});
  }
}

// Measurements of the rows of all ranks.
SourceNorm over_ranks(Communicator& ranks, SourceNorm norm) {
  constexpr double unknown = std::numeric_limits<double>::lowest();  // the exponent of zeros
  const bool zeros = norm.squared_norm == 0 && norm.exponent == 0;
  const double own[] = {zeros ? unknown : norm.exponent, norm.smallest};
  const std::vector<double> all = ranks.allgather(own);
  double exponent = unknown;
  for (std::size_t i = 0; i < all.size(); i += 2) {
    exponent = std::max(exponent, all[i]);
    norm.smallest = std::min(norm.smallest, all[i + 1]);
  }
  if (exponent != unknown && !zeros) {
    const int shift = norm.exponent - static_cast<int>(exponent);
    norm.squared_norm = std::ldexp(norm.squared_norm, 2 * shift);
    norm.sum = std::ldexp(norm.sum, shift);
  }
  if (exponent != unknown) norm.exponent = static_cast<int>(exponent);
  double sums[] = {norm.squared_norm, norm.sum, norm.count, norm.weight};
  ranks.allreduce(sums);
  norm.squared_norm = sums[0];
  norm.sum = sums[1];
  norm.count = sums[2];
  norm.weight = sums[3];
  return norm;
}

}  // namespace

Input Input::with_job(const Job& other) const {
  return {.backend = backend,
          .X = X,
          .pass_exponent = pass_exponent,
          .squared_norm = squared_norm,
          .mean = mean,
          .job = other,
          .loss = loss,
          .mask = mask,
          .row_weights = row_weights,
          .entry_weight = entry_weight,
          .ranks = ranks,
          .first_row = first_row,
          .all_rows = all_rows,
          .shared = shared};
}

void Input::run(const Pass& pass) const {
  if (shared != nullptr)
    shared->pass(pass, job);
  else
    backend.pass(pass, job);
}

void Input::pass(const Group& group, const Loss& of_entries,
                 const std::optional<RowRange>& rows) const {
  run({.X = X,
       .exponent = pass_exponent,
       .groups = {&group, 1},
       .loss = of_entries,
       .row_weights = row_weights,
       .rows = rows});
  sum_measure(ranks, group.measure, group.sums);
  if (!group.accumulate) return;
  ranks.allreduce(group.sums.gram);
  backend.sum_over_ranks(group.sums, ranks);
}

void Input::read(BackendView<const float> Ht, const NormalMatrix& normal, const Step& step,
                 BackendView<float> W, Measure measure, Sums& sums,
                 const std::optional<Extrapolated>& extrapolated,
                 const std::optional<RowAddend>& addend) const {
  const Group group{.Ht = Ht,
                    .normal = normal,
                    .step = step,
                    .W = W,
                    .measure = measure,
                    .accumulate = true,
                    .sums = sums,
                    .extrapolated = extrapolated,
                    .addend = addend};
  pass(group);
}

void Input::improve(BackendView<const float> Ht, const NormalMatrix& normal, const Step& step,
                    BackendView<float> W) const {
  const auto none = backend.make_sums(0, Ht.cols);
  const Group group{.Ht = Ht,
                    .normal = normal,
                    .step = step,
                    .W = W,
                    .measure = Measure::none,
                    .accumulate = false,
                    .sums = *none};
  run({.X = X, .exponent = pass_exponent, .groups = {&group, 1}});
}

void Input::form_sums(BackendView<float> W, Sums& sums) const {
  const BackendMatrix no_H(backend, sums.d, sums.k);
  const NormalMatrix unused(std::vector<double>(sums.k * sums.k), sums.k, 0, false);
  const Group group{.Ht = no_H.view(),
                    .normal = unused,
                    .step = std::nullopt,
                    .W = W,
                    .measure = Measure::none,
                    .accumulate = true,
                    .sums = sums};
  pass(group);
}

void Input::multiply(BackendView<const float> Ht, BackendView<float> to) const {
  const NormalMatrix unused(std::vector<double>(Ht.cols * Ht.cols), Ht.cols, 0, false);
  improve(Ht, unused, step_of(StepKind::product, 0, 0, 1), to);
}

double Input::squared_error(BackendView<float> W, BackendView<const float> Ht) const {
  // In products of few elements the rounding errors of float32 do not average out; such small
  // products are fast in float64.
  constexpr Index most_exact_products = Index{1} << 20;
  const bool exact = mask.all_pass() && all_rows * Ht.rows <= most_exact_products / Ht.cols;
  const std::vector<double> gram =  // no term of an exact measure
      exact ? std::vector<double>(Ht.cols * Ht.cols) : backend.gram(Ht, job);
  const NormalMatrix normal(gram, Ht.cols, 0, false);
  const auto sums = backend.make_sums(0, Ht.cols);
  const Group group{.Ht = Ht,
                    .normal = normal,
                    .step = std::nullopt,
                    .W = W,
                    .measure = exact ? Measure::exact : Measure::direct,
                    .accumulate = false,
                    .sums = *sums,
                    .mask = mask};
  pass(group, mask.all_pass() ? frobenius_loss : by_entry(frobenius_loss));
  return sums->incoming_residual;
}

std::vector<double> Input::gram_of_W(BackendView<const float> W) const {
  std::vector<double> gram =
      row_weights.empty() ? backend.gram(W, job) : backend.weighted_gram(W, row_weights, job);
  ranks.allreduce(gram);
  return gram;
}

ColumnSums Input::column_sums_of_W(BackendView<const float> W) const {
  ColumnSums sums = backend.column_sums(W, job);
  ranks.allreduce(sums.absolute);
  ranks.allreduce(sums.square);
  return sums;
}

double Input::penalty_of_W(BackendView<const float> W, double l1, double l2) const {
  return l1 == 0 && l2 == 0 ? 0 : penalty_of(column_sums_of_W(W), l1, l2);
}

double Input::penalty_of_W(HostView<const float> W, double l1, double l2) const {
  double penalty = penalty_of(W, l1, l2);
  ranks.allreduce({&penalty, 1});
  return penalty;
}

ScaledInput::ScaledInput(Passes& backend, const Examined& examined, const Job& job,
                         const Loss& loss, Communicator& ranks, SharedReads* shared)
    : ScaledInput(backend, examined, over_ranks(ranks, backend.examine(examined, job)), job, loss,
                  ranks, shared) {}

ScaledInput::ScaledInput(Passes& backend, const Examined& examined, const SourceNorm& norm,
                         const Job& job, const Loss& loss, Communicator& ranks, SharedReads* shared)
    : exponent_(norm.exponent),
      rescaled_(needs_rescaling(norm.exponent) ? rescaled(examined.X, -norm.exponent) : nullptr),
      resident_(backend.resident(rescaled_ ? *rescaled_ : examined.X, job)),
      input_{.backend = backend,
             .X = resident_   ? *resident_
                  : rescaled_ ? *rescaled_
                              : examined.X,
             .pass_exponent = rescaled_ ? 0 : norm.exponent,
             .squared_norm = norm.squared_norm,
             .mean = norm.count > 0 ? norm.sum / norm.count : 0,
             .job = job,
             .loss = scaled(loss, norm.exponent),
             .mask = examined.mask,
             .row_weights = examined.row_weights,
             .entry_weight = norm.weight,
             .ranks = ranks,
             .shared = shared} {
  const double own = static_cast<double>(input_.rows());
  const std::vector<double> rows = ranks.allgather({&own, 1});
  const auto before = rows.begin() + ranks.rank();
  input_.first_row = static_cast<Index>(std::accumulate(rows.begin(), before, 0.0));
  input_.all_rows = static_cast<Index>(std::accumulate(rows.begin(), rows.end(), 0.0));
  check_residual(loss, input_.loss.parameter);
  const double size = norm.sum > 0 ? norm.squared_norm / norm.sum : 0;
  if (loss.kind == LossKind::negative_binomial && size > large_entry * input_.loss.parameter)
    input_.loss.beta = 0;
  if (loss.kind != LossKind::row_length) return;
  const double mean_square = norm.squared_norm / static_cast<double>(input_.all_rows);
  input_.loss.parameter = std::max(shortest_share * std::sqrt(mean_square), least_length);
}

ScaledInput::~ScaledInput() = default;

Exponents split_exponent(int exponent, const Penalties& p) {
  constexpr int lowest_of_H = -124;
  const auto below = [](double bound) { return bound < 1 ? std::ilogb(bound) : 0; };
  const int plain = std::min(below(p.upper_w), exponent - lowest_of_H);
  const bool bounds_H_alone = p.upper_h < unbounded && p.upper_w == unbounded;
  const int W = bounds_H_alone         ? exponent - below(p.upper_h)
                : any(p) && !bounds(p) ? exponent / 2
                                       : plain;
  return {.X = exponent, .W = W, .H = exponent - W};
}

namespace {

// A bound beyond float32 bounds nothing.
double scaled_bound(double bound, int exponent) {
  const double scaled = std::ldexp(bound, -exponent);
  return scaled > std::numeric_limits<float>::max() ? unbounded : scaled;
}

}  // namespace

Penalties scaled(const Penalties& p, const Exponents& e, double degree) {
  const double of_loss = degree * e.X;
  return {.l1_w = p.l1_w * std::exp2(e.W - of_loss),
          .l2_w = p.l2_w * std::exp2(2 * e.W - of_loss),
          .l1_h = p.l1_h * std::exp2(e.H - of_loss),
          .l2_h = p.l2_h * std::exp2(2 * e.H - of_loss),
          .graph = p.graph * std::exp2(2 * e.W - of_loss),
          .upper_w = scaled_bound(p.upper_w, e.W),
          .upper_h = scaled_bound(p.upper_h, e.H)};
}

double identity_error(const Input& input, const Sums& sums, BackendView<const float> Ht,
                      const std::vector<double>& column_gram) {
  double error = input.squared_norm - 2 * input.backend.inner(sums, Ht, input.job);
  for (std::size_t i = 0; i < column_gram.size(); ++i) error += sums.gram[i] * column_gram[i];
  return error;
}

void copy_sums(const Input& input, const Sums& sums, BackendView<float> to) {
  const auto k = static_cast<std::size_t>(to.cols);
  const NormalMatrix unused(std::vector<double>(k * k), to.cols, 0, false);
  const std::vector<double> no_pull(k);
  input.backend.improve(step_of(StepKind::product, 0, 0, 1), sums, unused, no_pull, to, input.job);
}

Step step_of(StepKind kind, double l1, double l2, Index sweeps, double upper) {
  constexpr double largest = 1e30;
  constexpr double relaxation = 1.3;  // docs/decisions/0009
  // With a soft threshold, least squares has no closed form.
  if (kind == StepKind::solve && l1 > 0) kind = StepKind::signed_sweep;
  return {.kind = kind,
          .l1 = std::min(l1, largest),
          .l2 = std::min(l2, largest),
          .sweeps = sweeps,
          .relaxation = relaxation,
          .upper = upper};
}

double penalty_of(Passes& backend, BackendView<const float> factor, double l1, double l2,
                  const Job& job) {
  return l1 == 0 && l2 == 0 ? 0 : penalty_of(backend.column_sums(factor, job), l1, l2);
}

double penalty_of(const ColumnSums& sums, double l1, double l2) {
  return l1 * std::accumulate(sums.absolute.begin(), sums.absolute.end(), 0.0) +
         l2 * std::accumulate(sums.square.begin(), sums.square.end(), 0.0);
}

double penalty_of(HostView<const float> factor, double l1, double l2) {
  double sum = 0;
  double squares = 0;
  for (Index i = 0; i < factor.rows; ++i)
    for (Index j = 0; j < factor.cols; ++j) {
      const double value = factor(i, j);
      sum += std::abs(value);
      squares += value * value;
    }
  return l1 * sum + l2 * squares;
}

}  // namespace gemmine
