// Conformance of a backend's row addends, compared with naive float64.
#include "devices.h"
#include "fixtures.h"
#include "naive_passes.h"

namespace {

using namespace test;

struct Case {
  StepKind kind;
  Loss loss;
  bool sparse;
  Index sweeps;
};

struct Result {
  std::vector<double> W;
  std::vector<double> cross;
  double energy;
  double residual;
};

// X [n×d] and factors, as a device holds them.
class Scene {
 public:
  Scene(Index n, Index d, Index k)
      : X_(oracle::random(n, d, 1, true)),
        W_(oracle::random(n, k, 2, true)),
        Ht_(oracle::random(d, k, 3, true)),
        numerators_(oracle::random(n, k, 4, true)),
        diagonal_(oracle::random(n, 1, 5, true)) {
    for (double& x : X_.data) x = x < 0.7 ? 0 : x;
    diagonal_(n / 2, 0) = 0;
    floats_ = X_.floats();
  }

  Result run(Passes& device, const Case& c, double weight, Index threads) const {
    const Csr csr(X_);
    const auto source =
        c.sparse ? csr.source()
                 : dense_source(floats_.data(), ElementType::float32, X_.rows, X_.cols, X_.cols);
    const Factor W(device, W_);
    const Factor Ht(device, Ht_);
    const Factor numerators(device, numerators_);
    const Factor diagonal(device, diagonal_);
    const RowAddend addend{weight, numerators.view(), diagonal.view()};
    const NormalMatrix normal = normal_of(Ht_);
    const auto sums = device.make_sums(X_.cols, W_.cols);
    const Group group{
        .Ht = Ht.view(),
        .normal = normal,
        .step = Step{.kind = c.kind, .l1 = 0.5, .l2 = 0.25, .sweeps = c.sweeps, .relaxation = 1},
        .W = W.view(),
        .measure = Measure::direct,
        .accumulate = true,
        .sums = *sums,
        .addend = addend};
    const double energy = device.energy(addend, W.view(), job_of(threads));
    device.pass({.X = *source, .exponent = 0, .groups = {&group, 1}, .loss = c.loss},
                job_of(threads));
    return {W.matrix().data, device.cross(*sums), energy, sums->incoming_residual};
  }

 private:
  Matrix X_;
  Matrix W_;
  Matrix Ht_;
  Matrix numerators_;
  Matrix diagonal_;
  std::vector<float> floats_;
};

void steps_with_an_addend_agree(Passes& device) {
  NaivePasses naive;
  const Loss divergence{LossKind::divergence, 2};
  for (const auto& [n, d, k] :
       {std::tuple<Index, Index, Index>{1, 1, 1}, {33, 17, 5}, {700, 40, 9}}) {
    const Scene scene(n, d, k);
    for (const Case& c : {Case{StepKind::multiplicative, frobenius_loss, false, 1},
                          Case{StepKind::multiplicative, frobenius_loss, true, 2},
                          Case{StepKind::sign_split, frobenius_loss, false, 1},
                          Case{StepKind::ratio, divergence, false, 2},
                          Case{StepKind::ratio, {LossKind::divergence, 1}, true, 1}})
      for (const double weight : {0.0, 3.0, 1e20}) {
        const Result expected = scene.run(naive, c, weight, 1);
        const Result actual = scene.run(device, c, weight, 2);
        close(actual.W, expected.W, 1e-5, "W with an addend");
        close(actual.cross, expected.cross, 1e-5, "S with an addend");
        test::near(actual.residual / expected.residual, 1, 1e-5, "what came in is measured alone");
        test::near(actual.energy, expected.energy, 1e-12 * std::abs(expected.energy), "energy");
      }
  }
}

void an_addend_leaves_the_bits_to_any_number_of_threads(Passes& device) {
  const Scene scene(shortened(device, 9000), 30, 11);
  for (const bool sparse : {false, true}) {
    const Case c{StepKind::multiplicative, frobenius_loss, sparse, 1};
    const Result one = scene.run(device, c, 2, 1);
    for (const Index threads : {2, 3}) {
      const Result other = scene.run(device, c, 2, threads);
      test::same_bits(one.W.data(), other.W.data(), one.W.size(), "W");
      test::same_bits(one.cross.data(), other.cross.data(), one.cross.size(), "S");
      test::same_bits(&one.energy, &other.energy, 1, "energy");
    }
  }
}

// f ⊙ (c + 2a) / (f N + 2 b f), by hand: (3·1 + 2·0.5) / (2·1 + 2·1.5·2).
void known_answer(Passes& device) {
  const std::vector<float> x = {3};
  const auto source = dense_source(x.data(), ElementType::float32, 1, 1, 1);
  const Factor W(device, Matrix(1, 1, {2}));
  const Factor Ht(device, Matrix(1, 1, {1}));
  const Factor numerators(device, Matrix(1, 1, {0.5}));
  const Factor diagonal(device, Matrix(1, 1, {1.5}));
  const NormalMatrix normal({1}, 1, 0, false);
  const auto sums = device.make_sums(1, 1);
  const Group group{
      .Ht = Ht.view(),
      .normal = normal,
      .step =
          Step{.kind = StepKind::multiplicative, .l1 = 0, .l2 = 0, .sweeps = 1, .relaxation = 1},
      .W = W.view(),
      .measure = Measure::none,
      .accumulate = false,
      .sums = *sums,
      .addend = RowAddend{2, numerators.view(), diagonal.view()}};
  test::near(device.energy(*group.addend, W.view(), job_of(1)), 2 * (1.5 * 4 - 0.5 * 2), 1e-12,
             "energy");
  device.pass({.X = *source, .exponent = 0, .groups = {&group, 1}}, job_of(1));
  test::near(W.matrix()(0, 0), 2 * 4.0 / 8, 1e-6, "a step");
}

void addend_suite(Passes& device) {
  known_answer(device);
  steps_with_an_addend_agree(device);
  an_addend_leaves_the_bits_to_any_number_of_threads(device);
}

}  // namespace

int main() {
  each_device(addend_suite);
  return test::report("addend");
}
