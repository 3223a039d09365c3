#include "backend/cpu/cayley.h"

#include <algorithm>
#include <cmath>

#include "backend/cpu/over_rows.h"
#include "core/error.h"
#include "core/linear_algebra.h"
#include "core/pool.h"

namespace gemmine::cpu {
namespace {

// The curvature along the curve is at most about ‖S‖, so a step below 2^-16·√k/‖S‖ is never the
// best.
constexpr int most_doublings = 16;

using Square = std::vector<double>;  // [k×k]

double inner(const double* a, const double* b, std::size_t count) {
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += a[i] * b[i];
  return sum;
}

// F R cancels in A = G Fᵀ − F Gᵀ, because F R Fᵀ is symmetric, and so does F sym(FᵀS): G = 2 (F
// sym(FᵀS) − S) gives the same curve, and is small if F is near the optimum.
class CayleySteps {
 public:
  CayleySteps(const std::vector<double>& S, HostView<float> Ht, const Job& job)
      : S_(S), Ht_(Ht), job_(job), d_(Ht.rows), k_(Ht.cols), G_(S.size()) {
    F_.reserve(S.size());
    for (Index t = 0; t < d_; ++t) F_.insert(F_.end(), Ht.row(t), Ht.row(t) + k_);
  }

  void run(Index sweeps) {
    const double size = std::sqrt(inner(S_.data(), S_.data(), S_.size()));
    orthonormalise();
    for (Index sweep = 0; size > 0 && sweep < sweeps; ++sweep)
      if (!step(std::sqrt(static_cast<double>(k_)) / size)) break;
    for (Index t = 0, at = 0; t < d_; ++t)
      for (Index j = 0; j < k_; ++j, ++at) Ht_(t, j) = static_cast<float>(F_[at]);
  }

 private:
  HostView<const double> rows_of(const std::vector<double>& A, Index begin, Index count) const {
    return {A.data() + begin * k_, count, k_, k_};
  }
  HostView<const double> square(const Square& A) const { return {A.data(), k_, k_, k_}; }

  // Aᵀ·B.
  Square product(const std::vector<double>& A, const std::vector<double>& B) const {
    std::vector<double> sum =
        sum_over_rows(d_, static_cast<std::size_t>(k_ * k_), job_,
                      [&](Index begin, Index count, std::vector<double>& block) {
                        multiply_at_b(rows_of(A, begin, count), rows_of(B, begin, count),
                                      {block.data(), k_, k_, k_});
                      });
    return sum;
  }

  // Calls change(row of A·B, its index) for all rows of A [d×k].
  template <class Change>
  void for_products(const std::vector<double>& A, const Square& B, Change change) const {
    over_rows(d_, sum_rows, job_, [&](Index begin, Index count) {
      std::vector<double> block(static_cast<std::size_t>(count * k_));
      multiply(rows_of(A, begin, count), square(B), {block.data(), count, k_, k_});
      for (Index i = 0; i < count; ++i) change(block.data() + i * k_, begin + i);
    });
  }

  // F (3 I − FᵀF) / 2 until FᵀF = I: Newton's iteration for the polar factor, which converges
  // quadratically. Björck & Bowie (1971), SIAM J. Numerical Analysis 8(2).
  void orthonormalise() {
    constexpr int most_rounds = 40;
    for (int round = 0;; ++round) {
      Square by = product(F_, F_);
      double distance = 0;
      for (Index i = 0; i < k_; ++i)
        for (Index j = 0; j < k_; ++j) {
          const double identity = i == j ? 1 : 0;
          distance = std::max(distance, std::abs(by[i * k_ + j] - identity));
          by[i * k_ + j] = (3 * identity - by[i * k_ + j]) / 2;
        }
      if (distance < 1e-12) return;
      expect(round < most_rounds, "the columns of H are nearly orthonormal");
      std::vector<double> next(F_.size());
      for_products(F_, by,
                   [&](const double* row, Index t) { std::copy_n(row, k_, next.data() + t * k_); });
      F_ = std::move(next);
    }
  }

