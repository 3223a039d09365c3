#include "factorization/loop/low_rank.h"

#include <array>
#include <utility>

#include "factorization/loop/acceleration.h"
#include "factorization/loop/objective.h"
#include "factorization/loop/safeguard.h"

namespace gemmine {
namespace {

constexpr Index most_iterations = 100;
constexpr Index sweeps = 3;
// The iterations end after so many that lowered the error by a smaller fraction: a single one may
// only have a share β that is too small.
constexpr Index patience = 3;
constexpr double least_progress = 1e-4;

// A tall matrix as an X that is read in passes.
class TallInput {
 public:
  TallInput(const Input& input, BackendView<const float> matrix)
      : rows_(downloaded(input.backend, matrix)),
        source_(dense_source(rows_.row(0), ElementType::float32, rows_.rows(), rows_.cols(),
                             rows_.cols())),
        resident_(input.backend.resident(*source_, input.job)),
        input_{.backend = input.backend,
               .X = resident_ ? *resident_ : *source_,
               .pass_exponent = 0,
               .squared_norm = 1,  // not used by passes, as the mean
               .mean = 0,
               .job = input.job} {}
  TallInput(const TallInput&) = delete;  // its input has a reference to it

  const Input& operator*() const { return input_; }
  const Input* operator->() const { return &input_; }

 private:
  HostMatrix<float> rows_;
  std::unique_ptr<RowSource> source_;
  std::unique_ptr<RowSource> resident_;
  Input input_;
};

// F Gᵀ ≈ A Bᵀ, with A = singular vectors [m×l] times their values, and B [p×l], p <= m. The
// products that HALS needs are those of A with BᵀG, and of B with AᵀF, so each factor has a pass
// over its own tall matrix. What the objective takes from the shorter side is in float64: the part
// of G outside B is a difference that float32 sums would drown.
class LowRank {
 public:
  LowRank(const Input& input, BackendView<const float> A, BackendView<const float> B,
          BackendView<float> F, BackendView<float> G)
      : device_(input.backend),
        job_(input.job),
        of_A_(input, A),
        of_B_(input, B),
        B_(B),
        F_(F),
        G_(G),
        sums_(device_.make_sums(A.cols, F.cols)),
        AtF_(device_, A.cols, F.cols),
        BtG_(device_, A.cols, F.cols),
        acceleration_(input, state_, nmf_hals, none_, F, G) {
    step_.relaxation = 1;  // over-relaxation and extrapolation overshoot together
  }

  // The pass that makes the next step of F measures the pair before it.
  void run() {
    read_pair();
    kept_[best_].keep(device_, F_, G_);
    least_ = step_F();
    step_G();
    Index idle = 0;
    for (Index t = 1; t <= most_iterations && idle < patience; ++t) {
      kept_[1 - best_].keep(device_, F_, G_);
      const double error = step_F();
      if (!(error <= least_)) {  // or not a number
        restore_best();
        step_F();
      } else {
        idle = least_ - error <= least_progress * least_ ? idle + 1 : 0;
        least_ = error;
        best_ = 1 - best_;
        acceleration_.accept();
      }
      step_G();
    }
    kept_[best_].restore(device_, F_, G_);
  }

 private:
  // What the next step of F takes of G.
  void measure_G() {
    gram_of_G_ = device_.gram(G_, job_);
    const std::vector<double> product = device_.cross_gram(B_, G_, job_);
    const Index k = G_.cols;
    outside_B_ = gram_of_G_;
    HostMatrix<float> rounded(B_.cols, k);
    for (Index r = 0; r < B_.cols; ++r)
      for (Index i = 0; i < k; ++i) {
        rounded(r, i) = static_cast<float>(product[r * k + i]);
        for (Index j = 0; j < k; ++j)
          outside_B_[i * k + j] -= product[r * k + i] * product[r * k + j];
      }
    device_.upload(std::as_const(rounded).view(), BtG_.view());
  }

  void read_pair() {
    gram_of_F_ = device_.gram(F_, job_);
    measure_G();
  }

  void restore_best() {
    kept_[best_].restore(device_, F_, G_);
    acceleration_.reject(F_, G_);
    read_pair();
  }

  // Returns ‖A Bᵀ − F Gᵀ‖² of the pair before the step, up to a constant: of the coordinates in B,
  // and the part of F Gᵀ outside B.
  double step_F() {
    const double outside = objective::inner(gram_of_F_, outside_B_);
    const NormalMatrix normal(gram_of_G_, G_.cols, 0, false);
    of_A_->read(BtG_.view(), normal, step_, F_, Measure::direct, *sums_, acceleration_.of_rows());
    gram_of_F_ = sums_->gram;
    return sums_->incoming_residual + outside;
  }

  void step_G() {
    copy_sums(*of_A_, *sums_, AtF_.view());
    const NormalMatrix normal(gram_of_F_, F_.cols, 0, false);
    of_B_->improve(AtF_.view(), normal, step_, G_);
    device_.extrapolate(acceleration_.of_columns(), G_, job_);
    measure_G();
  }

  Passes& device_;
  const Job& job_;
  const TallInput of_A_;
  const TallInput of_B_;
  BackendView<const float> B_;
  BackendView<float> F_;
  BackendView<float> G_;
  std::unique_ptr<Sums> sums_;  // AᵀF [l×k] and FᵀF
  BackendMatrix AtF_;
  BackendMatrix BtG_;
  std::vector<double> gram_of_F_;  // [k×k]
  std::vector<double> gram_of_G_;
  std::vector<double> outside_B_;  // GᵀG − (BᵀG)ᵀBᵀG
  Step step_ = step_of(StepKind::nonnegative_sweep, 0, 0, sweeps);
  const Penalties none_{.l1_w = 0, .l2_w = 0, .l1_h = 0, .l2_h = 0};
  LoopState state_;  // for the share β alone
  Acceleration acceleration_;
  // The last pair that was not worse, and the one that the next row step measures.
  std::array<KeptPair, 2> kept_;
  int best_ = 0;
  double least_ = 0;
};

}  // namespace

void improve_on_low_rank(const Input& input, SingularTriplets triplets, BackendView<float> W,
                         BackendView<float> Ht) {
  const bool tall = W.rows >= Ht.rows;
  const BackendView<float> A = tall ? triplets.U.view() : triplets.V.view();
  const BackendView<float> B = tall ? triplets.V.view() : triplets.U.view();
  input.backend.scale_columns(triplets.s, A, input.job);
  LowRank(input, A, B, tall ? W : Ht, tall ? Ht : W).run();
}

}  // namespace gemmine
