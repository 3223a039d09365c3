#pragma once

#include <cmath>
#include <memory>

#include "backend/passes.h"
#include "core/communicator.h"
#include "factorization/factors.h"
#include "factorization/fit.h"
#include "factorization/shared_reads.h"

namespace gemmine {

// The X that solvers read: X·2^-exponent with its largest entry in [1, 2), so that float32 products
// of entries near 1e±38 neither overflow nor vanish. Scaling by a power of two is exact: all
// results for X times such a power have the same bits. With several ranks, X and W have the rows of
// this rank, and sums over rows are those over the rows of all ranks.
struct Input {
  Passes& backend;
  const RowSource& X;
  int pass_exponent;    // scaling that is left to products, see Pass
  double squared_norm;  // of the scaled X, like the mean; over all ranks
  double mean;
  const Job& job;
  Loss loss = frobenius_loss;
  Mask mask = no_mask;
  std::span<const float> row_weights = {};  // [n]; empty: all 1
  double entry_weight = 0;                  // of the entries that no mask excludes, over all ranks
  Communicator& ranks = single_process();
  Index first_row = 0;            // number of rows that the ranks before this one have
  Index all_rows = X.rows();      // over all ranks
  SharedReads* shared = nullptr;  // null: passes are this factorization's own

  // The same for another job.
  Input with_job(const Job& other) const;

  double scale() const { return std::ldexp(1.0, -pass_exponent); }
  Index rows() const { return X.rows(); }
  Index cols() const { return X.cols(); }

  // A read of X by the backend, or by whoever shares the reads of this factorization.
  void run(const Pass& pass) const;
  // One read of X for one group; the terms that it forms are summed over the ranks.
  void pass(const Group& group, const Loss& of_entries = frobenius_loss,
            const std::optional<RowRange>& rows = std::nullopt) const;
  // The same for a step, with sums.
  void read(BackendView<const float> Ht, const NormalMatrix& normal, const Step& step,
            BackendView<float> W, Measure measure, Sums& sums,
            const std::optional<Extrapolated>& extrapolated = std::nullopt,
            const std::optional<RowAddend>& addend = std::nullopt) const;
  // The same without sums.
  void improve(BackendView<const float> Ht, const NormalMatrix& normal, const Step& step,
               BackendView<float> W) const;
  // Forms the sums of the current W.
  void form_sums(BackendView<float> W, Sums& sums) const;
  // to = X·Ht of the scaled X.
  void multiply(BackendView<const float> Ht, BackendView<float> to) const;
  // ‖X − W Htᵀ‖² of the scaled X, from residuals.
  double squared_error(BackendView<float> W, BackendView<const float> Ht) const;

  // Wᵀ·diag(weights)·W [k×k], sums of columns, and l1·Σ|·| + l2·Σ(·)², over the rows of all ranks.
  std::vector<double> gram_of_W(BackendView<const float> W) const;
  ColumnSums column_sums_of_W(BackendView<const float> W) const;
  double penalty_of_W(BackendView<const float> W, double l1, double l2) const;
  double penalty_of_W(HostView<const float> W, double l1, double l2) const;
};

// The first read of X: checks every entry and finds the scale.
class ScaledInput {
 public:
  ScaledInput(Passes& backend, const Examined& examined, const Job& job,
              const Loss& loss = frobenius_loss, Communicator& ranks = single_process(),
              SharedReads* shared = nullptr);
  ~ScaledInput();

  const Input& operator*() const { return input_; }
  int exponent() const { return exponent_; }

 private:
  ScaledInput(Passes& backend, const Examined& examined, const SourceNorm& norm, const Job& job,
              const Loss& loss, Communicator& ranks, SharedReads* shared);

  int exponent_;
  std::unique_ptr<RowSource> rescaled_;  // null if passes can scale
  std::unique_ptr<RowSource> resident_;  // null if the device reads the caller's memory
  Input input_;
};

// The power of two of each factor: X = 2^X X', W = 2^W W', H = 2^H H', with X = W + H.
struct Exponents {
  int X;
  int W;
  int H;
};

// Without penalties H takes the scale, unless its small entries would leave the range of float32.
// With penalties, whose optimum balances the factors, each takes half. With upper bounds a bounded
// factor takes the scale of a bound below 1 and the other the rest; W is the bounded one of two.
Exponents split_exponent(int exponent, const Penalties& penalties);

// The equivalent weights and bounds for the scaled factors, with a loss of X' that is proportional
// to the power `degree` of X': 2 for ‖X'‖², β for D_β.
Penalties scaled(const Penalties& penalties, const Exponents& exponents, double degree);

// ‖X − W Htᵀ‖² = ‖X‖² − 2⟨S, Ht⟩ + ⟨R, HtᵀHt⟩ from the sums of W, without reading X. It cancels if
// the error is small.
double identity_error(const Input& input, const Sums& sums, BackendView<const float> Ht,
                      const std::vector<double>& column_gram);

// S of these sums as a factor [d×k].
void copy_sums(const Input& input, const Sums& sums, BackendView<float> to);

// Steps compute in float32: larger weights are clamped to its range, where the factor already
// becomes 0.
Step step_of(StepKind kind, double l1, double l2, Index sweeps, double upper = unbounded);

// l1·Σ|·| + l2·Σ(·)² of a factor.
double penalty_of(Passes& backend, BackendView<const float> factor, double l1, double l2,
                  const Job& job);
double penalty_of(const ColumnSums& sums, double l1, double l2);
double penalty_of(HostView<const float> factor, double l1, double l2);

inline bool bounds(const Penalties& p) { return p.upper_w < unbounded || p.upper_h < unbounded; }

inline bool any(const Penalties& p) {
  return p.l1_w > 0 || p.l2_w > 0 || p.l1_h > 0 || p.l2_h > 0 || p.graph > 0;
}

}  // namespace gemmine
