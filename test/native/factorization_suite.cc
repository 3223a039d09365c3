// Theorems that hold for every model, solver, start, shape and penalty, and known answers.
#include "csr.h"
#include "devices.h"
#include "factorization_matrices.h"

namespace {

using namespace test;

struct Configuration {
  Model model;
  Solver solver;
  Start start;
  const char* name;
};

const Configuration configurations[] = {
    {Model::semi_nmf, Solver::hals, Start::random, "semi-nmf hals random"},
    {Model::semi_nmf, Solver::hals, Start::kmeans, "semi-nmf hals kmeans"},
    {Model::semi_nmf, Solver::hals, Start::svd, "semi-nmf hals svd"},
    {Model::semi_nmf, Solver::mu, Start::random, "semi-nmf mu random"},
    {Model::semi_nmf, Solver::mu, Start::kmeans, "semi-nmf mu kmeans"},
    {Model::semi_nmf, Solver::mu, Start::svd, "semi-nmf mu svd"},
    {Model::nmf, Solver::hals, Start::random, "nmf hals random"},
    {Model::nmf, Solver::hals, Start::kmeans, "nmf hals kmeans"},
    {Model::nmf, Solver::hals, Start::nndsvd, "nmf hals nndsvd"},
    {Model::nmf, Solver::hals, Start::nndsvda, "nmf hals nndsvda"},
    {Model::nmf, Solver::hals, Start::nndsvdar, "nmf hals nndsvdar"},
    {Model::nmf, Solver::hals, Start::low_rank, "nmf hals low-rank"},
    {Model::nmf, Solver::mu, Start::random, "nmf mu random"},
    {Model::nmf, Solver::mu, Start::kmeans, "nmf mu kmeans"},
    {Model::nmf, Solver::mu, Start::nndsvda, "nmf mu nndsvda"},
    {Model::nmf, Solver::mu, Start::nndsvdar, "nmf mu nndsvdar"},
};

bool takes_any_rank(Start start) { return start == Start::random || start == Start::kmeans; }

struct Scene {
  const char* name;
  Dense X;  // absolute values for NMF
  Index k;
};

std::vector<Scene> scenes() {
  Dense few = gaussian(4, 20, 78);
  few = filled(100, 20, [&](Index i, Index j) { return few(i % 4, j); });
  const Dense full = gaussian(90, 20, 71);
  return {
      {"noise", full, 6},
      {"planted", planted(120, 24, 5, 72), 5},
      {"one component", full, 1},
      {"four distinct rows", few, 8},
      {"half empty",
       filled(90, 20, [&](Index i, Index j) { return i % 2 || j % 3 == 0 ? 0 : full(i, j); }), 6},
      {"more components than columns", full, 25},
      {"more components than rows", gaussian(10, 30, 73), 15},
      {"as many components as rows", gaussian(10, 30, 74), 10},
      {"one row", gaussian(1, 30, 75), 1},
      {"one column", gaussian(30, 1, 76), 1},
      {"constant", filled(40, 12, [](Index, Index) { return 2; }), 3},
      {"zeros", zeros(30, 8), 3},
      {"one entry", filled(30, 8, [](Index i, Index j) { return i == 7 && j == 3 ? 5 : 0; }), 3},
      {"many rows", planted(4200, 12, 4, 79), 4},
      {"uneven columns",
       filled(200, 16, [&](Index i, Index j) { return full(i % 90, j) * std::exp2(j); }), 5},
  };
}

// The 16 ways to penalise W and H or not, at a weight that bites and at one that kills.
std::vector<Penalties> penalties() {
  std::vector<Penalties> all;
  for (const double weight : {2.0, 60.0})
    for (int mask = 1; mask < 16; ++mask)
      all.push_back({mask & 1 ? weight : 0, mask & 2 ? weight / 20 : 0, mask & 4 ? weight : 0,
                     mask & 8 ? weight / 20 : 0});
  return all;
}

void laws_hold_everywhere(Passes& device) {
  for (const Scene& scene : scenes())
    for (const Configuration& c : configurations) {
      if (!takes_any_rank(c.start) && scene.k > std::min(scene.X.rows, scene.X.cols)) continue;
      const Dense X = c.model == Model::nmf ? absolute(scene.X) : scene.X;
      for (const std::uint64_t seed : {5, 6, 7}) {
        if (seed > 5 && is_slow(device)) continue;
        FitOptions o = options(c.model, c.solver, c.start, is_slow(device) ? 8 : 150);
        o.seed = seed;
        expect_lawful(X, fitted(device, X, scene.k, o), o, std::string(scene.name) + ", " + c.name);
      }
    }
}

void laws_hold_under_penalties(Passes& device) {
  const Dense mixed = gaussian(90, 20, 71);
  const Dense positive = absolute(mixed);
  const std::vector<Penalties> all = penalties();
  for (const Configuration& c : configurations)
    for (std::size_t at = 0; at < all.size(); at += is_slow(device) ? 7 : 1) {
      const Penalties& p = all[at];
      const Dense& X = c.model == Model::nmf ? positive : mixed;
      FitOptions o = options(c.model, c.solver, c.start, is_slow(device) ? 10 : 60);
      o.penalties = p;
      char name[160];
      std::snprintf(name, sizeof name, "%s under %g %g %g %g", c.name, p.l1_w, p.l2_w, p.l1_h,
                    p.l2_h);
      const Fitted result = fitted(device, X, 6, o);
      expect_lawful(X, result, o, name);
      const bool one_side = (p.l1_w + p.l2_w > 0) != (p.l1_h + p.l2_h > 0);
      const bool warned = std::ranges::any_of(result.run.warnings, [](const std::string& text) {
        return text.find("penalty") != std::string::npos;
      });
      check(warned == one_side, std::string(name) + ": warns of a penalty on one side only");
    }
}

// 2⟨WH − X, WH⟩ + pull = 0 along either factor: stretching it gains nothing.
void penalties_balance(Passes& device) {
  const Dense mixed = gaussian(shortened(device, 300), 40, 71);
  for (const Model model : {Model::semi_nmf, Model::nmf})
    for (const Solver solver : {Solver::hals, Solver::mu}) {
      const Dense X = model == Model::nmf ? absolute(mixed) : mixed;
      FitOptions o =
          options(model, solver, model == Model::nmf ? Start::nndsvda : Start::kmeans, 300);
      o.penalties = {2, 0.1, 2, 0.1};
      const Fitted result = fitted(device, X, 5, o);
      const Dense WH = product(result.W, result.H);
      double stretch = 0;
      for (std::size_t i = 0; i < X.values.size(); ++i)
        stretch += 2.0 * (WH.values[i] - X.values[i]) * WH.values[i];
      for (const Dense* factor : {&result.W, &result.H}) {
        const double pull = 2 * sum_of_absolutes(*factor) + 0.2 * squares(*factor);
        near(stretch, -pull, 0.05 * pull, "error and penalties balance");
      }
    }
}

void threads_leave_the_bits(Passes& device) {
  const Dense mixed =
      filled(shortened(device, 5000), 33, [random = CounterRandom(105, 100)](Index i, Index j) {
        const auto item = static_cast<std::uint32_t>(j);
        return random.normal(i, item) * std::pow(10.0, 3 * random.uniform(i, item + 1000));
      });
  for (const Configuration& c : configurations) {
    const Dense X = c.model == Model::nmf ? absolute(mixed) : mixed;
    const FitOptions o = options(c.model, c.solver, c.start, 5);
    const Fitted one = fitted(device, X, 7, o, 1);
    for (const Index threads : {2, 3, 1}) {
      const Fitted other = fitted(device, X, 7, o, threads);
      test::same_bits(one.W.values.data(), other.W.values.data(), one.W.values.size(), c.name);
      test::same_bits(one.H.values.data(), other.H.values.data(), one.H.values.size(), c.name);
    }
  }
}

void scale_leaves_the_bits(Passes& device) {
  for (const Configuration& c : configurations) {
    const Dense mixed = gaussian(shortened(device, 200), 30, 71);
    const Dense plain = c.model == Model::nmf ? absolute(mixed) : mixed;
    const FitOptions o = options(c.model, c.solver, c.start, 20);
    const Fitted first = fitted(device, plain, 6, o);
    for (const int power : {1, 59, 61, 80, 124, -59, -61, -80, -110}) {
      Dense X = plain;
      for (float& value : X.values) value = std::ldexp(value, power);
      const Fitted other = fitted(device, X, 6, o);
      const std::string name = std::string(c.name) + " times 2^" + std::to_string(power);
      test::same_bits(first.W.values.data(), other.W.values.data(), first.W.values.size(), name);
      near(other.run.relative_error, first.run.relative_error, 0, name);
      near(std::ldexp(other.run.objective[3], -2 * power), first.run.objective[3], 0, name);
    }
  }
  const Dense counts = filled(60, 12, [](Index i, Index j) { return (i * j) % 7; });
  const FitOptions o = options(Model::nmf, Solver::hals, Start::nndsvda, 50);
  Dense subnormal = counts;
  for (float& value : subnormal.values) value = std::ldexp(value, -147);
  near(fitted(device, subnormal, 4, o).run.relative_error,
       fitted(device, counts, 4, o).run.relative_error, 1e-6, "subnormal entries count");
}

void sparse_equals_dense(Passes& device, Index rows, Index cols) {
  const Dense X = filled(rows, cols, [random = CounterRandom(3, 100)](Index i, Index j) {
    const auto item = static_cast<std::uint32_t>(j);
    return random.uniform(i, item) < 0.2 ? 1 + random.uniform(i, item + 100) : 0;
  });
  for (const int power : {100, 0}) {
    if (power == 0 && is_slow(device)) continue;
    Csr csr(X);
    for (float& value : csr.values) value = std::ldexp(value, power);
    const auto source = csr.source();
    for (const Configuration& c : configurations) {
      const FitOptions o = options(c.model, c.solver, c.start, is_slow(device) ? 4 : 15);
      const double dense = fitted(device, X, 6, o).run.objective.back();
      const Fitted sparse = fitted(device, *source, 6, o);
      near(std::ldexp(sparse.run.objective.back(), -2 * power), dense, 1e-4 * dense,
           std::string(c.name) + ", sparse");
    }
  }
}

void runs_share_their_prefix(Passes& device) {
  const Dense X = gaussian(shortened(device, 300), 40, 71);
  const double norm = squares(X);
  for (const Configuration& c : configurations) {
    const Dense suited = c.model == Model::nmf ? absolute(X) : X;
    const auto run = [&](Index iterations) {
      return fitted(device, suited, 6, options(c.model, c.solver, c.start, iterations))
          .run.objective;
    };
    const std::vector<double> longest = run(40);
    for (const Index iterations : {1, 7})
      for (Index t = 0; const double value : run(iterations))
        near(value, longest[t++], 1e-6 * value + 5e-7 * norm, std::string(c.name) + ", prefix");
  }
}

void agrees_with_the_oracle(Passes& device) {
  test::NaivePasses naive;
  for (const Configuration& c : configurations) {
    const Dense X = c.model == Model::nmf ? absolute(gaussian(80, 17, 9)) : gaussian(80, 17, 9);
    const FitOptions o = options(c.model, c.solver, c.start, 10);
    const Fitted ours = fitted(device, X, 4, o);
    const Fitted theirs = fitted(naive, X, 4, o);
    for (std::size_t t = 0; t < ours.run.objective.size(); ++t)
      near(ours.run.objective[t], theirs.run.objective[t], 1e-4 * theirs.run.objective[t],
           std::string(c.name) + " against the oracle");
  }
}

void spare_components_do_no_harm(Passes& device) {
  for (const Scene& scene : scenes()) {
    if (std::string(scene.name) != "four distinct rows") continue;
    for (const Model model : {Model::semi_nmf, Model::nmf})
      for (const Start start : {Start::random, Start::kmeans})
        for (const std::uint64_t seed : {0, 1, 2, 3, 4, 5, 6}) {
          const Dense X = model == Model::nmf ? absolute(scene.X) : scene.X;
          FitOptions o = options(model, Solver::hals, start, 80);
          o.seed = seed;
          const double error = fitted(device, X, 8, o).run.relative_error;
          check(error <= 1e-2, "four rows fit eight components: " + std::to_string(error));
        }
  }
}

void stops_by_tolerance(Passes& device) {
  const Dense X = absolute(planted(300, 40, 6, 72));
  FitOptions o = options(Model::nmf, Solver::hals, Start::nndsvda, 2000);
  o.tolerance = 1e-3;
  const Fitted stopped = fitted(device, X, 4, o);
  check(stopped.run.converged && stopped.run.iterations < 2000, "stops");
  o.tolerance = 1e-9;
  o.max_iterations = 2;
  const Fitted cut = fitted(device, X, 4, o);
  check(!cut.run.converged && cut.run.iterations == 2, "is cut");
}

void inner_sweeps_go_farther(Passes& device) {
  const Dense X = gaussian(300, 40, 71);
  FitOptions o = options(Model::semi_nmf, Solver::hals, Start::random, 1);
  const std::vector<double> once = fitted(device, X, 6, o).run.objective;
  o.inner_sweeps = 3;
  const std::vector<double> thrice = fitted(device, X, 6, o).run.objective;
  check(once[0] == thrice[0], "the same start");
  check(thrice[1] < once[1], "three sweeps fit better than one");
}

void bad_entries_are_named(Passes& device) {
  Dense X = gaussian(50, 9, 1);
  X(31, 4) = std::nanf("");
  const auto run = [&](Model model) {
    fitted(device, X, 3, options(model, Solver::hals, Start::random, 3));
  };
  test::throws<InvalidEntry>(
      [&] { run(Model::semi_nmf); },
      [](const InvalidEntry& e) { check(e.row == 31 && e.column == 4, "place"); }, "NaN");
  X = absolute(gaussian(50, 9, 1));
  X(7, 2) = -1;
  test::throws<InvalidEntry>(
      [&] { run(Model::nmf); },
      [](const InvalidEntry& e) { check(e.row == 7 && e.value == -1, "value"); },
      "a negative entry");
}

void cancelled_in_the_middle(Passes& device) {
  const Dense X = gaussian(2000, 60, 1);
  std::int32_t flag = 0;
  Job cancelled{.cancellation = Cancellation(&flag),
                .report = [&](const Progress& p) { flag = p.done >= 3; },
                .threads = 2};
  Dense W = zeros(2000, 5);
  Dense H = zeros(5, 60);
  test::throws<Cancelled>(
      [&] {
        fit(device, *X.source(), options(Model::semi_nmf, Solver::hals, Start::random, 1000),
            W.view(), H.view(), cancelled);
      },
      [](const Cancelled&) {}, "cancellation");
}

void factorization_suite(Passes& device) {
  laws_hold_everywhere(device);
  laws_hold_under_penalties(device);
  penalties_balance(device);
  threads_leave_the_bits(device);
  scale_leaves_the_bits(device);
  sparse_equals_dense(device, 200, 40);
  // k-means starts from a sample of these.
  sparse_equals_dense(device, 4200, is_slow(device) ? 8 : 20);
  runs_share_their_prefix(device);
  agrees_with_the_oracle(device);
  spare_components_do_no_harm(device);
  stops_by_tolerance(device);
  inner_sweeps_go_farther(device);
  bad_entries_are_named(device);
  cancelled_in_the_middle(device);
}

}  // namespace

int main() {
  factorization_suite(passes_for("cpu"));
  on_emulated_gpu(factorization_suite);
  on_guarded_memory(factorization_suite);
  return test::report("factorization");
}
