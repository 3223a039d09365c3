// Known answers of single steps, and theorems about the parts of starts.
#include <limits>

#include "devices.h"
#include "factorization/factors.h"
#include "factorization_matrices.h"

namespace {

using namespace test;

Dense transposed(const Dense& A) {
  return filled(A.cols, A.rows, [&](Index i, Index j) { return A(j, i); });
}

Dense matrix(Index rows, Index cols, std::vector<float> values) {
  return {rows, cols, std::move(values)};
}

// One step on `factor` [n×k] with X ≈ factor·otherᵀ.
Dense stepped(Passes& backend, StepKind kind, const Dense& X, const Dense& other,
              const Dense& factor, bool solves) {
  const Dense cross = product(X, other);
  const Dense gram32 = product(transposed(other), other);
  const std::vector<double> gram(gram32.values.begin(), gram32.values.end());
  const NormalMatrix normal(gram, other.cols, 0, solves);
  const BackendMatrix in(backend, cross.rows, cross.cols);
  const BackendMatrix out(backend, factor.rows, factor.cols);
  backend.upload(cross.view(), in.view());
  backend.upload(factor.view(), out.view());
  backend.improve({.kind = kind, .l1 = 0, .l2 = 0, .sweeps = 1, .relaxation = 1}, in.view(), normal,
                  out.view(), job());
  Dense result = factor;
  backend.download(out.view(), result.view());
  return result;
}

void expect_equal(const Dense& A, const std::vector<double>& expected, const std::string& name) {
  for (std::size_t i = 0; i < expected.size(); ++i) near(A.values[i], expected[i], 3e-6, name);
}

const Dense nine = matrix(3, 3, {1, 2, 3, 4, 5, 6, 7, 8, 10});
const Dense nine_W = matrix(3, 2, {1, 1, 1, 2, 2, 1});
const Dense nine_Ht = matrix(3, 2, {1, 1, 1, 2, 1, 3});

void one_iteration_of_hals(Passes& backend) {
  const Dense W = stepped(backend, StepKind::nonnegative_sweep, nine, nine_Ht, nine_W, false);
  expect_equal(W, {0, 1, 1, 1.85714286, 6.33333333, 1.07142857}, "HALS, W");
  const Dense Ht =
      stepped(backend, StepKind::nonnegative_sweep, transposed(nine), W, nine_Ht, false);
  expect_equal(Ht, {.96544402, 1.35509374, .93359073, 2.10619626, 1.05579151, 2.81083791},
               "HALS, H");
  near(squared_error(nine, W, transposed(Ht)), .98203991, 1e-5, "HALS, error");
}

void one_iteration_of_mu(Passes& backend) {
  const Dense Ht =
      stepped(backend, StepKind::multiplicative, transposed(nine), nine_W, nine_Ht, false);
  expect_equal(Ht, {1.72727273, 1.45454545, 1.4375, 2.35294118, 1.38095238, 3.26086957}, "MU, H");
  const Dense W = stepped(backend, StepKind::multiplicative, nine, Ht, nine_W, false);
  expect_equal(W, {.50390376, .55583263, .80649349, 1.58183176, 3.07674748, 1.57657222}, "MU, W");
  near(squared_error(nine, W, transposed(Ht)), 1.6442947, 1e-5, "MU, error");
}

// Ding, Li & Jordan (2010) from a k-means indicator, labels 0 0 1 1.
void iterations_of_semi_mu(Passes& backend) {
  const Dense X = matrix(4, 3, {1, -2, 0, 3, 1, -1, 0, 2, 4, -1, 0, 2});
  Dense W = matrix(4, 2, {1, .2f, 1, .2f, .2f, 1, .2f, 1});
  Dense Ht = stepped(backend, StepKind::solve, transposed(X), W, zeros(3, 2), true);
  expect_equal(Ht, {2.1875, -.9375, -.729167, 1.145833, -1.145833, 3.229167}, "semi MU, H");
  near(squared_error(X, W, transposed(Ht)), 11.5, 1e-5, "semi MU, error before");
  for (const double error : {8.9180683, 8.16209853, 7.75141205}) {
    W = stepped(backend, StepKind::sign_split, X, Ht, W, false);
    if (error > 8.5)
      expect_equal(W, {.865222, .213995, 1.118656, .188434, .189099, 1.144353, .213033, .830937},
                   "semi MU, W");
    Ht = stepped(backend, StepKind::solve, transposed(X), W, Ht, true);
    near(squared_error(X, W, transposed(Ht)), error, 1e-5, "semi MU, error");
  }
}

void steps_know_their_answers(Passes& device) {
  one_iteration_of_hals(device);
  one_iteration_of_mu(device);
  iterations_of_semi_mu(device);
}

// The infimum 0 of this problem is not attained: the factors grow without end.
void ill_posed_stays_finite(Passes& device) {
  const Dense X = matrix(3, 2, {1, 0, 0, 1, -1, 0});
  for (const Start start : {Start::random, Start::kmeans, Start::svd})
    for (const Solver solver : {Solver::hals, Solver::mu}) {
      FitOptions o = options(Model::semi_nmf, solver, start, shortened(device, 3000));
      const Fitted free = fitted(device, X, 2, o);
      expect_lawful(X, free, o, "ill-posed");
      o.penalties.l2_w = o.penalties.l2_h = 0.01;
      const Fitted bounded = fitted(device, X, 2, o);
      expect_lawful(X, bounded, o, "ill-posed, with a ridge");
      check(squares(bounded.H) < 1e4, "a ridge bounds H");
    }
}

struct Svd {
  Dense U;
  std::vector<double> s;
  Dense V;
};

Svd svd(Passes& device, const Dense& X, Index rank, Index oversamples, Index power_iterations) {
  Svd result{zeros(X.rows, rank), {}, zeros(rank, X.cols)};
  const SvdResult found = truncated_svd(
      device, *X.source(),
      {.rank = rank, .oversamples = oversamples, .power_iterations = power_iterations, .seed = 1},
      result.U.view(), result.V.view(), job());
  result.s = found.s;
  double left = 0;
  for (Index i = 0; i < X.rows; ++i)
    for (Index t = 0; t < X.cols; ++t) {
      double r = X(i, t);
      for (Index j = 0; j < rank; ++j) r -= result.U(i, j) * result.s[j] * result.V(j, t);
      left += r * r;
    }
  near(found.relative_error, squares(X) > 0 ? std::sqrt(left / squares(X)) : 0,
       1e-5 * found.relative_error + 1e-7, "relative error of an SVD");
  return result;
}

void expect_orthonormal(const Dense& rows, const std::string& name) {
  const Dense gram = product(rows, transposed(rows));
  for (Index i = 0; i < gram.rows; ++i)
    for (Index j = 0; j < gram.cols; ++j) near(gram(i, j), i == j, 2e-5, name);
}

// U diag(s) V with known s.
Dense with_spectrum(Passes& device, Index n, Index d, const std::vector<double>& s) {
  const auto r = static_cast<Index>(s.size());
  const Svd left = svd(device, gaussian(n, 2 * r, 3), r, 2 * r, 1);
  const Svd right = svd(device, gaussian(d, 2 * r, 4), r, 2 * r, 1);
  Dense US = left.U;
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < r; ++j) US(i, j) *= static_cast<float>(s[j]);
  return product(US, transposed(right.U));
}

