#include "factorization/loop/alternate_by_batches.h"

#include <algorithm>
#include <cmath>

#include "factorization/loop/objective.h"
#include "factorization/loop/safeguard.h"

namespace gemmine {
namespace {

// Iterations without a lower objective before the run ends, unless the tolerance is 0: one may
// rise.
constexpr Index patience = 2;

class BatchAlternation {
 public:
  BatchAlternation(const Input& input, const ModelRule& rule, const LoopOptions& options,
                   const BatchOptions& batches, Checkpoints& checkpoints, Previous previous,
                   LoopState& state, BackendView<float> W, BackendView<float> Ht)
      : input_(input),
        device_(input.backend),
        rule_(rule),
        options_(options),
        batches_(batches),
        checkpoints_(checkpoints),
        state_(state),
        k_(Ht.cols),
        W_(W),
        Ht_(Ht),
        sums_(device_.make_sums(Ht.rows, Ht.cols)) {
    expect(!options.extrapolated && options.graph == nullptr, "batches go without these");
    expect(batches.rows > 0, "a batch has rows");
    if (previous != nullptr) best_.keep(device_, previous->other_W, previous->other_Ht);
  }

  Alternated run() {
    read(std::nullopt, std::nullopt, 0);
    if (state_.iteration == 0) conclude(0);
    end_iteration();
    while (goes_on()) {
      const Index t = state_.worked = ++state_.iteration;
      read_batches(t);
      read(row_step(), std::nullopt, 0);
      conclude(t);
      input_.job.progress(options_.phase, t, options_.max_iterations,
                          state_.objective[t] * std::exp2(options_.objective_exponent));
      end_iteration();
    }
    return finish();
  }

 private:
  const Penalties& penalties() const { return options_.penalties; }
  bool goes_on() const { return state_.iteration < options_.max_iterations && !state_.converged; }
  void end_iteration() {
    checkpoints_.at_end_of_iteration(state_, !goes_on(), W_, Ht_, {best_.W(), best_.Ht()});
  }

  Step row_step() const {
    const Penalties& p = penalties();
    return step_of(rule_.row_step, p.l1_w, p.l2_w, options_.inner_sweeps, p.upper_w);
  }

  // The sums of all rows, or of some rows beside a share of the sums before.
  void read(const std::optional<Step>& step, const std::optional<RowRange>& rows, double retained) {
    column_gram_ = device_.gram(Ht_, input_.job);
    const NormalMatrix normal(column_gram_, k_, penalties().l2_w, false);
    const Group group{.Ht = Ht_,
                      .normal = normal,
                      .step = step,
                      .W = W_,
                      .measure = Measure::none,
                      .accumulate = true,
                      .sums = *sums_,
                      .retained = retained};
    input_.pass(group, frobenius_loss, rows);
  }

  // Before the first iteration the sums are those of a start: they are forgotten at once.
  void read_batches(Index t) {
    const auto n = static_cast<double>(input_.rows());
    double mass = t == 1 ? 0 : n;  // rows that the sums stand for
    for (Index begin = 0; begin < input_.rows(); begin += batches_.rows) {
      const RowRange rows{.begin = begin, .count = std::min(batches_.rows, input_.rows() - begin)};
      const auto count = static_cast<double>(rows.count);
      const double retained = mass == 0 ? 0 : std::pow(batches_.forget_factor, count / n);
      read(row_step(), rows, retained);
      mass = retained * mass + count;
      improve_columns(mass / n);
    }
  }

  // From sums that stand for `share` times the rows of X, so that penalties weigh as much.
  void improve_columns(double share) {
    const Penalties& p = penalties();
    const std::vector<double> pull =
        safeguard::proximal_pull(state_, sums_->gram, k_, rule_.solves());
    const double l2 = share * p.l2_h;
    const NormalMatrix normal(safeguard::with_diagonal(sums_->gram, pull), k_, l2, rule_.solves());
    const Step step =
        step_of(rule_.column_step, share * p.l1_h, l2, options_.inner_sweeps, p.upper_h);
    device_.improve(step, *sums_, normal, pull, Ht_, input_.job);
  }

  double penalty() const {
    const Penalties& p = penalties();
    return input_.penalty_of_W(W_, p.l1_w, p.l2_w) +
           penalty_of(device_, Ht_, p.l1_h, p.l2_h, input_.job);
  }

  // Measures the pair after iteration t, whose sums are those of all rows, and keeps it if it is
  // the best so far. If the identity cancels, X is read once more.
  void conclude(Index t) {
    double error = identity_error(input_, *sums_, Ht_, column_gram_);
    state_.direct = state_.direct || objective::cancels(error, input_.squared_norm);
    if (state_.direct) error = input_.squared_error(W_, Ht_);
    objective::set(state_, t, error + penalty(), state_.direct);
    if (safeguard::is_best(state_, options_.tolerance)) best_.keep(device_, W_, Ht_);
    state_.converged = options_.tolerance > 0 && t - state_.progressed >= patience;
  }

  Alternated finish() {
    best_.restore(device_, W_, Ht_);
    const double squared_error = input_.squared_error(W_, Ht_);
    objective::set(state_, state_.best, squared_error + penalty(), true);
    state_.row_gram = input_.gram_of_W(W_);
    return {.squared_error = squared_error};
  }

  const Input& input_;
  Passes& device_;
  const ModelRule& rule_;
  const LoopOptions& options_;
  const BatchOptions& batches_;
  Checkpoints& checkpoints_;
  LoopState& state_;
  const Index k_;
  BackendView<float> W_;
  BackendView<float> Ht_;
  std::unique_ptr<Sums> sums_;
  std::vector<double> column_gram_;  // HtᵀHt [k×k]
  KeptPair best_;
};

}  // namespace

Alternated alternate_by_batches(const Input& input, const ModelRule& rule,
                                const LoopOptions& options, const BatchOptions& batches,
                                Checkpoints& checkpoints, Previous previous, LoopState& state,
                                BackendView<float> W, BackendView<float> Ht) {
  return BatchAlternation(input, rule, options, batches, checkpoints, previous, state, W, Ht).run();
}

}  // namespace gemmine
