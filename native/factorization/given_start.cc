#include <algorithm>
#include <cmath>

#include "factorization/loop/alternate_by_own_normals.h"
#include "factorization/loop/alternate_by_ratios.h"
#include "factorization/model.h"
#include "factorization/starts.h"

namespace gemmine {
namespace {

// Enough sweeps for a missing factor to fit the given one.
constexpr Index sweeps_of_missing = 32;

void check(Passes& backend, HostView<const float> factor, const char* argument, EntrySign sign,
           double upper, const Job& job) {
  const auto source =
      dense_source(factor.data, ElementType::float32, factor.rows, factor.cols, factor.stride);
  source->argument = argument;
  backend.examine({.X = *source, .sign = sign}, job);
  for (Index i = 0; i < factor.rows; ++i)
    for (Index j = 0; j < factor.cols; ++j)
      if (factor(i, j) > upper)
        throw InvalidEntry(argument, i, j, factor(i, j),
                           "a number of at most the upper bound of the factor");
}

HostMatrix<float> scaled_by(HostView<const float> from, int exponent, bool transposed) {
  HostMatrix<float> to(transposed ? from.cols : from.rows, transposed ? from.rows : from.cols);
  for (Index i = 0; i < from.rows; ++i)
    for (Index j = 0; j < from.cols; ++j)
      (transposed ? to(j, i) : to(i, j)) = std::ldexp(from(i, j), exponent);
  return to;
}

// Fills the missing factor without zeros, which a step might not leave, with a magnitude that fits
// the given factor, which has `rows` rows, and at most `upper`.
void fill_missing(const Input& input, const ColumnSums& given, Index rows, double upper,
                  BackendView<float> missing) {
  double square = 0;
  for (const double column : given.square) square += column;
  const auto entries = static_cast<double>(input.all_rows) * static_cast<double>(input.cols());
  const double root = std::sqrt(input.squared_norm / entries);
  const double mean = std::sqrt(square / static_cast<double>(rows * missing.cols));
  const double size = mean > 0 ? root / (mean * static_cast<double>(missing.cols)) : 1;
  const std::vector<double> zeros(static_cast<std::size_t>(missing.cols));
  input.backend.scale_columns(zeros, missing, input.job);
  input.backend.shift(std::min(size > 0 ? size : 1, upper), missing, input.job);
}

// Computes W by the row step for a given H, or H by the column step for a given W.
class MissingFactor {
 public:
  MissingFactor(const Input& input, const FitOptions& options, const Penalties& penalties,
                BackendView<float> W, BackendView<float> Ht)
      : input_(input),
        rule_(rule_for(options.model, options.solver)),
        by_ratios_(options.loss.kind != LossKind::frobenius || !options.mask.all_pass()),
        by_own_normals_(by_ratios_ && options.solver != Solver::mu),
        penalties_(penalties),
        W_(W),
        Ht_(Ht),
        sums_(input.backend.make_sums(Ht.rows, Ht.cols)) {}

  void find_W() {
    fill_missing(input_, input_.backend.column_sums(Ht_, input_.job), Ht_.rows, penalties_.upper_w,
                 W_);
    if (by_own_normals_) return find_W_by_own_normals();
    if (by_ratios_) return pass_by_entry(sweeps_of_missing);
    const NormalMatrix normal(input_.backend.gram(Ht_, input_.job), Ht_.cols, penalties_.l2_w,
                              false);
    input_.read(Ht_, normal,
                step_of(rule_.row_step, penalties_.l1_w, penalties_.l2_w, sweeps_of_missing,
                        penalties_.upper_w),
                W_, Measure::none, *sums_);
  }

  void find_Ht() {
    fill_missing(input_, input_.column_sums_of_W(W_), input_.all_rows, penalties_.upper_h, Ht_);
    if (by_own_normals_) return find_Ht_by_own_normals();
    if (by_ratios_) return find_Ht_by_entry();
    input_.form_sums(W_, *sums_);
    const NormalMatrix normal(sums_->gram, Ht_.cols, penalties_.l2_h, rule_.solves());
    const std::vector<double> no_pull(static_cast<std::size_t>(Ht_.cols));
    input_.backend.improve(step_of(rule_.column_step, penalties_.l1_h, penalties_.l2_h,
                                   sweeps_of_missing, penalties_.upper_h),
                           *sums_, normal, no_pull, Ht_, input_.job);
  }

 private:
  void find_W_by_own_normals() {
    OwnNormals entries(input_, W_, Ht_);
    entries.read({.step = entries.step_of(rule_.row_step, penalties_.l1_w, penalties_.l2_w,
                                          sweeps_of_missing, penalties_.upper_w)});
  }
  void find_Ht_by_own_normals() {
    OwnNormals entries(input_, W_, Ht_);
    entries.read({.step = std::nullopt, .accumulates = true});
    entries.improve_columns(entries.step_of(rule_.column_step, penalties_.l1_h, penalties_.l2_h,
                                            sweeps_of_missing, penalties_.upper_h),
                            0);
  }

  Step ratio(double l1, double l2, Index sweeps) const {
    return ratio_step(input_.loss, l1, l2, sweeps);
  }

  // With sweeps, improves W; without, only forms the sums for H.
  void pass_by_entry(Index sweeps) {
    const NormalMatrix unused(std::vector<double>(Ht_.cols * Ht_.cols), Ht_.cols, 0, false);
    const Group group{.Ht = Ht_,
                      .normal = unused,
                      .step = sweeps > 0
                                  ? std::optional(ratio(penalties_.l1_w, penalties_.l2_w, sweeps))
                                  : std::nullopt,
                      .W = W_,
                      .measure = Measure::none,
                      .accumulate = true,
                      .sums = *sums_,
                      .mask = input_.mask};
    input_.pass(group, by_entry(input_.loss));
  }

  // Each ratio step of H needs a new V, and hence a read of X.
  void find_Ht_by_entry() {
    constexpr Index reads = 8;
    for (Index t = 0; t < reads; ++t) {
      pass_by_entry(0);
      input_.backend.improve_by_ratio(ratio(penalties_.l1_h, penalties_.l2_h, 1), *sums_, Ht_,
                                      input_.job);
    }
  }

  const Input& input_;
  const ModelRule& rule_;
  const bool by_ratios_;  // terms of every element
  const bool by_own_normals_;
  const Penalties& penalties_;
  BackendView<float> W_;
  BackendView<float> Ht_;
  std::unique_ptr<Sums> sums_;
};

}  // namespace

void start_given(const Input& input, const FitOptions& options, const Exponents& exponents,
                 const Penalties& penalties, BackendView<float> W, BackendView<float> Ht) {
  MissingFactor missing(input, options, penalties, W, Ht);
  if (options.given_W.data != nullptr) {
    check(input.backend, options.given_W, "init.W", EntrySign::nonnegative,
          options.penalties.upper_w, input.job);
    input.backend.upload(scaled_by(options.given_W, -exponents.W, false).view(), W);
  }
  if (options.given_H.data != nullptr) {
    check(input.backend, options.given_H, "init.H", sign_of(options.model),
          options.penalties.upper_h, input.job);
    input.backend.upload(scaled_by(options.given_H, -exponents.H, true).view(), Ht);
  }
  if (options.given_W.data == nullptr) missing.find_W();
  if (options.given_H.data == nullptr) missing.find_Ht();
}

}  // namespace gemmine
