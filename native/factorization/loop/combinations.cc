#include "factorization/loop/combinations.h"

#include <algorithm>
#include <cmath>

#include "factorization/loop/objective.h"

namespace gemmine {
namespace {

// Factors by which a step length may change at once.
constexpr double least_change = 0.1;
constexpr double most_change = 10;

// [2k×k] by which two halves are combined: left·diag(a) + right·diag(b).
HostMatrix<double> halves(const std::vector<double>& a, const std::vector<double>& b) {
  const auto k = static_cast<Index>(a.size());
  HostMatrix<double> weights(2 * k, k);
  for (Index j = 0; j < k; ++j) {
    weights(j, j) = a[j];
    weights(k + j, j) = b[j];
  }
  return weights;
}

std::vector<double> diagonal_of(const std::vector<double>& matrix, Index k) {
  std::vector<double> diagonal(static_cast<std::size_t>(k));
  for (Index j = 0; j < k; ++j) diagonal[j] = matrix[j * (k + 1)];
  return diagonal;
}

// A minimum of xᵀM x − 2 g·x within bounds, from x, by coordinate descent. M [k×k] is positive
// semidefinite.
void minimise_in_box(const std::vector<double>& M, const std::vector<double>& g,
                     const std::vector<double>& least, const std::vector<double>& most,
                     std::vector<double>& x) {
  constexpr int sweeps = 100;
  const std::size_t k = g.size();
  for (int sweep = 0; sweep < sweeps; ++sweep) {
    double change = 0;
    for (std::size_t j = 0; j < k; ++j) {
      if (!(M[j * (k + 1)] > 0)) continue;
      double slope = g[j];
      for (std::size_t l = 0; l < k; ++l) slope -= M[j * k + l] * x[l];
      const double next = std::clamp(x[j] + slope / M[j * (k + 1)], least[j], most[j]);
      change = std::max(change, std::abs(next - x[j]));
      x[j] = next;
    }
    if (change < 1e-9) return;
  }
}

class Combining {
 public:
  Combining(const Input& input, const ModelRule& rule, const LoopOptions& options,
            double relaxation, Checkpoints& checkpoints, Previous previous, LoopState& state,
            BackendView<float> W, BackendView<float> Ht, BackendView<float> memory)
      : input_(input),
        device_(input.backend),
        rule_(rule),
        options_(options),
        relaxation_(relaxation),
        checkpoints_(checkpoints),
        state_(state),
        k_(Ht.cols),
        W_(W),
        Ht_(Ht),
        both_(memory),
        B_(memory.column_block(0, k_)),
        trial_(memory.column_block(k_, k_)),
        columns_(device_, Ht.rows, 2 * k_),
        ascent_(device_, Ht.rows, k_),
        sums_(device_.make_sums(Ht.rows, k_)),
        trial_sums_(device_.make_sums(Ht.rows, k_)),
        column_gram_(device_.gram(Ht, input.job)) {
    expect(input.ranks.size() == 1, "combinations are of the rows of one rank");
    if (previous != nullptr) device_.upload(previous->other_W.view(), B_);
  }

  Alternated run() {
    if (state_.objective.empty()) record(0, input_.squared_error(W_, Ht_), true);
    end_iteration();
    while (goes_on()) {
      const Index t = state_.worked = ++state_.iteration;
      update_rows();
      update_combinations();
      conclude(t);
      end_iteration();
    }
    return finish();
  }

 private:
  bool goes_on() const { return state_.iteration < options_.max_iterations && !state_.converged; }
  void end_iteration() { checkpoints_.at_end_of_iteration(state_, !goes_on(), W_, Ht_, {B_, Ht_}); }
  void record(Index t, double objective, bool measured) {
    objective::record(state_, t, objective, measured, options_.tolerance);
  }
  BackendView<float> left() const { return columns_.view().column_block(0, k_); }
  BackendView<float> right() const { return columns_.view().column_block(k_, k_); }
  std::vector<double> all(double value) const {
    return std::vector<double>(static_cast<std::size_t>(k_), value);
  }