void svd_finds_a_known_spectrum(Passes& device) {
  std::vector<double> s;
  for (int j = 0; j < 20; ++j) s.push_back(10 * std::pow(0.7, j));
  for (const auto& [n, d] : {std::pair<Index, Index>{300, 60}, {60, 300}, {40, 40}}) {
    for (const int power : {0, 90, -90}) {
      Dense X = with_spectrum(device, n, d, s);
      for (float& value : X.values) value = std::ldexp(value, power);
      const Svd found = svd(device, X, 8, 10, 4);
      for (int j = 0; j < 8; ++j)
        near(std::ldexp(found.s[j], -power) / s[j], 1, 1e-5, "a singular value");
      expect_orthonormal(transposed(found.U), "U");
      expect_orthonormal(found.V, "V");
      for (Index j = 0; j < 8; ++j) {
        const auto row = found.V.values.begin() + j * d;
        const auto largest = std::max_element(
            row, row + d, [](float a, float b) { return std::abs(a) < std::abs(b); });
        check(*largest > 0, "the largest entry of a row of V is positive");
      }
    }
  }
}

void svd_of_full_rank_is_exact(Passes& device) {
  for (const auto& [n, d] : {std::pair<Index, Index>{50, 12}, {12, 50}, {1, 9}, {9, 1}}) {
    const Dense X = gaussian(n, d, 8);
    const Svd full = svd(device, X, std::min(n, d), 10, 2);
    Dense US = full.U;
    for (Index i = 0; i < n; ++i)
      for (Index j = 0; j < US.cols; ++j) US(i, j) *= static_cast<float>(full.s[j]);
    check(squared_error(X, US, full.V) < 1e-10 * squares(X), "U diag(s) V is X");
  }
}

