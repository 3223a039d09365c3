#include "factorization/alternating.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "factorization/reseeding.h"

namespace gemmine {
namespace {

// Below this share of ‖X‖² the identity ‖X‖² − 2⟨S, Ht⟩ + ⟨R, HtᵀHt⟩ cancels: its noise is about
// 1e-7·‖X‖², that of the float32 products in S and R.
constexpr double direct_share = 1e-2;
// That noise supposes that the rounding of many sums averages; with fewer than this, errors are
// measured from the start.
constexpr Index averaging_sums = 4096;

double inner(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

std::vector<double> with_diagonal(std::vector<double> gram, const std::vector<double>& addition) {
  for (std::size_t j = 0; j < addition.size(); ++j) gram[j * (addition.size() + 1)] += addition[j];
  return gram;
}

class Alternation {
 public:
  Alternation(const Input& input, const AlternatingRule& rule, const AlternatingOptions& options,
              BackendView<float> W, BackendView<float> Ht)
      : input_(input),
        backend_(input.backend),
        rule_(rule),
        options_(options),
        row_step_(rule.row_step),
        column_step_(rule.column_step),
        W_(W),
        Ht_(Ht),
        sums_(Ht.rows, Ht.cols),
        cross_(backend_, Ht.rows, Ht.cols),
        host_Ht_(downloaded(backend_, Ht)),
        previous_Ht_(host_Ht_),
        rounded_cross_(host_Ht_),
        column_gram_(backend_.gram(Ht, input.job)),
        reseeding_(input, rule, options.seed, Ht.cols),
        kept_Ht_(Ht.rows, Ht.cols),
        direct_(options.expected_share < direct_share || Ht.rows * Ht.cols < averaging_sums),
        guarded_(any(options.penalties)) {}

  Alternated run() {
    Index t = 0;
    for (; t < options_.max_iterations && !converged_; ++t) {
      if (stalled_) {
        record(t + 1, objective_[t], measured_[t]);
        continue;
      }
      worked_ = t + 1;
      if (guarded_) keep();
      update_rows(t);
      update_columns();
      conclude(t + 1);
    }
    const double squared_error = input_.squared_error(W_, Ht_);
    record(t, squared_error + row_penalty() + column_penalty(), true);
    return {.objective = std::move(objective_),
            .converged = converged_,
            .worked = worked_,
            .squared_error = squared_error,
            .row_gram = t > 0 ? sums_.gram : std::vector<double>()};
  }

 private:
  const Penalties& penalties() const { return options_.penalties; }
  double row_penalty() const {
    return penalty_of(backend_, W_, penalties().l1_w, penalties().l2_w);
  }
  double column_penalty() const {
    return penalty_of(backend_, Ht_, penalties().l1_h, penalties().l2_h);
  }

  // The one read of X. While W and Ht are those of iteration t, it also measures them: always at t
  // = 0, later where the identity has become too coarse.
  void update_rows(Index t) {
    const bool known = static_cast<Index>(objective_.size()) > t;
    const Measure measure = known ? Measure::none : direct_ ? Measure::direct : Measure::identity;
    const double penalty = measure == Measure::none ? 0 : row_penalty() + column_penalty();
    const NormalMatrix normal(column_gram_, Ht_.cols, penalties().l2_w, false);
    const StepOptions options =
        step_options(penalties().l1_w, penalties().l2_w, options_.inner_sweeps);
    input_.read(Ht_, normal, &row_step_, options, W_, measure, sums_);
    sharpen_sums();
    if (measure == Measure::direct) record(t, sums_.incoming_residual + penalty, true);
    if (measure == Measure::identity)
      record(t,
             std::max(0.0, input_.squared_norm - 2 * sums_.incoming_product +
                               inner(sums_.incoming_gram, column_gram_)) +
                 penalty,
             false);
  }

  // Components of free sign may cancel each other: then the float32 noise of R and S is large
  // beside ‖X‖². R is formed again in float64 where its share of the identity, weighted by absolute
  // values, outgrows ‖X‖²; where that of S does, the identity is left for good.
  void sharpen_sums() {
    const Index k = Ht_.cols;
    double absolute = 0;
    double energy = 0;  // Σ ‖W_j H_j‖²
    for (Index i = 0; i < k; ++i) {
      for (Index j = 0; j < k; ++j)
        absolute += std::abs(sums_.gram[i * k + j] * column_gram_[i * k + j]);
      energy += sums_.gram[i * k + i] * column_gram_[i * k + i];
    }
    if (absolute > 2 * input_.squared_norm) sums_.gram = backend_.gram(W_, input_.job);
    if (energy > 25 * input_.squared_norm) direct_ = guarded_ = true;
  }

  // Rounding can make a step on a nearly singular problem a step back: then H stays as it is. Both
  // errors share the noise of S and R, so that their order is certain.
  void update_columns() {
    const double before = identity_error() + column_penalty();
    previous_Ht_ = host_Ht_;
    const std::vector<double> kept_gram = column_gram_;

    const std::vector<double> pull = proximal_pull();
    upload_cross(pull);
    const NormalMatrix normal(with_diagonal(sums_.gram, pull), Ht_.cols, penalties().l2_h,
                              rule_.solves);
    guarded_ = guarded_ || nearly_dependent(normal, pull);
    const StepOptions options =
        step_options(penalties().l1_h, penalties().l2_h, options_.inner_sweeps);
    backend_.apply(column_step_, cross_.view(), normal, options, Ht_, input_.job);
    backend_.download(Ht_, host_Ht_.view());
    column_gram_ = backend_.gram(Ht_, input_.job);

    if (!(identity_error() + column_penalty() <= before)) {
      host_Ht_ = previous_Ht_;
      column_gram_ = kept_gram;
      backend_.upload(host_Ht_.view(), Ht_);
    }
    if (rule_.columns_free) clear_noise();
  }

  // A component of free sign that is not needed holds the noise of its equations; a sweep would
  // divide by it.
  void clear_noise() {
    const Index k = Ht_.cols;
    bool cleared = false;
    for (Index j = 0; j < k; ++j) {
      const double square = sums_.gram[j * k + j] * column_gram_[j * k + j];
      if (column_gram_[j * k + j] == 0 || square > 1e-14 * input_.squared_norm) continue;
      if (sums_.gram[j * k + j] == 0) continue;  // its H_j waits for codes
      for (Index t = 0; t < Ht_.rows; ++t) host_Ht_(t, j) = 0;
      cleared = true;
    }
    if (!cleared) return;
    backend_.upload(host_Ht_.view(), Ht_);
    column_gram_ = backend_.gram(Ht_, input_.job);
  }

  // The objective after iteration t, unless it waits for the next pass, and what follows from it.
  void conclude(Index t) {
    if (!direct_) direct_ = identity_error() < direct_share * input_.squared_norm;
    bool back = false;
    if (guarded_ || !direct_) {
      const double error = direct_ ? input_.squared_error(W_, Ht_) : identity_error();
      const double objective = error + row_penalty() + column_penalty();
      back = kept_W_ && rises(objective);
      record(t, back ? restored() : objective, direct_);
    }
    const double known = std::ldexp(objective_.back(), options_.objective_exponent);
    input_.job.progress("iterate", t, options_.max_iterations, known);
    if (t == options_.max_iterations || converged_ || back) return;
    // A new H_j beside a W_j of zeros leaves the objective as it is only while H carries no
    // penalty.
    if (penalties().l1_h > 0 || penalties().l2_h > 0) return;
    if (reseeding_.reseed(sums_.gram, column_gram_, W_, Ht_)) take_columns();
  }

  void take_columns() {
    backend_.download(Ht_, host_Ht_.view());
    column_gram_ = backend_.gram(Ht_, input_.job);
  }

  // In float32 an iteration can be a step back: where components cancel each other, or where a
  // penalty drives factors out of its range. Such runs are guarded: they measure each iteration at
  // once and keep the better pair.
  void keep() {
    if (!kept_W_) kept_W_.emplace(backend_, W_.rows, W_.cols);
    backend_.copy(W_, kept_W_->view());
    kept_Ht_ = host_Ht_;
  }

  bool rises(double objective) const {
    const double slack = 1e-6 * objective_.back() + 2e-7 * input_.squared_norm;
    return !(objective <= objective_.back() + slack);
  }

  // Goes back to the pair before the iteration, and on with smaller steps for a few times.
  double restored() {
    backend_.copy(kept_W_->view(), W_);
    backend_.upload(kept_Ht_.view(), Ht_);
    take_columns();
    damping_ *= 100;
    stalled_ = !rule_.solves || damping_ > 0.1;
    return objective_.back();
  }

  // ‖X − W Htᵀ‖² from S and R, see direct_share.
  double identity_error() const {
    return gemmine::identity_error(input_, sums_, host_Ht_, column_gram_);
  }

  // Sets objective t (the last one is set twice) and applies the stopping rule, which compares only
  // errors of one kind: their noise differs.
  void record(Index t, double objective, bool measured) {
    objective_.resize(t + 1);
    measured_.resize(t + 1);
    objective_[t] = objective;
    measured_[t] = measured;
    if (t == 0 || measured_[t - 1] != measured) return;
    const double previous = objective_[t - 1];
    const bool still = previous == 0 || previous - objective < options_.tolerance * previous;
    converged_ = converged_ || (options_.tolerance > 0 && still);
  }

  // A step that solves minimises the objective + Σ_j λ_j ‖h_j − old h_j‖², which lowers the
  // objective too. Directions that R hardly sees would otherwise follow the noise of S, and grow
  // until float32 cannot tell W Htᵀ any more: with codes that depend on each other, as spare
  // components have.
  std::vector<double> proximal_pull() const {
    const Index k = Ht_.cols;
    std::vector<double> pull(k);
    for (Index j = 0; rule_.solves && j < k; ++j) pull[j] = damping_ * sums_.gram[j * (k + 1)];
    return pull;
  }

  // Whether a component is told apart from those before it by little more than the pull.
  static bool nearly_dependent(const NormalMatrix& normal, const std::vector<double>& pull) {
    const std::vector<Index>& independent = normal.independent();
    const std::size_t m = independent.size();
    for (std::size_t i = 0; i < m; ++i) {
      const double pivot = normal.cholesky()[i * (m + 1)];
      if (pivot * pivot < 3 * pull[independent[i]]) return true;
    }
    return false;
  }

  // S + λ Ht, rounded once to float32.
  void upload_cross(const std::vector<double>& pull) {
    for (Index t = 0, at = 0; t < Ht_.rows; ++t)
      for (Index j = 0; j < Ht_.cols; ++j, ++at)
        rounded_cross_(t, j) = static_cast<float>(sums_.cross[at] + pull[j] * host_Ht_(t, j));
    backend_.upload(rounded_cross_.view(), cross_.view());
  }

  const Input& input_;
  Backend& backend_;
  const AlternatingRule& rule_;
  const AlternatingOptions& options_;
  const Step row_step_;
  const Step column_step_;
  BackendView<float> W_;
  BackendView<float> Ht_;
  PassSums sums_;
  BackendMatrix cross_;
  HostMatrix<float> host_Ht_;
  HostMatrix<float> previous_Ht_;    // before the column step
  HostMatrix<float> rounded_cross_;  // S in float32
  std::vector<double> column_gram_;  // HtᵀHt [k×k]
  Reseeding reseeding_;
  std::vector<double> objective_;
  std::vector<bool> measured_;  // directly, for each objective
  std::optional<BackendMatrix> kept_W_;
  HostMatrix<float> kept_Ht_;
  bool direct_;   // objectives are measured; once so, always
  bool guarded_;  // see keep()
  bool stalled_ = false;
  double damping_ = 1e-5;  // the share of R_jj that is λ_j, see proximal_pull()
  bool converged_ = false;
  Index worked_ = 0;
};

}  // namespace

Alternated alternate(const Input& input, const AlternatingRule& rule,
                     const AlternatingOptions& options, BackendView<float> W,
                     BackendView<float> Ht) {
  return Alternation(input, rule, options, W, Ht).run();
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

double penalty_of(Backend& backend, BackendView<float> factor, double l1, double l2) {
  if (l1 == 0 && l2 == 0) return 0;
  double penalty = 0;
  visit_rows(backend, factor, false,
             [&](Index, HostView<float> block) { penalty += penalty_of(block, l1, l2); });
  return penalty;
}

}  // namespace gemmine