  void update_rows() {
    const NormalMatrix normal(column_gram_, k_, 0, false);
    input_.read(Ht_, normal, step_of(rule_.row_step, 0, 0, options_.inner_sweeps), W_,
                Measure::none, *sums_);
    state_.row_gram = sums_->gram;
  }

  // One step of every column of B along the slope, then the best point between the old and the new
  // column. No column leaves its simplex, so none needs another read of X.
  void update_combinations() {
    find_slope();
    const std::vector<double> masses = device_.column_sums(B_, input_.job).absolute;
    const std::vector<double> along = diagonal_of(device_.cross_gram(Ht_, right(), input_.job), k_);
    choose_lengths();
    device_.copy(right(), ascent_.view());
    device_.scale_columns(state_.step_lengths, ascent_.view(), input_.job);
    const std::vector<double> shares = try_step(masses, along);
    const std::vector<double> taken = best_between();
    std::vector<double> kept = all(1);
    std::vector<double> added = shares;
    for (Index j = 0; j < k_; ++j) {
      kept[j] -= taken[j];
      added[j] *= taken[j];
    }
    device_.multiply(both_, halves(kept, added).view(), B_, input_.job);
    if (relaxation_ > 0) stretch();
  }

  // The right half becomes D = S − Ht R, minus half the slope of the loss with respect to Ht.
  void find_slope() {
    device_.copy(Ht_, left());
    copy_sums(input_, *sums_, right());
    HostMatrix<double> weights(2 * k_, k_);
    for (Index l = 0; l < k_; ++l) {
      for (Index j = 0; j < k_; ++j) weights(l, j) = -sums_->gram[l * k_ + j];
      weights(k_ + l, l) = 1;
    }
    device_.multiply(columns_.view(), weights.view(), right(), input_.job);
  }

  // The first step adds about 1/n to entries of B.
  void choose_lengths() {
    const std::vector<double> squares = device_.column_sums(right(), input_.job).square;
    const auto n = static_cast<double>(input_.rows());
    for (Index j = 0; j < k_; ++j)
      if (state_.step_lengths[j] == 0 && squares[j] > 0 && input_.squared_norm > 0)
        state_.step_lengths[j] = 1 / std::sqrt(n * input_.squared_norm * squares[j]);
  }

  // The trial columns and, in the right half, their components less Ht. Returns the factors that
  // give the trial columns the masses of those of B.
  std::vector<double> try_step(const std::vector<double>& masses,
                               const std::vector<double>& along) {
    std::vector<double> shifts(static_cast<std::size_t>(k_ * k_));
    for (Index j = 0; j < k_; ++j)
      shifts[j * (k_ + 1)] = state_.step_lengths[j] * along[j] / masses[j];
    device_.copy(B_, trial_);
    const NormalMatrix normal(std::move(shifts), k_, 0, false);
    input_.read(ascent_.view(), normal, step_of(StepKind::shifted_ascent, 0, 0, 1), trial_,
                Measure::none, *trial_sums_);
    std::vector<double> shares = device_.column_sums(trial_, input_.job).absolute;
    for (Index j = 0; j < k_; ++j) shares[j] = shares[j] > 0 ? masses[j] / shares[j] : 0;
    ascent_lengths_ = all(0);
    for (Index j = 0; j < k_; ++j)
      if (shares[j] > 0) ascent_lengths_[j] = state_.step_lengths[j];
    copy_sums(input_, *trial_sums_, right());
    device_.multiply(columns_.view(), halves(all(-1), shares).view(), right(), input_.job);
    return shares;
  }

