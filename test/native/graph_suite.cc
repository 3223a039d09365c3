// A graph term on the codes, compared with its formulae in float64.
#include <limits>
#include <numeric>

#include "core/pool.h"
#include "factorization/factors.h"
#include "models_fixtures.h"

namespace {

using namespace test;

// ---- A graph term: X ≈ W H with λ tr(Wᵀ(D − A)W).

// Rows on a ring, each tied to the next ones; weights differ.
struct Ring {
  explicit Ring(Index n) : n(n), A(n, n), indptr{0} {
    for (Index i = 0; i < n; ++i)
      for (const Index step : {1, 3}) {
        const Index j = (i + step) % n;
        const float weight = 0.25f * static_cast<float>(1 + (i + j) % 4);
        A(i, j) = A(j, i) = i == j ? 0 : weight;
      }
    for (Index i = 0; i < n; ++i) {
      for (Index j = 0; j < n; ++j)
        if (A(i, j) != 0) {
          indices.push_back(static_cast<std::int32_t>(j));
          values.push_back(static_cast<float>(A(i, j)));
        }
      indptr.push_back(static_cast<double>(indices.size()));
    }
  }
  std::unique_ptr<RowSource> source() const {
    return sparse_source(indptr.data(), indices.data(), values.data(), n, n);
  }
  double degree(Index i) const {
    double sum = 0;
    for (Index j = 0; j < n; ++j) sum += A(i, j);
    return sum;
  }
  // tr(Wᵀ(D − A)W).
  double energy(const Matrix& W) const {
    double sum = 0;
    for (Index i = 0; i < n; ++i)
      for (Index j = 0; j < n; ++j)
        for (Index c = 0; c < W.cols; ++c)
          sum += A(i, j) * (W(i, c) - W(j, c)) * (W(i, c) - W(j, c)) / 2;
    return sum;
  }

