#include "factorization/loop/alternate_by_ratios.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "factorization/loop/objective.h"
#include "factorization/loop/safeguard.h"

namespace gemmine {
namespace {

// docs/math/extrapolation.md: the share of a step by which it goes further.
constexpr double growth = 1.05;
constexpr double growth_of_most = 1.01;
constexpr double shrink = 1.5;
constexpr double least_share = 1e-3;  // with a smaller one only rounding can raise the objective

class RatioAlternation {
 public:
  RatioAlternation(const Input& input, const LoopOptions& options, Checkpoints& checkpoints,
                   Previous previous, LoopState& state, BackendView<float> W, BackendView<float> Ht)
      : input_(input),
        options_(options),
        checkpoints_(checkpoints),
        state_(state),
        W_(W),
        Ht_(Ht),
        unused_(std::vector<double>(Ht.cols * Ht.cols), Ht.cols, 0, false),
        sums_(input.backend.make_sums(Ht.rows, Ht.cols)) {
    if (options.graph != nullptr) options.graph->follow(W, input.job);
    if (!options.extrapolated) return;
    expect(options.graph == nullptr, "steps with a graph are not prolonged");
    if (previous != nullptr)
      kept_->keep(input.backend, previous->other_W, previous->other_Ht);
    else
      kept_->keep(input.backend, W, Ht);
  }

  Alternated run() {
    end_iteration();
    while (goes_on()) {
      iterate(++state_.iteration);
      end_iteration();
    }
    if (const auto objective = pass(std::nullopt, false, state_.iteration))
      conclude(state_.iteration, *objective);
    state_.row_gram = input_.gram_of_W(W_);
    return {.squared_error = input_.squared_error(W_, Ht_)};
  }

 private:
  bool goes_on() const { return state_.iteration < options_.max_iterations && !state_.converged; }
  void end_iteration() {
    const OtherPair other = kept_->holds() ? OtherPair{kept_->W(), kept_->Ht()} : no_pair;
    checkpoints_.at_end_of_iteration(state_, !goes_on(), W_, Ht_, other);
  }
  // Whether steps are prolonged, so that they may raise the objective.
  bool prolongs() const { return options_.extrapolated && state_.extrapolation >= least_share; }

  Step step_of(double l1, double l2, Index sweeps) const {
    Step step = ratio_step(input_.loss, l1, l2, sweeps);
    if (prolongs()) step.exponent *= 1 + state_.extrapolation;
    return step;
  }

  // One read of X. It measures the pair after iteration t − 1; if that pair is undone, so is the
  // work of this read.
  void iterate(Index t) {
    state_.worked = t;
    const Penalties& p = options_.penalties;
    const bool undoes = prolongs();
    if (undoes) entering_->keep(input_.backend, W_, Ht_);
    const auto objective = pass(step_of(p.l1_w, p.l2_w, options_.inner_sweeps), true, t - 1);
    if (objective && !conclude(t - 1, *objective)) return objective::repeat(state_, t);
    if (undoes) std::swap(kept_, entering_);
    input_.backend.improve_by_ratio(step_of(p.l1_h, p.l2_h, 1), *sums_, Ht_, input_.job);
    if (undoes) grow_share();
    const double known = state_.objective.back();
    input_.job.progress(options_.phase, t, options_.max_iterations,
                        known * std::exp2(options_.objective_exponent));
  }

  void grow_share() {
    state_.extrapolation = std::min(state_.most_extrapolation, growth * state_.extrapolation);
    state_.most_extrapolation = std::min(1.0, growth_of_most * state_.most_extrapolation);
  }

  // Records the objective after iteration t. If it rose, restores the pair before iteration t, with
  // a smaller share, and returns false.
  bool conclude(Index t, double objective) {
    if (t > 0 && prolongs() && !(objective <= state_.objective[t - 1])) {
      kept_->restore(input_.backend, W_, Ht_);
      state_.most_extrapolation = state_.extrapolation;
      state_.extrapolation /= shrink;
      objective::repeat(state_, t);
      return false;
    }
    objective::record(state_, t, objective, true, options_.tolerance);
    return true;
  }

  // Reads X once and returns the objective of the given pair, that after iteration t, unless it is
  // known.
  std::optional<double> pass(const std::optional<Step>& step, bool accumulate, Index t) {
    const bool known = static_cast<Index>(state_.objective.size()) > t;
    if (known && !step) return std::nullopt;
    const Penalties& p = options_.penalties;
    const double penalty =
        input_.penalty_of_W(W_, p.l1_w, p.l2_w) +
        penalty_of(input_.backend, Ht_, p.l1_h, p.l2_h, input_.job) +
        (options_.graph != nullptr ? options_.graph->penalty(W_, input_.job) : 0);
    const Group group{.Ht = Ht_,
                      .normal = unused_,
                      .step = step,
                      .W = W_,
                      .measure = known ? Measure::none : Measure::divergence,
                      .accumulate = accumulate,
                      .sums = *sums_,
                      .mask = input_.mask,
                      .addend = addend_of(options_.graph, penalty_unit(input_.loss))};
    input_.pass(group, by_entry(input_.loss));
    if (options_.graph != nullptr && step) options_.graph->follow(W_, input_.job);
    if (known) return std::nullopt;
    return sums_->incoming_divergence + penalty;
  }

  const Input& input_;
  const LoopOptions& options_;
  Checkpoints& checkpoints_;
  LoopState& state_;
  BackendView<float> W_;
  BackendView<float> Ht_;
  const NormalMatrix unused_;
  std::unique_ptr<Sums> sums_;
  // The last pair that was measured, if steps are prolonged, and the pair before the present
  // iteration.
  std::unique_ptr<KeptPair> kept_ = std::make_unique<KeptPair>();
  std::unique_ptr<KeptPair> entering_ = std::make_unique<KeptPair>();
};

}  // namespace

Alternated alternate_by_ratios(const Input& input, const LoopOptions& options,
                               Checkpoints& checkpoints, Previous previous, LoopState& state,
                               BackendView<float> W, BackendView<float> Ht) {
  return RatioAlternation(input, options, checkpoints, previous, state, W, Ht).run();
}

double penalty_unit(const Loss& loss) {
  // Steps for large entries have terms (1 + s)/s times as large, which float32 holds for any s.
  const bool large = loss.kind == LossKind::negative_binomial && loss.beta == 0;
  return 2 / loss.multiple * (large ? 1 + 1 / loss.parameter : 1);
}

Step ratio_step(const Loss& loss, double l1, double l2, Index sweeps) {
  const double unit = penalty_unit(loss);
  Step step = step_of(StepKind::ratio, unit * l1, unit * l2, sweeps);
  step.exponent = monotone_exponent(loss.beta);
  return step;
}

double monotone_exponent(double beta) {
  if (beta < 1) return 1 / (2 - beta);
  return beta > 2 ? 1 / (beta - 1) : 1;
}

}  // namespace gemmine