  // Returns whether F changed.
  bool step(double unit) {
    FtS_ = product(F_, S_);
    Square symmetric(FtS_.size());
    E_.assign(FtS_.size(), 0.0);
    for (Index i = 0; i < k_; ++i)
      for (Index j = 0; j < k_; ++j) {
        symmetric[i * k_ + j] = (FtS_[i * k_ + j] + FtS_[j * k_ + i]) / 2;
        E_[i * k_ + j] = FtS_[j * k_ + i] - FtS_[i * k_ + j];
      }
    for_products(F_, symmetric, [&](const double* row, Index t) {
      for (Index j = 0; j < k_; ++j) G_[t * k_ + j] = 2 * (row[j] - S_[t * k_ + j]);
    });
    GtG_ = product(G_, G_);
    StG_ = product(S_, G_);
    double t = 0;
    std::vector<double> ab;
    on_pool([&] {
      t = best(unit);
      if (t > 0) ab = coefficients(t);
    });
    if (t > 0) move(t, ab);
    return t > 0;
  }

  // Line search from `unit` in the direction of growing gain; 0 if no step gains.
  double best(double unit) const {
    double t = unit;
    double gained = gain(t);
    const auto climb = [&](double factor) {
      bool climbed = false;
      for (int i = 0; i < most_doublings; ++i) {
        job_.cancellation.check();
        const double next = gain(t * factor);
        if (!(next > gained) && gained > 0) break;
        t *= factor;
        gained = next;
        climbed = true;
      }
      return climbed;
    };
    if (!(gained > 0) || !climb(2)) climb(0.5);
    return gained > 0 ? t : 0;
  }

  // F(t) = F − t (G a + F b) with (I + t/2 M) [a; b] = [I; E], M = [E, I; −GᵀG, E] and E = FᵀG, by
  // the formula of Sherman, Morrison and Woodbury. [aᵀ bᵀ] [k×2k].
  std::vector<double> coefficients(double t) const {
    const Index m = 2 * k_;
    std::vector<double> A(static_cast<std::size_t>(m * m));  // (I + t/2 M)ᵀ
    std::vector<double> B(static_cast<std::size_t>(k_ * m));
    for (Index i = 0; i < k_; ++i) {
      for (Index j = 0; j < k_; ++j) {
        const double of_E = -E_[i * k_ + j];  // E is skew-symmetric
        A[i * m + j] = A[(k_ + i) * m + k_ + j] = t / 2 * of_E;
        A[i * m + k_ + j] = -t / 2 * GtG_[i * k_ + j];
        B[i * m + k_ + j] = of_E;
      }
      A[i * m + i] += 1;
      A[(k_ + i) * m + k_ + i] += 1;
      A[(k_ + i) * m + i] = t / 2;
      B[i * m + i] = 1;
    }
    divide_rows({B.data(), k_, m, m}, {A.data(), m, m, m});
    return B;
  }

  // ⟨S, F(t)⟩ − ⟨S, F⟩.
  double gain(double t) const {
    const std::vector<double> ab = coefficients(t);
    double sum = 0;
    for (Index i = 0; i < k_; ++i)
      for (Index j = 0; j < k_; ++j)
        sum += StG_[i * k_ + j] * ab[i * 2 * k_ + j] + FtS_[j * k_ + i] * ab[i * 2 * k_ + k_ + j];
    return -t * sum;
  }

  void move(double t, const std::vector<double>& ab) {
    Square a(FtS_.size());
    Square b(FtS_.size());
    for (Index i = 0; i < k_; ++i)
      for (Index j = 0; j < k_; ++j) {
        a[j * k_ + i] = ab[i * 2 * k_ + j];
        b[j * k_ + i] = ab[i * 2 * k_ + k_ + j];
      }
    std::vector<double> next = F_;
    const auto subtract = [&](const double* row, Index at) {
      for (Index j = 0; j < k_; ++j) next[at * k_ + j] -= t * row[j];
    };
    for_products(G_, a, subtract);
    for_products(F_, b, subtract);
    F_ = std::move(next);
  }

  const std::vector<double>& S_;  // [d×k]
  const HostView<float> Ht_;
  const Job& job_;
  const Index d_;
  const Index k_;
  std::vector<double> F_;  // [d×k]
  std::vector<double> G_;  // [d×k]
  Square FtS_;
  Square E_;
  Square GtG_;
  Square StG_;
};

}  // namespace

void cayley_steps(const std::vector<double>& S, Index sweeps, HostView<float> Ht, const Job& job) {
  CayleySteps(S, Ht, job).run(sweeps);
}

}  // namespace gemmine::cpu
