#include "factorization/loop/alternate_logistic.h"

#include <memory>
#include <optional>
#include <vector>

#include "factorization/loop/objective.h"

namespace gemmine {
namespace {

// HtᵀHt = I, which no step reads.
NormalMatrix no_normal(Index k) {
  return {std::vector<double>(static_cast<std::size_t>(k * k)), k, 0, false};
}

class LogisticAlternation {
 public:
  LogisticAlternation(const Input& input, const LoopOptions& options, Checkpoints& checkpoints,
                      LoopState& state, BackendView<float> W, BackendView<float> Ht)
      : input_(input),
        device_(input.backend),
        options_(options),
        checkpoints_(checkpoints),
        state_(state),
        W_(W),
        Ht_(Ht),
        unused_(no_normal(Ht.cols)),
        before_(device_, Ht.rows, Ht.cols),
        sums_(device_.make_sums(Ht.rows, Ht.cols)) {}

  Alternated run() {
    end_iteration();
    while (goes_on()) {
      iterate(++state_.iteration);
      end_iteration();
    }
    measure(state_.iteration, std::nullopt, false);
    state_.row_gram = input_.gram_of_W(W_);
    return {.squared_error = probability_error(input_, W_, Ht_)};
  }

 private:
  bool goes_on() const { return state_.iteration < options_.max_iterations && !state_.converged; }
  void end_iteration() { checkpoints_.at_end_of_iteration(state_, !goes_on(), W_, Ht_, no_pair); }

  // One read of X, which also measures the pair after iteration t − 1.
  void iterate(Index t) {
    state_.worked = t;
    measure(t - 1, step_of(StepKind::project, 0, 0, 1), true);
    device_.copy(Ht_, before_.view());
    const double before = device_.inner(*sums_, Ht_, input_.job);
    const std::vector<double> no_pull(static_cast<std::size_t>(Ht_.cols));
    device_.improve(step_of(StepKind::cayley, 0, 0, options_.inner_sweeps), *sums_, unused_,
                    no_pull, Ht_, input_.job);
    // The majoriser is a constant − ¼⟨S, Ht⟩; rounding may lose what a small step gains.
    if (device_.inner(*sums_, Ht_, input_.job) < before) device_.copy(before_.view(), Ht_);
    input_.job.progress(options_.phase, t, options_.max_iterations, state_.objective.back());
  }

  void measure(Index t, const std::optional<Step>& step, bool accumulate) {
    const bool known = static_cast<Index>(state_.objective.size()) > t;
    if (known && !step) return;
    input_.pass({.Ht = Ht_,
                 .normal = unused_,
                 .step = step,
                 .W = W_,
                 .measure = known ? Measure::none : Measure::divergence,
                 .accumulate = accumulate,
                 .sums = *sums_},
                input_.loss);
    if (!known) objective::record(state_, t, sums_->incoming_divergence, true, options_.tolerance);
  }

  const Input& input_;
  Passes& device_;
  const LoopOptions& options_;
  Checkpoints& checkpoints_;
  LoopState& state_;
  BackendView<float> W_;
  BackendView<float> Ht_;
  const NormalMatrix unused_;
  BackendMatrix before_;  // Ht before its step
  std::unique_ptr<Sums> sums_;
};

}  // namespace

Alternated alternate_logistic(const Input& input, const LoopOptions& options,
                              Checkpoints& checkpoints, LoopState& state, BackendView<float> W,
                              BackendView<float> Ht) {
  return LogisticAlternation(input, options, checkpoints, state, W, Ht).run();
}

double probability_error(const Input& input, BackendView<float> W, BackendView<const float> Ht) {
  const NormalMatrix unused = no_normal(Ht.cols);
  const auto sums = input.backend.make_sums(0, Ht.cols);
  input.pass({.Ht = Ht,
              .normal = unused,
              .step = std::nullopt,
              .W = W,
              .measure = Measure::direct,
              .accumulate = false,
              .sums = *sums},
             input.loss);
  return sums->incoming_residual;
}

}  // namespace gemmine
