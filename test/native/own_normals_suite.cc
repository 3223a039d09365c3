// Conformance of passes in which each row has a normal matrix of its own, compared with naive
// float64; and the loop over them.
#include <cmath>

#include "devices.h"
#include "entry_scenes.h"
#include "factorization_matrices.h"
#include "naive_passes.h"

namespace {

using namespace test;

struct Scene {
  std::string name;
  const RowSource* X;
  Loss loss;
  Mask mask;
  std::span<const float> weights;
  StepKind row_step;
  StepKind column_step;
};

struct Outcome {
  std::vector<double> W;
  std::vector<double> Ht;
  std::vector<double> S;
  double loss;
  double curvature;
};

constexpr Index k = 5;

// One pass with its measure, its step and an extrapolation, and the step of the other side, for an
// H of any sign.
Outcome run(Passes& device, const Scene& scene, Index threads) {
  const Factor W(device, oracle::random(scene.X->rows(), k, 2, true));
  const Factor previous(device, oracle::random(scene.X->rows(), k, 7, true));
  const Factor Ht(device, oracle::random(scene.X->cols(), k, 3));
  const NormalMatrix unused(std::vector<double>(k * k), k, 0, false);
  const auto sums = device.make_sums(scene.X->cols(), k);
  const auto step = [](StepKind kind) {
    return Step{.kind = kind, .l1 = 0.3, .l2 = 0.2, .sweeps = 3, .relaxation = 1.2, .upper = 1.5};
  };
  const Group group{.Ht = Ht.view(),
                    .normal = unused,
                    .step = step(scene.row_step),
                    .W = W.view(),
                    .measure = Measure::divergence,
                    .accumulate = true,
                    .sums = *sums,
                    .mask = scene.mask,
                    .extrapolated = Extrapolated{.share = 0.3,
                                                 .kind = Extrapolation::nonnegative,
                                                 .previous = previous.view()},
                    .own_normals = true};
  device.pass({.X = *scene.X,
               .exponent = 1,
               .groups = {&group, 1},
               .loss = scene.loss,
               .row_weights = scene.weights},
              job_of(threads));
  const double curvature = device.own_curvature(*sums, Ht.view(), job_of(threads));
  device.improve_by_own_normals(step(scene.column_step), *sums, 0.01, Ht.view(), job_of(threads));
  return {W.matrix().data, Ht.matrix().data, device.cross(*sums), sums->incoming_divergence,
          curvature};
}

void agrees(Passes& device, const Scene& scene) {
  NaivePasses naive;
  const Outcome expected = run(naive, scene, 1);
  const Outcome one = run(device, scene, 1);
  close(one.W, expected.W, 5e-4, scene.name + ", W");
  close(one.Ht, expected.Ht, 2e-3, scene.name + ", Ht");
  test::near(one.loss / expected.loss, 1, 2e-5, scene.name + ", loss");
  test::near(one.curvature / expected.curvature, 1, 1e-4, scene.name + ", curvature");
  const Outcome three = run(device, scene, 3);
  test::same_bits(one.W.data(), three.W.data(), one.W.size(), scene.name + ", W by threads");
  test::same_bits(one.Ht.data(), three.Ht.data(), one.Ht.size(), scene.name + ", Ht by threads");
  test::same_bits(&one.loss, &three.loss, 1, scene.name + ", loss by threads");
}

void passes_agree(Passes& device) {
  const std::vector<Loss> losses = {{LossKind::divergence, 2, 2},
                                    {LossKind::huber, 2, 1, 0.5},
                                    {LossKind::row_length, 2, 1, 1},
                                    {LossKind::correntropy, 2, 1, 1.5},
                                    {LossKind::row_correntropy, 2, 1, 9}};
  for (const auto& [n, d] : {std::pair<Index, Index>{7, 5}, {130, 33}, {600, 40}}) {
    const Data data(shortened(device, n), d);
    const Mask bitmap{data.seen.data(), false, false, 0, 0};
    const Mask nan{nullptr, true, false, 0, 0};
    const Mask implicit{nullptr, false, true, 0, 0};
    for (const Loss& loss : losses) {
      const std::string name = name_of(loss_names, loss.kind);
      const auto scene = [&](const char* what, const auto& X, const Mask& mask,
                             std::span<const float> weights, StepKind rows, StepKind columns) {
        agrees(device, {name + " " + what, X.get(), loss, mask, weights, rows, columns});
      };
      const StepKind sweep = StepKind::nonnegative_sweep;
      const StepKind exact = StepKind::nonnegative_solve;
      scene("all", data.dense, no_mask, data.weights, sweep, sweep);
      scene("mask", data.dense, bitmap, {}, sweep, StepKind::solve);
      scene("NaN", data.missing, nan, data.weights, exact, exact);
      scene("implicit", data.sparse, implicit, data.weights, sweep, StepKind::signed_sweep);
      scene("sparse mask", data.sparse, bitmap, {}, exact, StepKind::solve);
    }
  }
}

// A share of the sums of the pass before stays, in the sums over other rows.
void sums_that_stay(Passes& device) {
  const Data data(shortened(device, 200), 30);
  const auto sums_of = [&](Passes& on, const RowSource& X) {
    const Factor W(on, oracle::random(X.rows(), k, 2, true));
    const Factor Ht(on, oracle::random(30, k, 3));
    const NormalMatrix normal = normal_of(Ht.matrix());
    const auto sums = on.make_sums(30, k);
    for (const Index begin : {Index{0}, X.rows() / 3}) {
      const Group group{.Ht = Ht.view(),
                        .normal = normal,
                        .step = std::nullopt,
                        .W = W.view(),
                        .measure = Measure::none,
                        .accumulate = true,
                        .sums = *sums,
                        .retained = begin == 0 ? 0 : 0.6};
      const RowRange rows{.begin = begin, .count = X.rows() / 3};
      on.pass({.X = X, .exponent = 0, .groups = {&group, 1}, .rows = rows}, job_of(2));
    }
    std::vector<double> all = on.cross(*sums);
    all.insert(all.end(), sums->gram.begin(), sums->gram.end());
    return all;
  };
  NaivePasses naive;
  for (const RowSource* X : {data.dense.get(), data.sparse.get()})
    close(sums_of(device, *X), sums_of(naive, *X), 1e-4, "sums of two ranges of rows");
}

// The loops over these passes on every device, from random factors.
void loops_lower_the_loss(Passes& device) {
  const Dense X = absolute(planted(shortened(device, 200), 20, 3, 5));
  const auto source = dense_source(X.values.data(), ElementType::float32, X.rows, X.cols, X.cols);
  std::vector<std::uint8_t> seen(X.values.size(), 1);
  for (std::size_t i = 0; i < seen.size(); i += 3) seen[i] = 0;
  const auto falls = [&](FitOptions of_fit, const char* what) {
    of_fit.extrapolated = of_fit.batch_rows == 0;
    const std::vector<double> f = fitted(device, *source, 3, of_fit).run.objective;
    test::check(*std::ranges::min_element(f) < 0.2 * f[0], what);
    for (std::size_t t = 1; of_fit.extrapolated && t < f.size(); ++t)
      test::check(f[t] <= f[t - 1] * (1 + 1e-6), what);
  };
  for (const Model model : {Model::nmf, Model::semi_nmf})
    for (const Solver solver : {Solver::hals, Solver::anls_bpp}) {
      FitOptions masked = options(model, solver, Start::random, 12);
      masked.mask.seen = seen.data();
      falls(masked, "missing entries");
      FitOptions robust = options(model, solver, Start::random, 12);
      robust.loss = {LossKind::huber, 2, 1, 0.3};
      falls(robust, "huber");
      FitOptions batches = options(model, solver, Start::random, 12);
      batches.batch_rows = X.rows / 3;
      batches.forget_factor = 0.7;
      falls(batches, "batches");
    }
}

void own_normals_suite(Passes& device) {
  passes_agree(device);
  sums_that_stay(device);
  loops_lower_the_loss(device);
}

}  // namespace

int main() {
  each_device(own_normals_suite);
  return test::report("own normal matrices");
}
