#include "factorization/loop/alternate.h"

#include <algorithm>
#include <cmath>

#include "factorization/loop/acceleration.h"
#include "factorization/loop/objective.h"
#include "factorization/loop/reseeding.h"
#include "factorization/loop/safeguard.h"

namespace gemmine {
namespace {

// With a smaller share only rounding can raise the objective.
constexpr double least_extrapolation = 1e-3;

class Alternation {
 public:
  Alternation(const Input& input, const ModelRule& rule, const LoopOptions& options,
              Checkpoints& checkpoints, Previous previous, LoopState& state, BackendView<float> W,
              BackendView<float> Ht)
      : input_(input),
        device_(input.backend),
        rule_(rule),
        options_(options),
        checkpoints_(checkpoints),
        state_(state),
        k_(Ht.cols),
        W_(W),
        Ht_(Ht),
        sums_(device_.make_sums(Ht.rows, Ht.cols)),
        before_columns_(device_, Ht.rows, Ht.cols),
        column_gram_(device_.gram(Ht, input.job)),
        reseeding_(input, rule, options.penalties.upper_h, options.seed) {
    expect(rule.monotone, "a model that is not monotone keeps its best pair");
    if (options.graph != nullptr) options.graph->follow(W, input.job);
    if (!options.extrapolated) return;
    acceleration_.emplace(input, state, rule, options.penalties, W, Ht);
    if (previous != nullptr) acceleration_->resume(previous->other_W, previous->other_Ht);
  }

  Alternated run() {
    if (options_.volume && state_.volume_weight < 0)
      state_.volume_weight = volume_weight(*options_.volume, input_.squared_error(W_, Ht_),
                                           log_volume(column_gram_, k_, options_.volume->offset));
    end_iteration();
    while (goes_on()) {
      reseed();
      const Index t = ++state_.iteration;
      iterate(t);
      end_iteration();
    }
    const double squared_error = input_.squared_error(W_, Ht_);
    record(state_.iteration, squared_error + row_penalty() + column_penalty(), true);
    return {.squared_error = squared_error};
  }

 private:
  const Penalties& penalties() const { return options_.penalties; }
  // An iteration that may raise the objective is measured before the next one begins.
  bool measures_at_once() const { return state_.guarded || acceleration_; }
  double row_penalty() const {
    return input_.penalty_of_W(W_, penalties().l1_w, penalties().l2_w) +
           (options_.graph != nullptr ? options_.graph->penalty(W_, input_.job) : 0);
  }
  double column_penalty() const {
    return penalty_of(device_, Ht_, penalties().l1_h, penalties().l2_h, input_.job) +
           volume_penalty();
  }
  // Of the Ht of column_gram_.
  double volume_penalty() const {
    if (!options_.volume) return 0;
    return state_.volume_weight * log_volume(column_gram_, k_, options_.volume->offset);
  }
  bool goes_on() const { return state_.iteration < options_.max_iterations && !state_.converged; }
  void end_iteration() {
    const OtherPair previous =
        acceleration_ ? OtherPair{acceleration_->previous_W(), acceleration_->previous_Ht()}
                      : no_pair;
    checkpoints_.at_end_of_iteration(state_, !goes_on(), W_, Ht_, previous);
  }

  void iterate(Index t) {
    if (state_.stalled) return record(t, state_.objective[t - 1], state_.measured[t - 1] != 0);
    state_.worked = t;
    if (measures_at_once()) kept_.keep(device_, W_, Ht_);
    update_rows(t - 1);
    update_columns();
    state_.row_gram = sums_->gram;
    conclude(t);
  }

  // A component that stays dead gets a new H_j before the next iteration. The objective is
  // unchanged only if H has no penalty.
  void reseed() {
    if (options_.keeps_columns) return;
    if (state_.iteration == 0 || state_.stepped_back || state_.stalled) return;
    if (penalties().l1_h > 0 || penalties().l2_h > 0 || options_.volume) return;
    if (!reseeding_.reseed(state_, state_.row_gram, column_gram_, W_, Ht_)) return;
    column_gram_ = device_.gram(Ht_, input_.job);
    if (acceleration_) acceleration_->forget(W_, Ht_);
  }

  void record(Index t, double objective, bool measured) {
    objective::record(state_, t, objective, measured, options_.tolerance);
  }

  // Over-relaxation and extrapolation have the same effect; together they overshoot.
  Step step(StepKind kind, double l1, double l2, double upper) const {
    Step step = step_of(kind, l1, l2, options_.inner_sweeps, upper);
    if (acceleration_) step.relaxation = 1;
    return step;
  }

  // The one read of X. It also measures W and Ht of iteration t: always at t = 0, later if the
  // identity is too inaccurate.
  void update_rows(Index t) {
    const bool known = static_cast<Index>(state_.objective.size()) > t;
    const Measure measure = objective::next_measure(known, state_);
    const double penalty = known ? 0 : row_penalty() + column_penalty();
    std::optional<Extrapolated> moved;
    if (acceleration_) {
      moved = acceleration_->move_columns(Ht_);
      column_gram_ = device_.gram(Ht_, input_.job);
    }
    const Penalties& p = penalties();
    const NormalMatrix normal(column_gram_, k_, p.l2_w, false);
    input_.read(Ht_, normal, step(rule_.row_step, p.l1_w, p.l2_w, p.upper_w), W_, measure, *sums_,
                moved, addend_of(options_.graph));
    if (options_.graph != nullptr) options_.graph->follow(W_, input_.job);
    sharpen_sums();
    if (known) return;
    const double error = objective::incoming_error(input_, *sums_, measure, column_gram_);
    state_.guarded = state_.guarded || safeguard::near_rounding(error, input_.squared_norm);
    record(t, error + penalty, measure == Measure::direct);
  }

