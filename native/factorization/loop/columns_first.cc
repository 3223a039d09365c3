#include "factorization/loop/columns_first.h"

#include <algorithm>
#include <cmath>

#include "factorization/loop/objective.h"
#include "factorization/loop/safeguard.h"

namespace gemmine {
namespace {

// Constants of the code of Shafran, Geiger & Geva, in units of the scaled X, whose largest entry is
// in [1, 2).
constexpr double ridge = 1e-6;          // added to WᵀW
constexpr double floor = 1e-6;          // added to the denominators of the row step
constexpr double smallest_norm = 1e-8;  // of a column of W

constexpr Index refit_sweeps = 16;  // of W; they do not read X

// ⌈share·count⌉, at least 1. With a share like 0.07 the rounded product may be slightly above an
// integer.
Index share_of(Index count, double share) {
  return std::max<Index>(1,
                         static_cast<Index>(std::ceil(share * static_cast<double>(count) - 1e-9)));
}

class ColumnsFirst {
 public:
  ColumnsFirst(const Input& input, const ModelRule& rule, const LoopOptions& options,
               const ColumnsFirstOptions& own, Checkpoints& checkpoints, Previous previous,
               LoopState& state, BackendView<float> W, BackendView<float> Ht)
      : input_(input),
        device_(input.backend),
        rule_(rule),
        options_(options),
        own_(own),
        checkpoints_(checkpoints),
        state_(state),
        k_(Ht.cols),
        kept_(share_of(Ht.rows, own.kept_share)),
        W_(W),
        Ht_(Ht),
        sums_(device_.make_sums(Ht.rows, Ht.cols)) {
    if (previous != nullptr) best_.keep(device_, previous->other_W, previous->other_Ht);
  }

  Alternated run() {
    // Forms S and R of the W of the start, or of the iteration before.
    read(std::nullopt);
    if (state_.iteration == 0) conclude(0);
    end_iteration();
    while (goes_on()) {
      const Index t = state_.worked = ++state_.iteration;
      update_columns();
      read(Step{.kind = rule_.row_step,
                .l1 = 2 * floor,
                .l2 = 0,
                .sweeps = options_.inner_sweeps,
                .relaxation = 1});
      conclude(t);
      input_.job.progress(options_.phase, t, options_.max_iterations,
                          state_.objective[t] * std::exp2(options_.objective_exponent));
      end_iteration();
    }
    return finish();
  }

 private:
  bool goes_on() const { return state_.iteration < options_.max_iterations && !state_.converged; }
  void end_iteration() {
    checkpoints_.at_end_of_iteration(state_, !goes_on(), W_, Ht_, {best_.W(), best_.Ht()});
  }

  void update_columns() {
    const std::vector<double>& R = sums_->gram;
    const Step step{.kind = rule_.column_step, .l1 = 0, .l2 = ridge, .sweeps = 1, .relaxation = 1};
    const std::vector<double> no_pull(static_cast<std::size_t>(k_));
    device_.improve(step, *sums_, NormalMatrix(R, k_, ridge, true), no_pull, Ht_, input_.job);
    device_.keep_largest(kept_, Ht_, input_.job);
    std::vector<double> norms(static_cast<std::size_t>(k_));
    std::vector<double> inverses(static_cast<std::size_t>(k_));
    for (Index j = 0; j < k_; ++j) {
      norms[j] = std::max(std::sqrt(R[j * (k_ + 1)]), smallest_norm);
      inverses[j] = 1 / norms[j];
    }
    device_.scale_columns(inverses, W_, input_.job);
    device_.scale_columns(norms, Ht_, input_.job);
  }

  void read(const std::optional<Step>& step) {
    column_gram_ = device_.gram(Ht_, input_.job);
    const NormalMatrix normal(column_gram_, k_, 0, false);
    const Group group{.Ht = Ht_,
                      .normal = normal,
                      .step = step,
                      .W = W_,
                      .measure = Measure::none,
                      .accumulate = true,
                      .sums = *sums_};
    input_.pass(group);
  }

  // Measures the pair after iteration t and keeps it if it is the best so far. The sums are those
  // of its W, so the identity holds; if it cancels, X is read once more.
  void conclude(Index t) {
    double error = identity_error(input_, *sums_, Ht_, column_gram_);
    state_.direct = state_.direct || objective::cancels(error, input_.squared_norm);
    if (state_.direct) error = input_.squared_error(W_, Ht_);
    objective::set(state_, t, error, state_.direct);
    if (safeguard::is_best(state_, options_.tolerance)) best_.keep(device_, W_, Ht_);
    state_.converged = options_.tolerance > 0 && t - state_.progressed >= own_.patience;
  }

  Alternated finish() {
    best_.restore(device_, W_, Ht_);
    double squared_error = input_.squared_error(W_, Ht_);
    objective::set(state_, state_.best, squared_error, true);
    if (own_.refit) {
      squared_error = refitted(squared_error);
      objective::set(state_, ++state_.worked, squared_error, true);
    }
    state_.row_gram = input_.gram_of_W(W_);
    return {.squared_error = squared_error};
  }

  // The error after a refit of the best pair, which stays if that error is not below its own.
  double refitted(double before) {
    input_.form_sums(W_, *sums_);
    const std::vector<double> no_pull(static_cast<std::size_t>(k_));
    const NormalMatrix of_W(sums_->gram, k_, 0, false);
    device_.improve(step_of(StepKind::solve_on_support, 0, 0, 1), *sums_, of_W, no_pull, Ht_,
                    input_.job);
    const NormalMatrix of_H(device_.gram(Ht_, input_.job), k_, 0, false);
    input_.improve(Ht_, of_H, step_of(StepKind::nonnegative_sweep, 0, 0, refit_sweeps), W_);
    const double after = input_.squared_error(W_, Ht_);
    if (after < before) return after;
    best_.restore(device_, W_, Ht_);
    return before;
  }

  const Input& input_;
  Passes& device_;
  const ModelRule& rule_;
  const LoopOptions& options_;
  const ColumnsFirstOptions& own_;
  Checkpoints& checkpoints_;
  LoopState& state_;
  const Index k_;
  const Index kept_;
  BackendView<float> W_;
  BackendView<float> Ht_;
  std::unique_ptr<Sums> sums_;
  std::vector<double> column_gram_;  // HtᵀHt [k×k]
  KeptPair best_;
};

}  // namespace

Alternated alternate_columns_first(const Input& input, const ModelRule& rule,
                                   const LoopOptions& options, const ColumnsFirstOptions& own,
                                   Checkpoints& checkpoints, Previous previous, LoopState& state,
                                   BackendView<float> W, BackendView<float> Ht) {
  return ColumnsFirst(input, rule, options, own, checkpoints, previous, state, W, Ht).run();
}

}  // namespace gemmine
