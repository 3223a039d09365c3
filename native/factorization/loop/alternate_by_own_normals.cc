#include "factorization/loop/alternate_by_own_normals.h"

#include <algorithm>
#include <cmath>

#include "factorization/loop/acceleration.h"
#include "factorization/loop/alternate_by_ratios.h"
#include "factorization/loop/objective.h"
#include "factorization/loop/safeguard.h"

namespace gemmine {
namespace {

// With a smaller share only rounding can raise the objective.
constexpr double least_extrapolation = 1e-3;

class OwnAlternation {
 public:
  OwnAlternation(const Input& input, const ModelRule& rule, const LoopOptions& options,
                 Checkpoints& checkpoints, Previous previous, LoopState& state,
                 BackendView<float> W, BackendView<float> Ht)
      : input_(input),
        rule_(rule),
        options_(options),
        checkpoints_(checkpoints),
        state_(state),
        W_(W),
        Ht_(Ht),
        entries_(input, W, Ht) {
    expect(options.graph == nullptr, "own normal matrices go without a graph");
    // The identity is that of squares.
    if (input.loss.kind != LossKind::frobenius) state.direct = true;
    if (!options.extrapolated) return;
    acceleration_.emplace(input, state, rule, options.penalties, W, Ht);
    if (previous != nullptr) acceleration_->resume(previous->other_W, previous->other_Ht);
  }

  Alternated run() {
    end_iteration();
    while (goes_on()) {
      iterate(++state_.iteration);
      end_iteration();
    }
    record(state_.iteration, measured(), true);
    state_.row_gram = input_.gram_of_W(W_);
    return {.squared_error = input_.squared_error(W_, Ht_)};
  }

 private:
  const Penalties& penalties() const { return options_.penalties; }
  bool goes_on() const { return state_.iteration < options_.max_iterations && !state_.converged; }
  void end_iteration() {
    const OtherPair previous =
        acceleration_ ? OtherPair{acceleration_->previous_W(), acceleration_->previous_Ht()}
                      : no_pair;
    checkpoints_.at_end_of_iteration(state_, !goes_on(), W_, Ht_, previous);
  }

  Step step(StepKind kind, double l1, double l2, double upper) const {
    Step step = entries_.step_of(kind, l1, l2, options_.inner_sweeps, upper);
    if (acceleration_) step.relaxation = 1;  // both together overshoot
    return step;
  }

  double penalty() const {
    const Penalties& p = penalties();
    return input_.penalty_of_W(W_, p.l1_w, p.l2_w) +
           penalty_of(input_.backend, Ht_, p.l1_h, p.l2_h, input_.job);
  }
  // The objective of the pair, by a read of X.
  double measured() { return entries_.read({.step = std::nullopt, .measures = true}) + penalty(); }

  void record(Index t, double objective, bool direct) {
    objective::record(state_, t, objective, direct, options_.tolerance);
  }

  void iterate(Index t) {
    if (state_.stalled) return record(t, state_.objective[t - 1], state_.measured[t - 1] != 0);
    state_.worked = t;
    if (acceleration_) kept_.keep(input_.backend, W_, Ht_);
    improve_rows(t - 1);
    const Penalties& p = penalties();
    entries_.improve_columns(step(rule_.column_step, p.l1_h, p.l2_h, p.upper_h),
                             rule_.solves() ? state_.damping : 0);
    conclude(t);
    const double known = state_.objective.back() * std::exp2(options_.objective_exponent);
    input_.job.progress(options_.phase, t, options_.max_iterations, known);
  }

  // The read of an iteration. It also measures the pair after iteration t, unless that is known.
  void improve_rows(Index t) {
    const bool known = static_cast<Index>(state_.objective.size()) > t;
    const double of_factors = known ? 0 : penalty();
    std::optional<Extrapolated> moved;
    if (acceleration_) moved = acceleration_->move_columns(Ht_);
    const Penalties& p = penalties();
    const double loss = entries_.read({.step = step(rule_.row_step, p.l1_w, p.l2_w, p.upper_w),
                                       .measures = !known,
                                       .accumulates = true,
                                       .extrapolated = moved});
    if (!known) record(t, loss + of_factors, true);
  }

  // Determines the objective after iteration t, unless the next read measures it, and acts on it.
  void conclude(Index t) {
    state_.stepped_back = false;
    if (!state_.direct)
      state_.direct = objective::cancels(entries_.identity_error(), input_.squared_norm);
    if (state_.direct && !acceleration_) return;
    const bool direct = state_.direct;
    const double objective = direct ? measured() : entries_.identity_error() + penalty();
    state_.stepped_back = acceleration_ && rises(objective);
    if (state_.stepped_back) return go_back(t);
    record(t, objective, direct);
    if (acceleration_) acceleration_->accept();
  }

  bool rises(double objective) const {
    const bool alike = state_.measured.back() == static_cast<std::uint8_t>(state_.direct);
    if (alike) return !(objective <= state_.objective.back());
    return safeguard::rises(state_, objective, input_.squared_norm);
  }

  void go_back(Index t) {
    kept_.restore(input_.backend, W_, Ht_);
    acceleration_->reject(W_, Ht_);
    objective::repeat(state_, t);
    state_.stalled = state_.extrapolation < least_extrapolation;
  }

  const Input& input_;
  const ModelRule& rule_;
  const LoopOptions& options_;
  Checkpoints& checkpoints_;
  LoopState& state_;
  BackendView<float> W_;
  BackendView<float> Ht_;
  OwnNormals entries_;
  KeptPair kept_;
  std::optional<Acceleration> acceleration_;
};

}  // namespace

OwnNormals::OwnNormals(const Input& input, BackendView<float> W, BackendView<float> Ht)
    : input_(input),
      W_(W),
      Ht_(Ht),
      unused_(std::vector<double>(Ht.cols * Ht.cols), Ht.cols, 0, false),
      sums_(input.backend.make_sums(Ht.rows, Ht.cols)) {}

double OwnNormals::read(const Read& read) {
  const Group group{.Ht = Ht_,
                    .normal = unused_,
                    .step = read.step,
                    .W = W_,
                    .measure = read.measures ? Measure::divergence : Measure::none,
                    .accumulate = read.accumulates,
                    .sums = *sums_,
                    .mask = input_.mask,
                    .extrapolated = read.extrapolated,
                    .own_normals = true};
  input_.pass(group, by_entry(input_.loss));
  return read.measures ? sums_->incoming_divergence : 0;
}

void OwnNormals::improve_columns(const Step& step, double pull) {
  input_.backend.improve_by_own_normals(step, *sums_, step.kind == StepKind::solve ? pull : 0, Ht_,
                                        input_.job);
}

double OwnNormals::identity_error() const {
  return input_.squared_norm - 2 * input_.backend.inner(*sums_, Ht_, input_.job) +
         input_.backend.own_curvature(*sums_, Ht_, input_.job);
}

Step OwnNormals::step_of(StepKind kind, double l1, double l2, Index sweeps, double upper) const {
  const double unit = penalty_unit(by_entry(input_.loss));
  return gemmine::step_of(kind, unit * l1, unit * l2, sweeps, upper);
}

Alternated alternate_by_own_normals(const Input& input, const ModelRule& rule,
                                    const LoopOptions& options, Checkpoints& checkpoints,
                                    Previous previous, LoopState& state, BackendView<float> W,
                                    BackendView<float> Ht) {
  return OwnAlternation(input, rule, options, checkpoints, previous, state, W, Ht).run();
}

}  // namespace gemmine