  // Ht moves by θ_j of the way of each column: f(θ) = f(0) − 2 Σ θ_j ⟨D_j, Δ_j⟩ + θᵀ(R ⊙ ΔᵀΔ)θ.
  std::vector<double> best_between() {
    const std::vector<double> gains =
        diagonal_of(device_.cross_gram(ascent_.view(), right(), input_.job), k_);
    std::vector<double> curvature = device_.gram(right(), input_.job);
    for (std::size_t i = 0; i < curvature.size(); ++i) curvature[i] *= sums_->gram[i];
    std::vector<double> slopes = all(0);
    for (Index j = 0; j < k_; ++j)
      if (ascent_lengths_[j] > 0) slopes[j] = gains[j] / ascent_lengths_[j];
    std::vector<double> taken = all(0);
    minimise_in_box(curvature, slopes, all(0), all(1), taken);
    device_.multiply(columns_.view(), halves(all(1), taken).view(), Ht_, input_.job);
    // Barzilai & Borwein (1988): the next step has the length that would have been the best.
    for (Index j = 0; j < k_; ++j) {
      const double bend = curvature[j * (k_ + 1)];
      if (bend > 0)
        state_.step_lengths[j] *= std::clamp(slopes[j] / bend, least_change, most_change);
    }
    return taken;
  }

  // The best masses within 1 ± relaxation.
  void stretch() {
    copy_sums(input_, *sums_, right());
    const std::vector<double> gains = diagonal_of(device_.cross_gram(right(), Ht_, input_.job), k_);
    std::vector<double> curvature = device_.gram(Ht_, input_.job);
    for (std::size_t i = 0; i < curvature.size(); ++i) curvature[i] *= sums_->gram[i];
    const std::vector<double> masses = device_.column_sums(B_, input_.job).absolute;
    std::vector<double> least = all(1 - relaxation_);
    std::vector<double> most = all(1 + relaxation_);
    for (Index j = 0; j < k_; ++j) {
      least[j] = std::min(1.0, least[j] / masses[j]);
      most[j] = std::max(1.0, most[j] / masses[j]);
    }
    std::vector<double> factors = all(1);
    minimise_in_box(curvature, gains, least, most, factors);
    device_.scale_columns(factors, Ht_, input_.job);
    device_.scale_columns(factors, B_, input_.job);
  }

  void conclude(Index t) {
    column_gram_ = device_.gram(Ht_, input_.job);
    double error = identity_error(input_, *sums_, Ht_, column_gram_);
    state_.direct = state_.direct || objective::cancels(error, input_.squared_norm);
    if (state_.direct) error = input_.squared_error(W_, Ht_);
    record(t, error, state_.direct);
    input_.job.progress(options_.phase, t, options_.max_iterations,
                        error * std::exp2(options_.objective_exponent));
  }

  // H = A X without the rounding of the steps.
  Alternated finish() {
    if (relaxation_ == 0) {
      std::vector<double> factors = device_.column_sums(B_, input_.job).absolute;
      for (double& each : factors) each = 1 / each;
      device_.scale_columns(factors, B_, input_.job);
    }
    input_.form_sums(B_, *trial_sums_);
    copy_sums(input_, *trial_sums_, Ht_);
    const double squared_error = input_.squared_error(W_, Ht_);
    objective::set(state_, state_.iteration, squared_error, true);
    return {.squared_error = squared_error};
  }

  const Input& input_;
  Passes& device_;
  const ModelRule& rule_;
  const LoopOptions& options_;
  const double relaxation_;
  Checkpoints& checkpoints_;
  LoopState& state_;
  const Index k_;
  BackendView<float> W_;
  BackendView<float> Ht_;
  BackendView<float> both_;   // B and the trial columns [n×2k]
  BackendView<float> B_;      // [n×k]
  BackendView<float> trial_;  // [n×k]
  BackendMatrix columns_;     // [d×2k]: Ht, and beside it D or a change
  BackendMatrix ascent_;      // D times the step lengths [d×k]
  std::unique_ptr<Sums> sums_;
  std::unique_ptr<Sums> trial_sums_;
  std::vector<double> column_gram_;     // HtᵀHt [k×k]
  std::vector<double> ascent_lengths_;  // of the columns that were tried; 0 for the others
};

}  // namespace

Alternated alternate_combinations(const Input& input, const ModelRule& rule,
                                  const LoopOptions& options, double relaxation,
                                  Checkpoints& checkpoints, Previous previous, LoopState& state,
                                  BackendView<float> W, BackendView<float> Ht,
                                  BackendView<float> memory) {
  return Combining(input, rule, options, relaxation, checkpoints, previous, state, W, Ht, memory)
      .run();
}

}  // namespace gemmine