void svd_completes_deficient_matrices(Passes& device) {
  for (const Dense& X : {zeros(30, 10), planted(50, 20, 3, 5)}) {
    const Svd found = svd(device, X, 6, 4, 2);
    expect_orthonormal(transposed(found.U), "U of a deficient matrix");
    expect_orthonormal(found.V, "V of a deficient matrix");
    for (std::size_t j = squares(X) > 0 ? 3 : 0; j < 6; ++j)
      check(found.s[j] <= 1e-7 * found.s[0], "no singular value beyond the rank");
  }
}

// Gillis & Kumar (2015): semi-NMF of rank k starts at the error of the best rank k − 1 matrix.
void svd_start_is_as_good_as_the_svd(Passes& device) {
  std::vector<double> s;
  for (int j = 0; j < 20; ++j) s.push_back(10 * std::pow(0.7, j));
  const Dense X = with_spectrum(device, 200, 50, s);
  for (const Index k : {2, 3, 8}) {
    double left = 0;
    for (std::size_t j = k - 1; j < s.size(); ++j) left += s[j] * s[j];
    const FitOptions o = options(Model::semi_nmf, Solver::hals, Start::svd, 1);
    near(fitted(device, X, k, o).run.objective[0] / left, 1, 1e-4, "the error of the start");
  }
}

void nndsvd_finds_rank_one(Passes& device) {
  const Dense X = product(absolute(gaussian(40, 1, 1)), absolute(gaussian(1, 15, 2)));
  const FitOptions o = options(Model::nmf, Solver::hals, Start::nndsvd, 1);
  check(fitted(device, X, 1, o).run.objective[0] < 1e-11 * squares(X), "a bᵀ is its own NNDSVD");
}

KmeansResult clustered(Passes& device, const Dense& X, Index clusters, Index iterations,
                       Dense& centers, std::vector<std::int32_t>& labels) {
  centers = zeros(clusters, X.cols);
  labels.assign(X.rows, -1);
  return kmeans(device, *X.source(),
                {.clusters = clusters, .max_iterations = iterations, .tolerance = 0, .seed = 3},
                labels.data(), centers.view(), job());
}

double squared_distance(const Dense& X, Index i, const Dense& centers, Index j) {
  double sum = 0;
  for (Index t = 0; t < X.cols; ++t) {
    const double difference = double{X(i, t)} - centers(j, t);
    sum += difference * difference;
  }
  return sum;
}

void expect_nearest(const Dense& X, const Dense& centers, const std::vector<std::int32_t>& labels,
                    double inertia) {
  double total = 0;
  for (Index i = 0; i < X.rows; ++i) {
    const double own = squared_distance(X, i, centers, labels[i]);
    total += own;
    for (Index j = 0; j < centers.rows; ++j)
      check(own <= squared_distance(X, i, centers, j), "the nearest centre");
  }
  near(inertia, total, 1e-12 * total, "inertia");
}

void kmeans_finds_planted_clusters(Passes& device) {
  const Dense truth = gaussian(7, 30, 1);
  const Dense noise = gaussian(6000, 30, 2);
  const Dense X =
      filled(6000, 30, [&](Index i, Index j) { return 9 * truth(i % 7, j) + noise(i, j); });
  Dense centers;
  std::vector<std::int32_t> labels;
  const KmeansResult found = clustered(device, X, 7, 50, centers, labels);
  check(found.converged, "k-means converges");
  for (Index i = 7; i < 6000; ++i) check(labels[i] == labels[i % 7], "a planted cluster");
  near(found.inertia / (6000 * 30), 1, 0.02, "the inertia is that of the noise");
  expect_nearest(X, centers, labels, found.inertia);
}

void kmeans_on_edges(Passes& device) {
  Dense centers;
  std::vector<std::int32_t> labels;
  for (const Dense& X : {gaussian(5, 3, 1), zeros(20, 4), gaussian(1, 1, 1)})
    for (const Index clusters : {1, 3, 8}) {
      const KmeansResult found = clustered(device, X, clusters, 20, centers, labels);
      expect_nearest(X, centers, labels, found.inertia);
      if (clusters >= X.rows) near(found.inertia, 0, 1e-10, "a centre for each row");
    }
}

// Every cluster but one is far away and tiny: seeds drawn blindly leave some centres empty.
void kmeans_separates_outliers(Passes& device) {
  const Dense X = filled(500, 2, [](Index i, Index j) {
    return i < 6 ? 100.0 * (j == 0 ? std::cos(i) : std::sin(i)) : 0.01 * ((i * (j + 3)) % 7);
  });
  Dense centers;
  std::vector<std::int32_t> labels;
  check(clustered(device, X, 7, 30, centers, labels).inertia < 1,
        "outliers have centres of their own");
}

