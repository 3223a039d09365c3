// Progress of runs: the gain of starts and over-relaxation, and the behaviour of stalled runs.
#include <map>

#include "factorization/loop/alternate.h"
#include "factorization_matrices.h"
#include "naive_passes.h"

namespace {

using namespace test;

// Where the sample is small beside X, its factorization leaves little to do.
void a_start_from_a_sample_is_nearly_there() {
  const Dense X = planted(5000, 40, 8, 31);
  for (const Model model : {Model::semi_nmf, Model::nmf}) {
    const Dense suited = model == Model::nmf ? absolute(X) : X;
    const auto objective = [&](Start start, Index iterations) {
      return fitted(suited, 8, options(model, Solver::hals, start, iterations)).run.objective;
    };
    const double sampled = objective(Start::kmeans, 0)[0];
    const std::vector<double> random = objective(Start::random, 5);
    check(sampled < random[5], "the start from a sample is worth more than five iterations");
    const Dense few = filled(4000, 40, [&](Index i, Index j) { return suited(i, j); });
    const FitOptions none = options(model, Solver::hals, Start::kmeans, 0);
    check(1.25 * sampled < fitted(few, 8, none).run.objective[0], "or than clusters of all rows");
  }
}

// With many columns beside the rank the sample is factorized in a few directions.
void a_start_from_a_wide_sample_is_nearly_there() {
  const Dense X = planted(4500, 150, 8, 33);
  const FitOptions none = options(Model::semi_nmf, Solver::hals, Start::kmeans, 0);
  const double start = fitted(X, 8, none).run.objective[0];
  const double random =
      fitted(X, 8, options(Model::semi_nmf, Solver::hals, Start::random, 5)).run.objective[5];
  check(start < random, "the start from a projected sample is worth more than five iterations");
}

// Rows that a sample does not speak for: few distinct ones, and heavy tails.
void a_sample_that_misleads_is_left() {
  const Dense distinct = gaussian(5, 24, 41);
  const CounterRandom random(42, 100);
  const Dense repeated = filled(4096, 24, [&](Index i, Index j) {
    return distinct(static_cast<Index>(random.bits(i, 0) % 5), j);
  });
  const Dense base = planted(8000, 20, 12, 43);
  const Dense heavy = filled(
      8000, 20, [&](Index i, Index j) { return base(i, j) * std::exp(2 * random.normal(i, 99)); });
  const auto error = [](const Dense& X, Index k, Start start, std::uint64_t seed) {
    FitOptions o = options(Model::semi_nmf, Solver::hals, start, 200);
    o.seed = seed;
    return fitted(X, k, o).run.relative_error;
  };
  for (const std::uint64_t seed : {0, 1}) {
    check(error(repeated, 20, Start::kmeans, seed) < 1e-4, "five distinct rows");
    const double ours = error(heavy, 10, Start::kmeans, seed);
    const double random_start = error(heavy, 10, Start::random, seed);
    check(ours < 1.02 * random_start,
          std::to_string(ours) + " where a random start reaches " + std::to_string(random_start));
  }
}

class WithoutRelaxation : public test::NaivePasses {
  void nonnegative_sweep(Cross cross, const NormalMatrix& N, const Step& options,
                         Factor factor) override {
    Step plain = options;
    plain.relaxation = 1;
    NaivePasses::nonnegative_sweep(cross, N, plain, factor);
  }
};

void over_relaxation_saves_iterations() {
  test::NaivePasses relaxed;
  WithoutRelaxation plain;
  const auto needed = [](Passes& backend, std::uint64_t seed) {
    Dense X = planted(120, 20, 5, seed);
    const Dense noise = gaussian(120, 20, seed + 100);
    for (std::size_t i = 0; i < X.values.size(); ++i) X.values[i] += noise.values[i];
    FitOptions o = options(Model::semi_nmf, Solver::hals, Start::random, 400);
    o.tolerance = 1e-4;
    return fitted(backend, *X.source(), 5, o).run.iterations;
  };
  Index with = 0;
  Index without = 0;
  for (std::uint64_t seed = 81; seed < 89; ++seed) {
    with += needed(relaxed, seed);
    without += needed(plain, seed);
  }
  check(with < without, std::to_string(with) + " iterations, " + std::to_string(without) +
                            " without over-relaxation");
}

// A device whose steps double each factor.
class Growing : public test::NaivePasses {
  using NaivePasses::improve;
  void improve(const Step&, Cross, const NormalMatrix&, Factor factor, const Job& job) override {
    scale_columns(std::vector<double>(factor.cols, 2.0), factor, job);
  }
};

// Steps that only make it worse: the run goes back to the pair it had, and computes no more.
void a_run_that_cannot_go_on_stands_still() {
  Growing backend;
  const Dense start = absolute(gaussian(60, 3, 2));
  const Dense other = absolute(gaussian(9, 3, 3));
  const Dense X = filled(60, 9, [&](Index i, Index j) {
    return start(i, 0) * other(j, 0) + start(i, 1) * other(j, 1) + start(i, 2) * other(j, 2);
  });
  const auto source = X.source();
  const Job quiet = job();
  const ScaledInput input(backend, {.X = *source, .sign = EntrySign::nonnegative}, quiet);
  const BackendMatrix W(backend, 60, 3);
  const BackendMatrix Ht(backend, 9, 3);
  backend.upload(start.view(), W.view());
  backend.upload(other.view(), Ht.view());
  const CheckpointOptions nowhere{.path = "", .seconds = 0, .metadata = ""};
  Checkpoints checkpoints(*input, nowhere);
  LoopState run = start_state(9, 3, {1e-6, 0, 1e-6, 0}, 1);
  alternate(*input, rule_for(Model::nmf, Solver::hals),
            {.max_iterations = 6,
             .tolerance = 0,
             .inner_sweeps = 1,
             .extrapolated = false,
             .penalties = {1e-6, 0, 1e-6, 0},
             .objective_exponent = 0,
             .seed = 1},
            checkpoints, nullptr, run, W.view(), Ht.view());
  check(run.worked == 1, "one iteration was computed");
  check(run.objective.size() == 7, "six were asked for");
  for (std::size_t t = 1; t < 7; ++t)
    near(run.objective[t], run.objective[0], 1e-6 * run.objective[0], "the objective stands");
  Dense after = start;
  backend.download(W.view(), after.view());
  test::same_bits(after.values.data(), start.values.data(), start.values.size(), "W is kept");
}

// Data far from 0, for which a second run from the singular vectors leaves less.
void progress_within_a_phase_never_goes_back() {
  const Dense base = planted(400, 40, 5, 5);
  const Dense X = filled(400, 40, [&](Index i, Index j) { return 273 + 4 * base(i, j); });
  FitOptions o = options(Model::semi_nmf, Solver::hals, Start::kmeans, 60);
  o.tries_svd = true;
  std::map<std::string, std::vector<Progress>> phases;
  Job heard = job();
  heard.report = [&](const Progress& progress) { phases[progress.phase].push_back(progress); };
  Dense W = zeros(400, 6);
  Dense H = zeros(6, 40);
  const Convergence run = fit(passes_for("cpu"), *X.source(), o, W.view(), H.view(), heard);
  check(run.start == Start::svd && phases.contains("iterate from svd"),
        "the second run has a name");
  o.max_iterations = 3;
  o.tolerance = 0;
  check(fit(passes_for("cpu"), *X.source(), o, W.view(), H.view(), job()).start == Start::kmeans,
        "a run of few iterations tries one start");
  for (const auto& [phase, reports] : phases)
    for (std::size_t i = 1; i < reports.size(); ++i) {
      check(reports[i].total == reports[0].total, phase + ": one total");
      check(reports[i].done >= reports[i - 1].done, phase + ": does not go back");
    }
}

}  // namespace

int main() {
  a_start_from_a_sample_is_nearly_there();
  a_start_from_a_wide_sample_is_nearly_there();
  a_sample_that_misleads_is_left();
  over_relaxation_saves_iterations();
  a_run_that_cannot_go_on_stands_still();
  progress_within_a_phase_never_goes_back();
  return test::report("factorization progress");
}
