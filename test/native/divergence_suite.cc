// Conformance of passes with a divergence, masks, weights and noise, compared with naive float64.
#include <cmath>

#include "devices.h"
#include "entry_scenes.h"
#include "factorization/loop/alternate_by_ratios.h"
#include "naive_passes.h"

namespace {

using namespace test;

struct Scene {
  std::string name;
  const RowSource* X;
  Loss loss;
  Mask mask;
  Noise noise;
  std::span<const float> weights;
};

struct Outcome {
  std::vector<double> W;
  std::vector<double> Ht;
  double residual;
  double divergence;
};

constexpr Index k = 5;

// One pass with its measure and steps, and the step of the other side.
Outcome run(Passes& device, const Scene& scene, Measure measure, Index threads) {
  const Factor W(device, oracle::random(scene.X->rows(), k, 2, true));
  const Factor Ht(device, oracle::random(scene.X->cols(), k, 3, true));
  const NormalMatrix normal = normal_of(Ht.matrix());
  const auto sums = device.make_sums(scene.X->cols(), k);
  const bool ratios = scene.loss.kind == LossKind::divergence;
  const Step step{.kind = ratios ? StepKind::ratio : StepKind::nonnegative_sweep,
                  .l1 = 0.3,
                  .l2 = 0.2,
                  .sweeps = 2,
                  .relaxation = 1,
                  .exponent = monotone_exponent(scene.loss.beta)};
  const Group group{.Ht = Ht.view(),
                    .normal = normal,
                    .step = step,
                    .W = W.view(),
                    .measure = measure,
                    .accumulate = true,
                    .sums = *sums,
                    .mask = scene.mask,
                    .noise = scene.noise};
  device.pass({.X = *scene.X,
               .exponent = 1,
               .groups = {&group, 1},
               .loss = scene.loss,
               .row_weights = scene.weights},
              job_of(threads));
  if (ratios)
    device.improve_by_ratio(step, *sums, Ht.view(), job_of(threads));
  else
    device.improve(step, *sums, NormalMatrix(sums->gram, k, step.l2, false), std::vector<double>(k),
                   Ht.view(), job_of(threads));
  return {W.matrix().data, Ht.matrix().data, sums->incoming_residual, sums->incoming_divergence};
}

void agrees(Passes& device, const Scene& scene) {
  NaivePasses naive;
  const bool ratios = scene.loss.kind == LossKind::divergence;
  for (const Measure measure : {Measure::direct, Measure::divergence}) {
    if (measure == Measure::divergence && !ratios) continue;
    const Outcome expected = run(naive, scene, measure, 1);
    const Outcome one = run(device, scene, measure, 1);
    close(one.W, expected.W, 2e-4, scene.name + ", W");
    close(one.Ht, expected.Ht, 2e-4, scene.name + ", Ht");
    if (measure == Measure::direct)
      test::near(one.residual / expected.residual, 1, 2e-5, scene.name + ", residual");
    else
      test::near(one.divergence / expected.divergence, 1, 2e-5, scene.name + ", divergence");
    const Outcome three = run(device, scene, measure, 3);
    test::same_bits(one.W.data(), three.W.data(), one.W.size(), scene.name + ", W by threads");
    test::same_bits(one.Ht.data(), three.Ht.data(), one.Ht.size(), scene.name + ", Ht by threads");
    test::same_bits(&one.divergence, &three.divergence, 1, scene.name + ", D by threads");
  }
}

// Parameters are such that both of their branches occur.
const std::vector<Loss> all_losses = {{LossKind::divergence, 1},
                                      {LossKind::divergence, 0},
                                      {LossKind::divergence, 2},
                                      {LossKind::divergence, 0.5, 2},
                                      {LossKind::divergence, 1.5},
                                      {LossKind::divergence, 3},
                                      {LossKind::divergence, -1},
                                      {LossKind::negative_binomial, 1, 2, 0.7},
                                      {LossKind::negative_binomial, 0, 2, 0.7},
                                      {LossKind::huber, 2, 1, 0.5},
                                      {LossKind::row_length, 2, 1, 0x1p-20},
                                      {LossKind::row_length, 2, 1, 4},
                                      {LossKind::correntropy, 2, 1, 0.7},
                                      {LossKind::row_correntropy, 2, 1, 6}};

void passes_agree(Passes& device) {
  for (const auto& [n, d] : {std::pair<Index, Index>{7, 5}, {130, 33}, {600, 70}}) {
    const Data data(shortened(device, n), d);
    for (const Loss& loss : all_losses) {
      const bool divergence = loss.kind == LossKind::divergence;
      if (n == 600 && divergence && loss.beta != 1 && loss.beta != 0.5) continue;
      const std::string name =
          name_of(loss_names, loss.kind) + std::string(" ") + std::to_string(loss.beta);
      const Mask bitmap{data.seen.data(), false, false, 0, 0};
      const Mask nan{nullptr, true, false, 0, 0};
      const Mask implicit{nullptr, false, true, 0, 0};
      const Mask held{nullptr, false, false, 0.3, 4};
      const Noise noise{0.1, 8};
      agrees(device, {name, data.dense.get(), loss, no_mask, no_noise, {}});
      agrees(device, {name + " mask", data.dense.get(), loss, bitmap, no_noise, {}});
      agrees(device, {name + " NaN", data.missing.get(), loss, nan, no_noise, data.weights});
      agrees(device, {name + " held out", data.dense.get(), loss, held, noise, {}});
      agrees(device, {name + " implicit", data.sparse.get(), loss, implicit, noise, data.weights});
      if (loss.beta <= 0) continue;
      agrees(device, {name + " sparse", data.sparse.get(), loss, no_mask, noise, data.weights});
      agrees(device, {name + " sparse mask", data.sparse.get(), loss, bitmap, no_noise, {}});
    }
    // Without penalties on W, weights only touch the sums.
    agrees(device, {"frobenius, noise", data.dense.get(), frobenius_loss, no_mask, {0.2, 3}, {}});
    agrees(device, {"frobenius, sparse noise",
                    data.sparse.get(),
                    frobenius_loss,
                    no_mask,
                    {0.2, 3},
                    data.weights});
    agrees(device, {"frobenius, weights", data.dense.get(), frobenius_loss, no_mask, no_noise,
                    data.weights});
  }
}

// Two groups, each with its own mask and noise, beside two passes.
void groups_with_masks_and_noise_give_the_bits_of_two_passes(Passes& device) {
  const Data data(500, 60);
  for (const RowSource* X : {data.dense.get(), data.sparse.get()})
    for (const Loss& loss : {frobenius_loss, Loss{LossKind::divergence, 1}}) {
      const bool ratios = loss.kind == LossKind::divergence;
      const auto both = [&](bool together) {
        std::vector<std::unique_ptr<Factor>> W;
        std::vector<std::unique_ptr<Sums>> sums;
        const Factor Ht(device, oracle::random(60, k, 3, true));
        const NormalMatrix normal = normal_of(Ht.matrix());
        std::vector<Group> groups;
        for (std::uint64_t g = 0; g < 2; ++g) {
          W.push_back(std::make_unique<Factor>(device, oracle::random(500, k, 5 + g, true)));
          sums.push_back(device.make_sums(60, k));
          groups.push_back(
              {.Ht = Ht.view(),
               .normal = normal,
               .step = Step{.kind = ratios ? StepKind::ratio : StepKind::nonnegative_sweep,
                            .l1 = 0,
                            .l2 = 0,
                            .sweeps = 1,
                            .relaxation = 1},
               .W = W[g]->view(),
               .measure = ratios ? Measure::divergence : Measure::identity,
               .accumulate = true,
               .sums = *sums[g],
               .mask = ratios ? Mask{nullptr, false, false, 0.2, g} : no_mask,
               .noise = {0.05, 11 + g}});
        }
        const auto run = [&](std::span<const Group> some) {
          device.pass({.X = *X, .exponent = 0, .groups = some, .loss = loss}, job_of(3));
        };
        if (together) {
          run(groups);
        } else {
          for (const Group& group : groups) run({&group, 1});
        }
        std::vector<double> all;
        for (std::size_t g = 0; g < 2; ++g) {
          const std::vector<double> of_W = W[g]->matrix().data;
          const std::vector<double> of_S = device.cross(*sums[g]);
          all.insert(all.end(), of_W.begin(), of_W.end());
          all.insert(all.end(), of_S.begin(), of_S.end());
          all.push_back(sums[g]->incoming_product);
          all.push_back(sums[g]->incoming_divergence);
        }
        return all;
      };
      const std::vector<double> together = both(true);
      const std::vector<double> apart = both(false);
      test::same_bits(together.data(), apart.data(), apart.size(), "groups");
    }
}

void examine_counts_what_a_mask_lets_pass(Passes& device) {
  NaivePasses naive;
  const Data data(300, 40);
  const Mask bitmap{data.seen.data(), false, false, 0, 0};
  const auto same = [&](const Examined& examined) {
    const SourceNorm a = device.examine(examined, job_of(3));
    const SourceNorm b = naive.examine(examined, job_of(1));
    test::near(a.squared_norm / b.squared_norm, 1, 1e-12, "norm");
    test::near(a.sum / b.sum, 1, 1e-12, "sum");
    test::near(a.weight / b.weight, 1, 1e-12, "weight");
    test::check(a.count == b.count && a.smallest == b.smallest && a.exponent == b.exponent,
                "count, smallest, exponent");
  };
  const EntrySign any = EntrySign::any;
  same({.X = *data.dense, .sign = any, .mask = bitmap, .row_weights = data.weights});
  same({.X = *data.missing, .sign = any, .mask = {nullptr, true, false, 0, 0}});
  same({.X = *data.sparse, .sign = any, .mask = bitmap, .row_weights = data.weights});
  same({.X = *data.sparse, .sign = any, .mask = {nullptr, false, true, 0, 0}});
  same({.X = *data.sparse, .sign = EntrySign::nonnegative});
  for (Passes* each : {&device, static_cast<Passes*>(&naive)})
    for (const Mask& mask : {no_mask, bitmap})
      test::throws<InvalidEntry>(
          [&] {
            each->examine({.X = *data.sparse, .sign = EntrySign::positive, .mask = mask},
                          job_of(1));
          },
          [](const InvalidEntry& error) {
            test::check(error.value == 0 && error.expected == "a positive number", error.expected);
          },
          "a zero where none can be");
  // NaN where nothing is seen is not read.
  device.examine({.X = *data.missing, .sign = EntrySign::positive, .mask = bitmap}, job_of(2));
}

// reference: scikit-learn 1.x, the update of H and then of W from the small example of Lee & Seung.
void known_answer_of_kullback_leibler(Passes& device) {
  const std::vector<float> X = {1, 2, 3, 4, 5, 6, 7, 8, 10};
  const std::vector<float> transposed = {1, 4, 7, 2, 5, 8, 3, 6, 10};
  const Factor W(device, Matrix(3, 2, {1, 1, 1, 2, 2, 1}));
  const Factor Ht(device, Matrix(3, 2, {1, 1, 1, 2, 1, 3}));
  const NormalMatrix unused(std::vector<double>(4), 2, 0, false);
  const Step step{
      .kind = StepKind::ratio, .l1 = 0, .l2 = 0, .sweeps = 1, .relaxation = 1, .exponent = 1};
  const auto improve = [&](const std::vector<float>& data, const Factor& factor,
                           const Factor& other) {
    const auto source = dense_source(data.data(), ElementType::float32, 3, 3, 3);
    const auto sums = device.make_sums(3, 2);
    const Group group{.Ht = other.view(),
                      .normal = unused,
                      .step = step,
                      .W = factor.view(),
                      .measure = Measure::divergence,
                      .accumulate = false,
                      .sums = *sums};
    device.pass(
        {.X = *source, .exponent = 0, .groups = {&group, 1}, .loss = {LossKind::divergence, 1}},
        job_of(1));
    return sums->incoming_divergence;
  };
  test::near(improve(transposed, Ht, W), 6.2664348695, 1e-6, "before");
  close(oracle::transpose(Ht.matrix()).data,
        {1.625, 1.41666667, 1.40178571, 1.375, 2.33333333, 3.34821429}, 1e-6, "H");
  improve(X, W, Ht);
  close(W.matrix().data, {.49118577, .54097834, .83013978, 1.60295289, 3.11994908, 1.57820161},
        1e-6, "W");
  test::near(improve(X, W, Ht), .2169200803, 1e-5, "after");
}

void divergence_suite(Passes& device) {
  passes_agree(device);
  groups_with_masks_and_noise_give_the_bits_of_two_passes(device);
  examine_counts_what_a_mask_lets_pass(device);
  known_answer_of_kullback_leibler(device);
}

}  // namespace

int main() {
  each_device(divergence_suite);
  return test::report("divergence");
}
