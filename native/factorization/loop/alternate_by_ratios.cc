#include "factorization/loop/alternate_by_ratios.h"

#include <cmath>

#include "factorization/loop/objective.h"

namespace gemmine {
namespace {

class RatioAlternation {
 public:
  RatioAlternation(const Input& input, const LoopOptions& options, Checkpoints& checkpoints,
                   LoopState& state, BackendView<float> W, BackendView<float> Ht)
      : input_(input),
        options_(options),
        checkpoints_(checkpoints),
        state_(state),
        W_(W),
        Ht_(Ht),
        unused_(std::vector<double>(Ht.cols * Ht.cols), Ht.cols, 0, false),
        sums_(input.backend.make_sums(Ht.rows, Ht.cols)) {
    if (options.graph != nullptr) options.graph->follow(W, input.job);
  }

  Alternated run() {
    end_iteration();
    while (goes_on()) {
      const Index t = state_.worked = ++state_.iteration;
      const Penalties& p = options_.penalties;
      pass(step_of(p.l1_w, p.l2_w, options_.inner_sweeps), true, t - 1);
      input_.backend.improve_by_ratio(step_of(p.l1_h, p.l2_h, 1), *sums_, Ht_, input_.job);
      const double known = state_.objective.back();
      input_.job.progress(options_.phase, t, options_.max_iterations,
                          known * std::exp2(options_.objective_exponent));
      end_iteration();
    }
    pass(std::nullopt, false, state_.iteration);
    state_.row_gram = input_.gram_of_W(W_);
    return {.squared_error = input_.squared_error(W_, Ht_)};
  }

 private:
  bool goes_on() const { return state_.iteration < options_.max_iterations && !state_.converged; }
  void end_iteration() { checkpoints_.at_end_of_iteration(state_, !goes_on(), W_, Ht_, no_pair); }
  Step step_of(double l1, double l2, Index sweeps) const {
    return ratio_step(input_.loss, l1, l2, sweeps);
  }

  // Reads X once and measures the given pair as the objective after iteration t, unless it is
  // known.
  void pass(const std::optional<Step>& step, bool accumulate, Index t) {
    const Penalties& p = options_.penalties;
    const double penalty =
        input_.penalty_of_W(W_, p.l1_w, p.l2_w) +
        penalty_of(input_.backend, Ht_, p.l1_h, p.l2_h, input_.job) +
        (options_.graph != nullptr ? options_.graph->penalty(W_, input_.job) : 0);
    const Group group{.Ht = Ht_,
                      .normal = unused_,
                      .step = step,
                      .W = W_,
                      .measure = Measure::divergence,
                      .accumulate = accumulate,
                      .sums = *sums_,
                      .mask = input_.mask,
                      .addend = addend_of(options_.graph, penalty_unit(input_.loss))};
    input_.pass(group, by_entry(input_.loss));
    if (options_.graph != nullptr && step) options_.graph->follow(W_, input_.job);
    objective::record(state_, t, sums_->incoming_divergence + penalty, true, options_.tolerance);
  }

  const Input& input_;
  const LoopOptions& options_;
  Checkpoints& checkpoints_;
  LoopState& state_;
  BackendView<float> W_;
  BackendView<float> Ht_;
  const NormalMatrix unused_;
  std::unique_ptr<Sums> sums_;
};

}  // namespace

Alternated alternate_by_ratios(const Input& input, const LoopOptions& options,
                               Checkpoints& checkpoints, LoopState& state, BackendView<float> W,
                               BackendView<float> Ht) {
  return RatioAlternation(input, options, checkpoints, state, W, Ht).run();
}

double penalty_unit(const Loss& loss) { return 2 / loss.multiple; }

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