void transform_finds_the_codes(Passes& device) {
  for (const Model model : {Model::semi_nmf, Model::nmf})
    for (const int power : {0, 100}) {
      Dense X = model == Model::nmf ? absolute(planted(300, 40, 6, 72)) : planted(300, 40, 6, 72);
      for (float& value : X.values) value = std::ldexp(value, power);
      const Fitted trained = fitted(device, X, 6, options(model, Solver::hals, Start::kmeans, 100));
      Dense W = zeros(300, 6);
      const double error =
          transform(device, *X.source(), trained.H.view(),
                    {.model = model, .loss = frobenius_loss, .l1_w = 0, .l2_w = 0}, W.view(), job())
              .relative_error;
      check(error <= 1.001 * trained.run.relative_error + 1e-6, "as good as in training");
      check(signs_hold(W), "codes are not negative");
      near(std::sqrt(squared_error(X, W, trained.H) / squares(X)), error, 1e-4 * error + 4e-6,
           "relative error of the codes");
    }
}

// ⟨WH − X, WH⟩·2 + l1 ΣW + 2 l2 ΣW² = 0 where the codes are optimal.
void transform_heeds_penalties(Passes& device) {
  const Dense X = absolute(gaussian(120, 30, 5));
  const Dense H = absolute(gaussian(5, 30, 6));
  Dense W = zeros(120, 5);
  transform(device, *X.source(), H.view(),
            {.model = Model::nmf, .loss = frobenius_loss, .l1_w = 3, .l2_w = 0.5}, W.view(), job());
  const Dense WH = product(W, H);
  double balance = 3 * sum_of_absolutes(W) + squares(W);
  for (std::size_t i = 0; i < X.values.size(); ++i)
    balance += 2.0 * (WH.values[i] - X.values[i]) * WH.values[i];
  near(balance, 0, 1e-4 * squares(WH), "stretching the codes gains nothing");
}

// Float32 sums, repaired in float64 where they overflow; columns in several blocks.
void inverse_transform_multiplies(Passes& device) {
  const Dense W = gaussian(300, 7, 1);
  const Dense H = gaussian(7, 520, 2);
  const Dense expected = product(W, H);
  Dense X = zeros(300, 520);
  inverse_transform(device, *W.source(), H.view(), X.view(), job());
  for (std::size_t i = 0; i < X.values.size(); ++i)
    near(X.values[i], expected.values[i], 1e-5, "an entry of W H");
}

void inverse_transform_overflows_late(Passes& device) {
  const float inf = std::numeric_limits<float>::infinity();
  const Dense W = matrix(2, 2, {1e30f, -1e30f, 1e30f, 1e-30f});
  const Dense H = matrix(2, 3, {1e30f, 1e-30f, 0, 1e30f, 1e30f, 1e-30f});
  const std::vector<float> expected = {0, -inf, -1, inf, 2, 0};
  const double starts[] = {0, 2, 4};
  const std::int32_t columns[] = {0, 1, 0, 1};
  const auto sparse = sparse_source(starts, columns, W.values.data(), 2, 2);
  const auto dense = W.source();
  for (const RowSource* source : {dense.get(), sparse.get()}) {
    Dense X = zeros(2, 3);
    inverse_transform(device, *source, H.view(), X.view(), job());
    for (std::size_t i = 0; i < 6; ++i)
      check(X.values[i] == expected[i] || std::abs(X.values[i] - expected[i]) < 1e-6,
            "an entry beyond the range of its terms");
  }
}

void known_answers(Passes& device) {
  steps_know_their_answers(device);
  ill_posed_stays_finite(device);
  svd_finds_a_known_spectrum(device);
  svd_of_full_rank_is_exact(device);
  svd_completes_deficient_matrices(device);
  svd_start_is_as_good_as_the_svd(device);
  nndsvd_finds_rank_one(device);
  kmeans_finds_planted_clusters(device);
  kmeans_on_edges(device);
  kmeans_separates_outliers(device);
  transform_finds_the_codes(device);
  transform_heeds_penalties(device);
  inverse_transform_multiplies(device);
  inverse_transform_overflows_late(device);
}

}  // namespace

int main() {
  known_answers(passes_for("cpu"));
  on_emulated_gpu(known_answers);
  on_guarded_memory(known_answers);
  return test::report("factorization_known_answers");
}