  // Components of any sign may cancel each other: then the float32 errors of R and S are large
  // compared with ‖X‖². If R's term of the identity, summed over absolute values, exceeds ‖X‖², R
  // is formed again in float64; if that of S does, the identity is not used again.
  void sharpen_sums() {
    const auto [absolute, energy] = safeguard::cancellations(sums_->gram, column_gram_, k_);
    if (absolute > 2 * input_.squared_norm) sums_->gram = input_.gram_of_W(W_);
    if (energy > 25 * input_.squared_norm) state_.direct = state_.guarded = true;
  }

  // On a nearly singular problem rounding can make a step raise the objective: then H is unchanged.
  // Both errors are computed from the same S and R, so their order is certain.
  void update_columns() {
    if (options_.keeps_columns) return;
    const double before = identity_error() + column_penalty();
    device_.copy(Ht_, before_columns_.view());
    const std::vector<double> gram_before = column_gram_;

    const std::vector<double> pull =
        safeguard::proximal_pull(state_, sums_->gram, k_, rule_.solves());
    std::vector<double> curvature = safeguard::with_diagonal(sums_->gram, pull);
    if (options_.volume)
      add_volume_slope(column_gram_, k_, options_.volume->offset, state_.volume_weight, curvature);
    const NormalMatrix normal(std::move(curvature), k_, penalties().l2_h, rule_.solves());
    state_.guarded = state_.guarded || safeguard::nearly_dependent(normal, pull);
    const Penalties& p = penalties();
    device_.improve(step(rule_.column_step, p.l1_h, p.l2_h, p.upper_h), *sums_, normal, pull, Ht_,
                    input_.job);
    column_gram_ = device_.gram(Ht_, input_.job);

    if (!(identity_error() + column_penalty() <= before)) {
      device_.copy(before_columns_.view(), Ht_);
      column_gram_ = gram_before;
    }
    if (rule_.columns_free && !rule_.orthonormal) clear_noise();
  }

  void clear_noise() {
    const std::vector<double> factors =
        safeguard::noise_columns(sums_->gram, column_gram_, k_, input_.squared_norm);
    if (factors.empty()) return;
    device_.scale_columns(factors, Ht_, input_.job);
    column_gram_ = device_.gram(Ht_, input_.job);
  }

  // Determines the objective after iteration t, unless the next pass measures it, and acts on it.
  void conclude(Index t) {
    if (!state_.direct) state_.direct = objective::cancels(identity_error(), input_.squared_norm);
    state_.stepped_back = false;
    if (measures_at_once() || !state_.direct) {
      const double error = state_.direct ? input_.squared_error(W_, Ht_) : identity_error();
      const double objective = error + row_penalty() + column_penalty();
      state_.stepped_back = kept_.holds() && rises(objective);
      if (state_.stepped_back)
        go_back(t);
      else
        record(t, objective, state_.direct);
      if (acceleration_ && !state_.stepped_back) acceleration_->accept();
    }
    const double known = state_.objective.back() * std::exp2(options_.objective_exponent);
    input_.job.progress(options_.phase, t, options_.max_iterations, known);
  }

  // With extrapolation, a rise is compared with the rounding error.
  bool rises(double objective) const {
    if (acceleration_ && state_.measured.back() == static_cast<std::uint8_t>(state_.direct) &&
        objective > state_.objective.back())
      return true;
    return safeguard::rises(state_, objective, input_.squared_norm);
  }

  // Restores the pair before the iteration and continues with smaller steps, a limited number of
  // times.
  void go_back(Index t) {
    kept_.restore(device_, W_, Ht_);
    if (options_.graph != nullptr) options_.graph->follow(W_, input_.job);
    column_gram_ = device_.gram(Ht_, input_.job);
    if (acceleration_) {
      acceleration_->reject(W_, Ht_);
      objective::repeat(state_, t);
      state_.stalled = state_.extrapolation < least_extrapolation;
      return;
    }
    state_.damping *= 100;
    state_.stalled = !rule_.solves() || state_.damping > 0.1;
    record(t, state_.objective.back(), state_.direct);
  }

  // ‖X − W Htᵀ‖² from S and R.
  double identity_error() const {
    return gemmine::identity_error(input_, *sums_, Ht_, column_gram_);
  }

  const Input& input_;
  Passes& device_;
  const ModelRule& rule_;
  const LoopOptions& options_;
  Checkpoints& checkpoints_;
  LoopState& state_;
  const Index k_;
  BackendView<float> W_;
  BackendView<float> Ht_;
  std::unique_ptr<Sums> sums_;
  BackendMatrix before_columns_;     // Ht before the column step
  std::vector<double> column_gram_;  // HtᵀHt [k×k]
  Reseeding reseeding_;
  KeptPair kept_;
  std::optional<Acceleration> acceleration_;
};

}  // namespace

LoopState start_state(Index d, Index k, const Penalties& penalties, double expected_share) {
  LoopState state;
  state.direct = objective::starts_direct(d, k, expected_share);
  state.guarded = any(penalties) || safeguard::near_rounding(expected_share, 1);
  state.dead_for.assign(k, 0);
  state.attempts.assign(k, 0);
  state.row_gram.assign(k * k, 0.0);
  state.step_lengths.assign(k, 0.0);
  return state;
}

Alternated alternate(const Input& input, const ModelRule& rule, const LoopOptions& options,
                     Checkpoints& checkpoints, Previous previous, LoopState& state,
                     BackendView<float> W, BackendView<float> Ht) {
  return Alternation(input, rule, options, checkpoints, previous, state, W, Ht).run();
}

}  // namespace gemmine
