// Models of hulls and simplices, and their operations, compared with naive float64.
#include <numeric>

#include "core/pool.h"
#include "devices.h"
#include "fixtures.h"
#include "models_fixtures.h"

namespace {

using namespace test;

// ---- Operations.

void simplex_rows_agree_with_the_formula(Passes& device) {
  for (const StepKind kind : {StepKind::simplex, StepKind::capped_simplex})
    for (const Index k : {1, 2, 5, 13})
      for (const Index sweeps : {1, 3, 100}) {
        const Matrix H = oracle::random(20, k, 1);
        const Matrix cross = oracle::multiply(oracle::random(33, 20, 2), H);
        const Factor C(device, cross);
        const Factor ours(device, oracle::random(33, k, 3, true));
        std::vector<float> theirs = ours.floats();
        const Step step{.kind = kind, .l1 = 0, .l2 = 0, .sweeps = sweeps, .relaxation = 1};
        const std::vector<float> rounded = cross.floats();
        naive::simplex({rounded.data(), 33, k, k}, normal_of(H), step, {theirs.data(), 33, k, k});
        device.improve(step, C.view(), normal_of(H), ours.view(), job_of(2));
        const Matrix W = ours.matrix();
        close(W.data, {theirs.begin(), theirs.end()}, 2e-5,
              "rows on the simplex, k " + std::to_string(k) + ", sweeps " + std::to_string(sweeps));
        for (Index i = 0; i < 33; ++i) {
          const double sum =
              std::accumulate(W.data.begin() + i * k, W.data.begin() + (i + 1) * k, 0.0);
          check(kind == StepKind::simplex ? std::abs(sum - 1) < 1e-6 : sum < 1 + 1e-6, "sums");
        }
      }
}

// At the minimum no weight has a higher slope than any other component.
void many_exchanges_end_at_the_minimum(Passes& device) {
  for (const StepKind kind : {StepKind::simplex, StepKind::capped_simplex}) {
    const Index k = 9;
    const Matrix H = oracle::random(30, k, 4);
    const Matrix cross = oracle::multiply(oracle::random(40, 30, 5), H);
    const Factor W(device, Matrix(40, k));
    device.improve({.kind = kind, .l1 = 0, .l2 = 0, .sweeps = 500, .relaxation = 1},
                   Factor(device, cross).view(), normal_of(H), W.view(), job_of(3));
    const Matrix slopes = oracle::multiply(W.matrix(), gram_of(H));
    for (Index i = 0; i < 40; ++i) {
      double lowest = kind == StepKind::capped_simplex ? 0 : 1e300;
      for (Index j = 0; j < k; ++j) lowest = std::min(lowest, slopes(i, j) - cross(i, j));
      for (Index j = 0; j < k; ++j)
        check(W.matrix()(i, j) * (slopes(i, j) - cross(i, j) - lowest) < 1e-4, "optimal");
    }
  }
}

void shifted_steps_are_clipped(Passes& device) {
  const Matrix F = oracle::random(21, 3, 1, true);
  const Matrix C = oracle::random(21, 3, 2);
  const NormalMatrix shifts({0.25, 7, 7, 7, -0.5, 7, 7, 7, 0}, 3, 0, false);
  const Factor factor(device, F);
  device.improve({.kind = StepKind::shifted_ascent, .l1 = 0, .l2 = 0, .sweeps = 1, .relaxation = 1},
                 Factor(device, C).view(), shifts, factor.view(), job_of(2));
  Matrix expected = F;
  for (Index i = 0; i < 21; ++i)
    for (Index j = 0; j < 3; ++j)
      expected(i, j) = std::max(0.0, F(i, j) + C(i, j) - shifts.gram()[4 * j]);
  close(factor.matrix().data, expected.data, 1e-6, "a shifted step");
}

void squared_products_are_those_of_float64(Passes& device) {
  const Matrix X = oracle::random(211, 17, 6);
  const Csr sparse(X);
  const std::vector<float> floats = X.floats();
  const auto dense = dense_source(floats.data(), ElementType::float32, 211, 17, 17);
  const auto compressed = sparse.source();
  for (const RowSource* source : {dense.get(), compressed.get()})
    for (const Index columns : {0, 1, 5}) {
      const Matrix B = oracle::random(17, columns, 7);
      const HostView<const double> view{B.data.data(), 17, columns, columns};
      const std::vector<double> own = device.squared_products(*source, 2, view, job_of(1));
      check(own == device.squared_products(*source, 2, view, job_of(3)),
            "the same for all threads");
      close(own, naive_squared_products(*source, 2, view), 1e-14, "squared products");
    }
}

void operations(Passes& device) {
  simplex_rows_agree_with_the_formula(device);
  many_exchanges_end_at_the_minimum(device);
  shifted_steps_are_clipped(device);
  squared_products_are_those_of_float64(device);
}

// ---- Models.

struct Scene {
  std::string name;
  FitOptions options;
  bool nonnegative;
};

std::vector<Scene> scenes(Index iterations) {
  std::vector<Scene> all;
  const auto add = [&](const char* name, Model model, Solver solver, Start start) -> FitOptions& {
    return all.emplace_back(name, options(model, solver, start, iterations), false).options;
  };
  constexpr Solver gradient = Solver::projected_gradient;
  for (const Start start : {Start::kmeans, Start::furthest_sum, Start::random})
    add("convex-nmf", Model::convex_nmf, gradient, start);
  for (const Start start : {Start::spa, Start::furthest_sum, Start::random}) {
    add("archetypal analysis", Model::archetypal_analysis, gradient, start);
    add("relaxed", Model::archetypal_analysis, gradient, start).hull.relaxation = 0.3;
    for (const bool at_most_one : {false, true}) {
      HullOptions& hull = add("minimum volume", Model::min_volume_nmf, Solver::hals, start).hull;
      hull.at_most_one = at_most_one;
      hull.volume = 0.2;
      hull.volume_offset = 0.1;
      all.back().nonnegative = true;
    }
  }
  add("separable", Model::separable_nmf, Solver::spa, Start::spa).max_iterations = 0;
  return all;
}

void runs_agree_with_the_naive_device() {
  const Dense X = planted(90, 14, 6, 31);
  GuardedPasses naive;
  for (const Scene& scene : scenes(8)) {
    const Dense entries = scene.nonnegative ? absolute(X) : X;
    const Fitted ours = fitted(entries, 4, scene.options);
    const Fitted theirs = fitted(naive, entries, 4, scene.options);
    check(ours.run.anchors == theirs.run.anchors, scene.name + ", anchors");
    check(ours.run.objective.size() == theirs.run.objective.size(), scene.name + ", iterations");
    for (std::size_t t = 0; t < ours.run.objective.size(); ++t)
      near(ours.run.objective[t] / theirs.run.objective[t], 1, 1e-3,
           scene.name + ", objective " + std::to_string(t));
    expect_falling(ours.run.objective, squares(entries), scene.name);
    for (const Index threads : {1, 3})
      same_bits_of(ours, fitted(entries, 4, scene.options, threads), scene.name);
  }
}

// The weights of rows in the caller's memory, and no factor in an iteration.
void weights_of_rows_make_the_components() {
  const Dense X = planted(60, 11, 5, 3);
  for (Scene& scene : scenes(7)) {
    if (scene.options.model != Model::convex_nmf && scene.name != "archetypal analysis") continue;
    Dense A = zeros(3, 60);
    scene.options.hull.A = A.view();
    const Fitted result = fitted(X, 3, scene.options);
    const Dense H = product(A, X);
    for (std::size_t i = 0; i < H.values.size(); ++i)
      near(result.H.values[i], H.values[i], 1e-5, scene.name + ", H = A X");
    for (Index j = 0; j < 3; ++j)
      near(std::accumulate(A.values.begin() + 60 * j, A.values.begin() + 60 * (j + 1), 0.0), 1,
           1e-5, scene.name + ", sums");
    check(signs_hold(A), scene.name + ", A >= 0");
  }
}

void iterations_leave_factors_on_the_device() {
  if (thread_sanitizer) return;
  const Dense X = absolute(planted(60, 11, 5, 3));
  const auto crossed = [&](FitOptions run, Index iterations) {
    GuardedPasses guarded;
    run.max_iterations = iterations;
    fitted(guarded, X, 3, run);
    return std::pair<Index, Index>(guarded.down, guarded.up);
  };
  for (const Scene& scene : scenes(0))
    check(crossed(scene.options, 2) == crossed(scene.options, 9),
          scene.name + ": more iterations download or upload nothing more");
}

}  // namespace

int main() {
  runs_agree_with_the_naive_device();
  weights_of_rows_make_the_components();
  iterations_leave_factors_on_the_device();
  operations(passes_for("cpu"));
  on_emulated_gpu(operations);
  on_guarded_memory(operations);
  return test::report("hulls");
}
