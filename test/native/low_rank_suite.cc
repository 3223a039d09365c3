// The start that iterates on singular vectors, on every device, beside the same iterations on the
// matrix in float64.
#include "devices.h"
#include "factorization_matrices.h"

namespace {

using namespace test;

struct Factor64 {
  Index rows;
  Index k;
  std::vector<double> now;
  std::vector<double> previous;

  double& operator()(Index i, Index j) { return now[i * k + j]; }
};

std::vector<double> gram_of(const Factor64& F) {
  std::vector<double> gram(F.k * F.k);
  for (Index i = 0; i < F.rows; ++i)
    for (Index a = 0; a < F.k; ++a)
      for (Index b = 0; b < F.k; ++b) gram[a * F.k + b] += F.now[i * F.k + a] * F.now[i * F.k + b];
  return gram;
}

// Naive NMF of X [m×p] ≈ F Gᵀ, m >= p: three sweeps for each factor, which then moves further by a
// share of its change; a pair that is worse than the one before it is undone. docs/math/nmf.md.
class Oracle {
 public:
  Oracle(const std::vector<double>& X, Factor64 F, Factor64 G)
      : X_(X), F_(std::move(F)), G_(std::move(G)) {}

  double run(int iterations) {
    double least = error();
    for (int t = 0; t < iterations; ++t) {
      const auto kept = std::pair(F_, G_);
      step(F_, G_, [&](Index i, Index c) { return X_[i * G_.rows + c]; });
      step(G_, F_, [&](Index c, Index i) { return X_[i * G_.rows + c]; });
      const double now = error();
      if (now > least) {
        std::tie(F_, G_) = kept;
        F_.previous = F_.now;
        G_.previous = G_.now;
        most_ = share_;
        share_ /= 1.5;
        continue;
      }
      least = now;
      share_ = std::min(most_, 1.01 * share_);
      most_ = std::min(1.0, 1.005 * most_);
    }
    return least;
  }

 private:
  template <class Entry>
  void step(Factor64& F, const Factor64& G, const Entry& entry) const {
    const std::vector<double> N = gram_of(G);
    for (Index i = 0; i < F.rows; ++i) {
      for (int sweep = 0; sweep < 3; ++sweep)
        for (Index j = 0; j < F.k; ++j) {
          double slope = 0;
          for (Index c = 0; c < G.rows; ++c) slope += entry(i, c) * G.now[c * G.k + j];
          for (Index l = 0; l < F.k; ++l) slope -= N[l * F.k + j] * F(i, l);
          if (N[j * F.k + j] > 0) F(i, j) = std::max(0.0, F(i, j) + slope / N[j * F.k + j]);
        }
      for (Index j = 0; j < F.k; ++j) {
        const double reached = F(i, j);
        double& before = F.previous[i * F.k + j];
        F(i, j) = std::max(0.0, reached + share_ * (reached - before));
        before = reached;
      }
    }
  }

  double error() {
    double sum = 0;
    for (Index i = 0; i < F_.rows; ++i)
      for (Index c = 0; c < G_.rows; ++c) {
        double left = X_[i * G_.rows + c];
        for (Index j = 0; j < F_.k; ++j) left -= F_(i, j) * G_(c, j);
        sum += left * left;
      }
    return sum;
  }

  std::vector<double> X_;
  Factor64 F_;
  Factor64 G_;
  double share_ = 0.5;
  double most_ = 1;
};

Factor64 widened(const Dense& F, double by) {
  Factor64 wide{F.rows, F.cols, {F.values.begin(), F.values.end()}, {}};
  for (double& value : wide.now) value *= by;
  wide.previous = wide.now;
  return wide;
}

Dense transposed(const Dense& A) {
  return filled(A.cols, A.rows, [&](Index i, Index j) { return A(j, i); });
}

Fitted start_of(Passes& device, const Dense& X, Index k, Start start, Index threads = 2) {
  return fitted(device, X, k, options(Model::nmf, Solver::hals, start, 0), threads);
}

// X = the sum of eight components lies in 15 singular vectors, so that none of it is lost.
void iterations_are_those_on_a_matrix_of_low_rank(Passes& device) {
  const Dense tall = product(absolute(gaussian(70, 8, 1)), absolute(gaussian(8, 40, 2)));
  for (const Dense& X : {tall, transposed(tall)}) {
    const Fitted before = start_of(device, X, 5, Start::nndsvdar);
    const Fitted after = start_of(device, X, 5, Start::low_rank);
    const Dense& long_X = X.rows >= X.cols ? X : tall;
    Factor64 W = widened(before.W, 1);
    Factor64 H = widened(transposed(before.H), 1);
    if (X.rows < X.cols) std::swap(W, H);
    const double expected = Oracle({long_X.values.begin(), long_X.values.end()}, W, H).run(100);
    check(expected < 0.5 * before.run.objective[0], "the oracle makes progress");
    near(after.run.objective[0] / expected, 1, 0.02, "the error after the start");
    check(signs_hold(after.W) && signs_hold(after.H), "factors stay non-negative");
  }
}

// What no product with X shows: all of an exact factorization is found, and zeros do no harm.
void exact_data_and_zeros(Passes& device) {
  const Dense X = product(absolute(gaussian(300, 3, 5)), absolute(gaussian(3, 50, 6)));
  const double left = start_of(device, X, 3, Start::low_rank).run.objective[0];
  check(left < 1e-5 * squares(X), "three components of three");
  check(left < start_of(device, X, 3, Start::nndsvdar).run.objective[0] / 100, "by iterations");
  const Dense none = zeros(40, 30);
  check(start_of(device, none, 3, Start::low_rank).run.objective[0] == 0, "zeros");
}

void threads_do_not_change_bits(Passes& device) {
  const Dense X = absolute(gaussian(shortened(device, 3000), 60, 9));
  const Fitted one = start_of(device, X, 7, Start::low_rank, 1);
  const Fitted three = start_of(device, X, 7, Start::low_rank, 3);
  check(one.W.values == three.W.values && one.H.values == three.H.values, "bits by threads");
}

void low_rank_suite(Passes& device) {
  iterations_are_those_on_a_matrix_of_low_rank(device);
  exact_data_and_zeros(device);
  threads_do_not_change_bits(device);
}

}  // namespace

int main() {
  each_device(low_rank_suite);
  return test::report("low_rank");
}
