// Models with special loops or steps, compared with their formulae in float64: orthonormal
// components, and a model that is not monotone.
#include <limits>
#include <numeric>

#include "core/pool.h"
#include "factorization/factors.h"
#include "models_fixtures.h"

namespace {

using namespace test;

// ---- Orthonormal components.

double distance_from_orthonormal(const Dense& H) {
  double worst = 0;
  for (Index a = 0; a < H.rows; ++a)
    for (Index b = 0; b < H.rows; ++b) {
      double sum = a == b ? -1 : 0;
      for (Index t = 0; t < H.cols; ++t) sum += double{H(a, t)} * H(b, t);
      worst = std::max(worst, std::abs(sum));
    }
  return worst;
}

FitOptions orthonormal_options(Start start, Index iterations) {
  return options(Model::semi_orthogonal_nmf, Solver::cayley, start, iterations);
}

void components_stay_orthonormal() {
  for (const Dense& X : {gaussian(90, 20, 71), planted(300, 40, 6, 72), zeros(30, 8),
                         filled(40, 12, [](Index, Index) { return 2; }), gaussian(5, 5, 3)})
    for (const Start start : {Start::svd, Start::random})
      for (const Index k : {1, 3, 5})
        for (const Index iterations : {0, 1, 2, 3, 4, 5, 6, 7, 8, 30}) {
          const Fitted result = fitted(X, k, orthonormal_options(start, iterations));
          check(distance_from_orthonormal(result.H) < 1e-6, "H Hᵀ = I after every iteration");
        }
  const Dense X = gaussian(200, 30, 4);
  check(distance_from_orthonormal(fitted(X, 30, orthonormal_options(Start::svd, 2000)).H) < 1e-6,
        "rounding does not add up over 2000 iterations");
}

void orthonormal_runs_obey_the_laws() {
  for (const Dense& X : {gaussian(90, 20, 71), planted(4200, 12, 4, 79), zeros(30, 8)})
    for (const Start start : {Start::svd, Start::random})
      for (const Index steps : {1, 4}) {
        FitOptions o = orthonormal_options(start, 100);
        o.inner_sweeps = steps;
        expect_lawful(X, fitted(X, 4, o), o, "orthonormal");
      }
}

void orthonormal_runs_agree_with_the_formula() {
  const Dense X = gaussian(80, 17, 9);
  for (const Start start : {Start::svd, Start::random}) {
    const FitOptions o = orthonormal_options(start, 12);
    const Fitted theirs = fitted(*tried_devices()[0], *X.source(), 4, o);
    const Fitted ours = fitted(X, 4, o);
    for (std::size_t t = 0; t < ours.run.objective.size(); ++t)
      near(ours.run.objective[t] / theirs.run.objective[t], 1, 1e-5, "against the formula");
    check(relative_difference(widened(theirs.H), ours.H) < 1e-3, "H against the formula");
    for (const Index threads : {1, 3}) same_bits_of(ours, fitted(X, 4, o, threads), "threads");
  }
}

// The best H for a W is the polar factor of S = XᵀW, where ⟨S, Ht⟩ is the sum of S's singular
// values: steps on steps end there.
void many_steps_end_at_the_polar_factor() {
  const Dense X = gaussian(40, 9, 11);
  const Fitted start = fitted(X, 3, orthonormal_options(Start::random, 0));
  const Matrix S = oracle::multiply(oracle::transpose(widened(X)), widened(start.W));
  Matrix StS = oracle::multiply(oracle::transpose(S), S);
  double best = 0;
  for (const double square : oracle::symmetric_eigen({StS.data.data(), 3, 3, 3}))
    best += std::sqrt(square);
  for (Passes* device : tried_devices()) {
    FitOptions o = orthonormal_options(Start::random, 1);
    o.inner_sweeps = 300;
    const Fitted result = fitted(*device, X, 3, o);
    near(oracle::inner(S, oracle::transpose(widened(result.H))) / best, 1, 1e-6, "polar factor");
  }
}

// X = W H with orthonormal H and rows that use one component each.
void planted_orthonormal_components_are_found() {
  const Fitted frame = fitted(gaussian(50, 24, 1), 5, orthonormal_options(Start::svd, 0));
  const Dense codes = filled(300, 5, [](Index i, Index j) {
    return i % 5 == j ? 1 + (i % 7) * 0.25 + 0.2 * static_cast<double>(j) : 0;
  });
  const Dense X = product(codes, frame.H);
  const Fitted found = fitted(X, 5, orthonormal_options(Start::svd, 300));
  check(found.run.relative_error < 1e-3,
        "planted components: " + std::to_string(found.run.relative_error));
}

// The scale is that of the codes; where they leave float32, the row is named.
void codes_take_the_scale() {
  const Dense plain = gaussian(60, 12, 2);
  const Fitted first = fitted(plain, 3, orthonormal_options(Start::svd, 10));
  for (const int power : {100, -90}) {
    Dense X = plain;
    for (float& value : X.values) value = std::ldexp(value, power);
    const Fitted other = fitted(X, 3, orthonormal_options(Start::svd, 10));
    same_bits(first.H.values.data(), other.H.values.data(), first.H.values.size(), "H");
    near(std::ldexp(other.W(3, 1), -power), first.W(3, 1), 0, "W");
    near(other.run.relative_error, first.run.relative_error, 0, "relative error");
  }
  const Dense huge = filled(6, 9, [](Index i, Index) { return i == 4 ? 3e38 : 1e38; });
  throws<InvalidEntry>([&] { fitted(huge, 1, orthonormal_options(Start::svd, 3)); },
                       [](const InvalidEntry& error) { check(error.row == 4, "the longest row"); },
                       "codes beyond float32");
}

// ---- Orthonormal components of log-odds.

Dense binary(Index n, Index d, std::uint64_t seed) {
  Dense X = planted(n, d, 4, seed);
  for (float& x : X.values) x = x > 0.5f ? 1 : 0;
  return X;
}

FitOptions logistic_options(Start start, Index iterations) {
  FitOptions o = orthonormal_options(start, iterations);
  o.loss = {LossKind::logistic, 2};
  return o;
}

void logistic_runs_agree_with_the_formula() {
  const Dense X = binary(70, 19, 9);
  for (const Start start : {Start::svd, Start::random}) {
    const FitOptions o = logistic_options(start, 12);
    const Fitted theirs = fitted(*tried_devices()[0], *X.source(), 4, o);
    const Fitted ours = fitted(X, 4, o);
    for (std::size_t t = 0; t < ours.run.objective.size(); ++t)
      near(ours.run.objective[t] / theirs.run.objective[t], 1, 1e-5, "logistic, by the formula");
    expect_falling(ours.run.objective, 0, "the logistic loss");
    near(ours.run.relative_error, theirs.run.relative_error, 1e-5, "error of probabilities");
    check(relative_difference(widened(theirs.H), ours.H) < 1e-3, "H of the logistic loss");
    check(distance_from_orthonormal(ours.H) < 1e-6, "H Hᵀ = I under the logistic loss");
    for (const Index threads : {1, 3}) same_bits_of(ours, fitted(X, 4, o, threads), "threads");
  }
}

void entries_other_than_0_and_1_are_named() {
  Dense X = binary(30, 7, 3);
  X(11, 4) = 0.5f;
  for (Passes* device : tried_devices())
    throws<InvalidEntry>([&] { fitted(*device, *X.source(), 2, logistic_options(Start::svd, 1)); },
                         [](const InvalidEntry& e) { check(e.row == 11, "the row of 0.5"); },
                         "an entry that is not 0 or 1");
}

// ---- The code of Shafran, Geiger & Geva, reference/factorization.md 2.1: not monotone.

FitOptions snmf_options(double kept_share, Index iterations) {
  FitOptions o = options(Model::snmf, Solver::mu, Start::random, iterations);
  o.kept_share = kept_share;
  return o;
}

// F ← A G (GᵀG + 1e-6 I)⁻¹, its largest entries by column, and G's columns to unit length.
void snmf_columns(const Matrix& X, double share, Matrix& G, Matrix& F) {
  Matrix GtG = oracle::multiply(oracle::transpose(G), G);
  for (Index j = 0; j < G.cols; ++j) GtG(j, j) += 1e-6;
  const Matrix AG = oracle::multiply(oracle::transpose(X), G);
  F = oracle::transpose(naive::divided(GtG, oracle::transpose(AG)));
  const auto count = static_cast<std::size_t>(std::ceil(share * static_cast<double>(F.rows)));
  for (Index j = 0; j < F.cols; ++j) {
    std::vector<double> sizes;
    for (Index t = 0; t < F.rows; ++t) sizes.push_back(std::abs(F(t, j)));
    std::ranges::sort(sizes, std::greater<>());
    double norm = 0;
    for (Index i = 0; i < G.rows; ++i) norm += G(i, j) * G(i, j);
    norm = std::max(std::sqrt(norm), 1e-8);
    for (Index t = 0; t < F.rows; ++t)
      F(t, j) = std::abs(F(t, j)) >= sizes[count - 1] ? F(t, j) * norm : 0;
    for (Index i = 0; i < G.rows; ++i) G(i, j) /= norm;
  }
}

// G ← G ⊙ √((P⁺ + G Q⁻) / (P⁻ + G Q⁺ + 1e-6)).
void snmf_rows(const Matrix& X, const Matrix& F, Matrix& G) {
  const Matrix P = oracle::multiply(X, F);
  const Matrix Q = oracle::multiply(oracle::transpose(F), F);
  Matrix plus = Q;
  Matrix minus = Q;
  for (double& q : plus.data) q = std::max(q, 0.0);
  for (double& q : minus.data) q = std::max(-q, 0.0);
  const Matrix GQplus = oracle::multiply(G, plus);
  const Matrix GQminus = oracle::multiply(G, minus);
  for (std::size_t i = 0; i < G.data.size(); ++i)
    G.data[i] *= std::sqrt((std::max(P.data[i], 0.0) + GQminus.data[i]) /
                           (std::max(-P.data[i], 0.0) + GQplus.data[i] + 1e-6));
}

// X with its largest entry in [1, 2), where the small numbers of the code are those of ours.
Dense activations(Index n, Index d, std::uint64_t seed) {
  Dense X = planted(n, d, 6, seed);
  const Dense noise = gaussian(n, d, seed + 9);
  double largest = 0;
  for (std::size_t i = 0; i < X.values.size(); ++i) {
    X.values[i] += 0.3f * noise.values[i];
    largest = std::max(largest, std::abs(double{X.values[i]}));
  }
  for (float& x : X.values) x = static_cast<float>(x / largest * 1.5);
  return X;
}

void snmf_agrees_with_its_formulae() {
  const Dense X = activations(90, 40, 21);
  for (Passes* device : tried_devices())
    for (const double share : {1.0, 0.25, 0.1}) {
      constexpr Index iterations = 12;
      const auto run = [&](Index t) { return fitted(*device, X, 5, snmf_options(share, t)); };
      const Fitted start = run(0);
      Matrix G = widened(start.W);
      Matrix F = oracle::transpose(widened(start.H));
      const Fitted ours = run(iterations);
      Matrix best_G = G;
      double best = oracle::squared_error(widened(X), G, F);
      near(ours.run.objective[0] / best, 1, 1e-5, "the start");
      for (Index t = 1; t <= iterations; ++t) {
        snmf_columns(widened(X), share, G, F);
        snmf_rows(widened(X), F, G);
        const double error = oracle::squared_error(widened(X), G, F);
        near(ours.run.objective[t] / error, 1, 1e-4,
             "snmf of " + std::to_string(share) + ", iteration " + std::to_string(t));
        if (error < best) best_G = G;
        best = std::min(best, error);
      }
      near(squared_error(X, ours.W, ours.H) / best, 1, 1e-4, "the best pair comes back");
      // Both factors may share the scale in any way.
      const double ratio = ours.W(3, 2) / best_G(3, 2);
      for (double& g : best_G.data) g *= ratio;
      check(relative_difference(best_G, ours.W) < 1e-2, "G");
    }
}

void snmf_keeps_its_best_pair() {
  const Dense X = activations(200, 100, 5);
  bool rose = false;
  for (const double share : {0.05, 0.2, 1.0}) {
    const Fitted one = fitted(X, 10, snmf_options(share, 150), 1);
    const std::vector<double>& f = one.run.objective;
    const double best = *std::ranges::min_element(f);
    check(f.size() == 151, "all iterations");
    for (std::size_t t = 1; t < f.size(); ++t) rose = rose || f[t] > f[t - 1] * 1.0001;
    const double error = squared_error(X, one.W, one.H);
    near(error / best, 1, 1e-4, "the pair of the lowest objective");
    near(one.run.relative_error, std::sqrt(error / squares(X)), 1e-6, "its relative error");
    check(signs_hold(one.W), "codes are not negative");
    const auto most = static_cast<Index>(std::ceil(share * 100));
    for (Index j = 0; j < 10; ++j) {
      Index count = 0;
      for (Index t = 0; t < 100; ++t) count += one.H(j, t) != 0;
      check(count <= most, "as many neurons as asked for");
    }
    for (const Index threads : {2, 3})
      same_bits_of(one, fitted(X, 10, snmf_options(share, 150), threads), "snmf");
  }
  check(rose, "the model is not monotone");
}

void snmf_stops_by_patience() {
  const Dense X = activations(200, 100, 5);
  FitOptions o = snmf_options(0.05, 500);
  o.tolerance = 1e-4;
  o.patience = 20;
  const Fitted stopped = fitted(X, 10, o);
  check(stopped.run.converged && stopped.run.iterations < 500, "stops");
  const std::vector<double>& f = stopped.run.objective;
  const auto best = std::ranges::min_element(f) - f.begin();
  check(stopped.run.iterations >= best && stopped.run.iterations >= 20, "after its patience");
}

void edges_of_snmf() {
  for (const Dense& X : {zeros(30, 8), gaussian(1, 1, 2), gaussian(20, 1, 3), gaussian(4, 30, 4)}) {
    const Fitted result = fitted(X, 2, snmf_options(0.01, 20));
    for (const float value : result.W.values) check(std::isfinite(value), "finite W");
    for (const float value : result.H.values) check(std::isfinite(value), "finite H");
  }
}

// ---- What devices provide for them.

void the_largest_of_each_column_stay() {
  for (Passes* device : tried_devices()) {
    const Dense start{4, 3, {1, 5, 0, -3, 5, 0, 2, -5, 0, 0.5f, 1, 0}};
    const BackendMatrix on_device(*device, 4, 3);
    device->upload(start.view(), on_device.view());
    device->keep_largest(2, on_device.view(), job());
    Dense after = zeros(4, 3);
    device->download(on_device.view(), after.view());
    const std::vector<float> expected = {0, 5, 0, -3, 5, 0, 2, -5, 0, 0, 0, 0};
    check(after.values == expected, "two of each column, more where they tie");
    device->upload(start.view(), on_device.view());
    device->keep_largest(4, on_device.view(), job());
    device->download(on_device.view(), after.view());
    check(after.values == start.values, "all");
  }
}

}  // namespace

int main() {
  set_pool_threads(3);
  the_largest_of_each_column_stay();
  components_stay_orthonormal();
  orthonormal_runs_obey_the_laws();
  orthonormal_runs_agree_with_the_formula();
  many_steps_end_at_the_polar_factor();
  planted_orthonormal_components_are_found();
  codes_take_the_scale();
  logistic_runs_agree_with_the_formula();
  entries_other_than_0_and_1_are_named();
  snmf_agrees_with_its_formulae();
  snmf_keeps_its_best_pair();
  snmf_stops_by_patience();
  edges_of_snmf();
  stop_pool();
  return test::report("models");
}