  Index n;
  Matrix A;
  std::vector<double> indptr;
  std::vector<std::int32_t> indices;
  std::vector<float> values;
};

FitOptions graph_options(const RowSource& adjacency, double weight, Index iterations) {
  FitOptions o = options(Model::nmf, Solver::mu, Start::random, iterations);
  o.adjacency = &adjacency;
  o.penalties.graph = weight;
  return o;
}

// W ⊙ (X Ht + λ A W) / (W Q + λ D W), then H as ever.
void graph_iteration(const Matrix& X, const Ring& ring, double weight, Matrix& W, Matrix& Ht) {
  const Matrix P = oracle::multiply(X, Ht);
  const Matrix WQ = oracle::multiply(W, oracle::multiply(oracle::transpose(Ht), Ht));
  const Matrix AW = oracle::multiply(ring.A, W);
  for (Index i = 0; i < W.rows; ++i)
    for (Index j = 0; j < W.cols; ++j)
      W(i, j) *= (P(i, j) + weight * AW(i, j)) / (WQ(i, j) + weight * ring.degree(i) * W(i, j));
  oracle::multiplicative(oracle::multiply(oracle::transpose(X), W),
                         oracle::multiply(oracle::transpose(W), W), {0, 0}, Ht);
}

void graph_terms_agree_with_the_formula() {
  const Dense X = absolute(gaussian(60, 17, 9));
  const Ring ring(60);
  const auto adjacency = ring.source();
  for (Passes* device : tried_devices())
    for (const double weight : {0.0, 0.5, 40.0}) {
      const auto run = [&](Index iterations) {
        return fitted(*device, X, 4, graph_options(*adjacency, weight, iterations));
      };
      const Fitted start = run(0);
      Matrix W = widened(start.W);
      Matrix Ht = oracle::transpose(widened(start.H));
      for (int t = 0; t < 8; ++t) graph_iteration(widened(X), ring, weight, W, Ht);
      const Fitted ours = run(8);
      check(relative_difference(W, ours.W) < 1e-5, "W under a graph");
      check(relative_difference(oracle::transpose(Ht), ours.H) < 1e-5, "H under a graph");
      const double objective = oracle::squared_error(widened(X), W, Ht) + weight * ring.energy(W);
      near(ours.run.objective.back(), objective, 1e-5 * objective, "the objective with its term");
    }
}

void graph_terms_obey_the_laws() {
  const Ring ring(400);
  const auto adjacency = ring.source();
  for (const Dense& X :
       {absolute(gaussian(400, 30, 3)), absolute(planted(400, 30, 5, 7)), zeros(400, 30)})
    for (const double weight : {1e-6, 0.1, 10.0, 1e4, 1e8}) {
      const FitOptions o = graph_options(*adjacency, weight, 60);
      const Fitted one = fitted(X, 5, o, 1);
      expect_falling(one.run.objective, squares(X), "a graph of " + std::to_string(weight));
      check(signs_hold(one.W) && signs_hold(one.H), "signs under a graph");
      const double objective =
          squared_error(X, one.W, one.H) + weight * ring.energy(widened(one.W));
      near(one.run.objective.back(), objective, 1e-4 * objective + 1e-11 * squares(X),
           "the last objective is true");
      check(std::ranges::any_of(one.run.warnings,
                                [](const std::string& text) {
                                  return text.find("penalty on W alone") != std::string::npos;
                                }),
            "warns of a term that scaling evades");
      for (const Index threads : {2, 3}) same_bits_of(one, fitted(X, 5, o, threads), "graph");
    }
}

// Beyond float32: codes are as smooth as they can be, and finite.
void deadly_graphs_stay_finite() {
  const Ring ring(60);
  const auto adjacency = ring.source();
  for (const double weight : {1e15, 1e30, 1e300}) {
    const Dense X = absolute(gaussian(60, 17, 9));
    const Fitted result = fitted(X, 4, graph_options(*adjacency, weight, 100));
    for (const float value : result.W.values) check(std::isfinite(value), "finite W");
    for (const float value : result.H.values) check(std::isfinite(value), "finite H");
  }
}

// The same run where some entries are left out, by ratio steps.
void graph_terms_go_with_masks() {
  const Dense X = absolute(gaussian(60, 17, 9));
  const Ring ring(60);
  const auto adjacency = ring.source();
  const std::vector<std::uint8_t> all(60 * 17, 1);
  for (Passes* device : tried_devices()) {
    FitOptions o = graph_options(*adjacency, 3, 10);
    const Fitted plain = fitted(*device, X, 4, o);
    o.mask.seen = all.data();
    const Fitted masked = fitted(*device, X, 4, o);
    for (std::size_t t = 0; t <= 10; ++t)
      near(masked.run.objective[t] / plain.run.objective[t], 1, 1e-5, "a mask that hides nothing");
    o.mask.held_out = 0.3;
    expect_falling(fitted(*device, X, 4, o).run.objective, squares(X), "a graph beside a mask");
  }
}

// Codes of neighbours come closer; without edges nothing changes.
void graphs_smooth_codes() {
  const Dense X = absolute(gaussian(120, 20, 5));
  const Ring ring(120);
  const auto adjacency = ring.source();
  double before = std::numeric_limits<double>::infinity();
  for (const double weight : {0.0, 1.0, 100.0}) {
    FitOptions o = graph_options(*adjacency, weight, 100);
    o.penalties.l2_h = weight > 0 ? 0.1 : 0;
    const Fitted result = fitted(X, 4, o);
    const double roughness = ring.energy(widened(result.W)) / squares(result.W);
    check(roughness < before, "a heavier term makes smoother codes");
    before = roughness;
  }
  const std::vector<double> no_edges(121);
  const auto empty = sparse_source(no_edges.data(), nullptr, nullptr, 120, 120);
  const FitOptions lonely = graph_options(*empty, 5, 20);
  FitOptions halves = options(Model::nmf, Solver::mu, Start::random, 20);
  halves.penalties.graph = 5;  // the same split of the scale
  same_bits_of(fitted(X, 4, lonely), fitted(X, 4, halves), "a graph without edges");
}

void bad_graphs_are_named() {
  const Dense X = absolute(gaussian(60, 17, 9));
  const auto refused = [&](auto change, Index row, const std::string& expected) {
    Ring ring(60);
    change(ring);
    const auto adjacency = ring.source();
    adjacency->argument = "graph.adjacency";
    throws<InvalidEntry>([&] { fitted(X, 4, graph_options(*adjacency, 1, 3)); },
                         [&](const InvalidEntry& error) {
                           check(error.argument == "graph.adjacency" && error.row == row, "where");
                           check(error.expected.find(expected) == 0, error.expected);
                         },
                         expected);
  };
  refused([](Ring& ring) { ring.values[0] += 1; }, 0, "a symmetric matrix (0.5, as at row 1");
  refused([](Ring& ring) { ring.values[1] = -2; }, 0, "a non-negative number");
  refused([](Ring& ring) { ring.values[5] = NAN; }, 1, "a finite number");
  refused([](Ring& ring) { ring.indices[0] = 0; }, 1, "a symmetric matrix (0");
}

}  // namespace

int main() {
  set_pool_threads(3);
  graph_terms_agree_with_the_formula();
  graph_terms_obey_the_laws();
  deadly_graphs_stay_finite();
  graph_terms_go_with_masks();
  graphs_smooth_codes();
  bad_graphs_are_named();
  stop_pool();
  return test::report("graph");
}
