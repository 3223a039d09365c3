// Factorizations whose rows are split over ranks: they agree with one rank, and all ranks have the
// same bits of H.
#include <limits>

#include "devices.h"
#include "ended_by.h"
#include "fixtures.h"
#include "models_fixtures.h"
#include "thread_communicator.h"

namespace {

using namespace test;

// Passes its calls on and counts the values that this rank gives.
class Counting : public Communicator {
 public:
  explicit Counting(Communicator& ranks) : ranks_(ranks) {}
  Index rank() const override { return ranks_.rank(); }
  Index size() const override { return ranks_.size(); }
  void allreduce(std::span<double> values) override {
    count += static_cast<Index>(values.size());
    ranks_.allreduce(values);
  }
  std::vector<double> allgather(std::span<const double> values) override {
    count += static_cast<Index>(values.size());
    return ranks_.allgather(values);
  }
  void barrier() override { ranks_.barrier(); }
  Index count = 0;

 private:
  Communicator& ranks_;
};

void sums_are_those_of_the_order_of_ranks() {
  for (const Index size : {1, 2, 3, 4}) {
    std::vector<std::vector<double>> sums(static_cast<std::size_t>(size));
    std::vector<std::vector<double>> lists(sums.size());
    const double own[] = {1e16, 1, -1e16, 1};
    ThreadRanks::run(size, [&](Communicator& ranks) {
      std::vector<double> values = {own[ranks.rank()], static_cast<double>(ranks.rank())};
      ranks.barrier();
      lists[ranks.rank()] = ranks.allgather(values);
      ranks.allreduce(values);
      sums[ranks.rank()] = values;
      std::vector<double> none;
      ranks.allreduce(none);
      expect(ranks.allgather(none).empty(), "no values give no list");
    });
    std::vector<double> list;
    for (Index r = 0; r < size; ++r) {
      list.push_back(own[r]);
      list.push_back(static_cast<double>(r));
    }
    for (const std::vector<double>& of_rank : lists) check(of_rank == list, "the list of values");
    const double expected[] = {1e16, 1e16, 0, 1};
    for (const std::vector<double>& of_rank : sums)
      check(of_rank ==
                std::vector<double>{expected[size - 1], static_cast<double>(size * (size - 1) / 2)},
            "sums of " + std::to_string(size) + " ranks");
  }
  std::vector<double> alone = {-0.0, std::numeric_limits<double>::infinity()};
  const std::vector<double> before = alone;
  single_process().allreduce(alone);
  same_bits(alone.data(), before.data(), alone.size(), "one process keeps its values");
  check(single_process().rank() == 0 && single_process().size() == 1, "one process");
}

struct Scene {
  std::string name;
  Dense X;
  Index k;
  FitOptions options;
  double bound;  // on ‖A − A₁‖ / ‖A₁‖ of either factor A, where A₁ is that of one rank
  bool sparse = false;
};

Fitted fitted_by(Passes& device, const Scene& scene, const Dense& X, const FitOptions& options,
                 Communicator& ranks) {
  Fitted found{zeros(X.rows, scene.k), zeros(scene.k, X.cols), {}};
  const Csr csr(widened(X));
  const std::unique_ptr<RowSource> source = scene.sparse ? csr.source() : X.source();
  found.run = fit(device, *source, options, found.W.view(), found.H.view(), job(1), ranks);
  return found;
}

// The rows of X, and of all that has its rows, of one rank. The first rank has one row more than
// half of them, so that shares differ.
struct Share {
  Share(const Scene& scene, Index rank, Index size) {
    const Index n = scene.X.rows;
    const auto from = [&](Index r) { return r == 0 ? 0 : r == size ? n : n / 2 + 1 + (r - 1) * 3; };
    begin = from(rank);
    count = from(rank + 1) - begin;
    const Index d = scene.X.cols;
    X = filled(count, d, [&](Index i, Index t) { return scene.X(begin + i, t); });
    options = scene.options;
    if (!options.row_weights.empty())
      options.row_weights = options.row_weights.subspan(static_cast<std::size_t>(begin),
                                                        static_cast<std::size_t>(count));
    if (options.given_W.data != nullptr) options.given_W = options.given_W.row_block(begin, count);
    if (options.mask.seen != nullptr) options.mask.seen += begin * d;
  }
  Index begin;
  Index count;
  Dense X;
  FitOptions options;
};

using MakeDevice = std::function<std::unique_ptr<Passes>()>;

std::vector<Fitted> split(const MakeDevice& device, const Scene& scene, Index size,
                          Index* crossed = nullptr) {
  std::vector<Fitted> found(static_cast<std::size_t>(size));
  ThreadRanks::run(size, [&](Communicator& ranks) {
    const Share share(scene, ranks.rank(), size);
    const std::unique_ptr<Passes> own = device();
    Counting counting(ranks);
    found[ranks.rank()] = fitted_by(*own, scene, share.X, share.options, counting);
    if (crossed != nullptr && ranks.rank() == 0) *crossed = counting.count;
  });
  return found;
}

double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double difference = 0;
  double norm = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    difference += (double{a[i]} - b[i]) * (double{a[i]} - b[i]);
    norm += double{b[i]} * b[i];
  }
  return std::sqrt(difference / norm);
}

// W of all rows, H and the run of rank 0.
Fitted joined(const std::vector<Fitted>& ranks) {
  Fitted whole = ranks.front();
  for (std::size_t r = 1; r < ranks.size(); ++r) {
    whole.W.rows += ranks[r].W.rows;
    whole.W.values.insert(whole.W.values.end(), ranks[r].W.values.begin(), ranks[r].W.values.end());
  }
  return whole;
}

void same_on_all_ranks(const std::vector<Fitted>& ranks, const std::string& name) {
  for (const Fitted& other : ranks) {
    const Fitted& first = ranks.front();
    same_bits(other.H.values.data(), first.H.values.data(), first.H.values.size(), name + ", H");
    check(other.run.objective == first.run.objective, name + ", objectives");
    check(other.run.relative_error == first.run.relative_error, name + ", relative error");
    check(other.run.iterations == first.run.iterations, name + ", iterations");
    check(other.run.converged == first.run.converged, name + ", convergence");
  }
}

void ranks_agree_with_one(const MakeDevice& device, const Scene& scene) {
  const Fitted alone = fitted_by(*device(), scene, scene.X, scene.options, single_process());
  for (const Index size : {1, 2, 3}) {
    const std::string name = scene.name + ", " + std::to_string(size) + " ranks";
    const std::vector<Fitted> ranks = split(device, scene, size);
    same_on_all_ranks(ranks, name);
    const Fitted whole = joined(ranks);
    if (size == 1) {
      same_bits_of(whole, alone, name);
      check(whole.run.objective == alone.run.objective, name + ", objectives");
      continue;
    }
    near(distance(whole.H.values, alone.H.values), 0, scene.bound, name + ", H");
    near(distance(whole.W.values, alone.W.values), 0, scene.bound, name + ", W");
    check(whole.run.iterations == alone.run.iterations, name + ", iterations");
    for (std::size_t t = 0; t < alone.run.objective.size(); ++t)
      near(whole.run.objective[t], alone.run.objective[t], scene.bound * alone.run.objective[t],
           name + ", objective " + std::to_string(t));
    near(whole.run.relative_error, alone.run.relative_error, scene.bound, name + ", error");
  }
}

// X >= 0 with a planted product; `d·k` >= 4096 is measured by the identity.
Dense data(Index n, Index d) {
  const Dense clean = product(absolute(gaussian(n, 4, 7)), absolute(gaussian(4, d, 8)));
  const Dense noise = absolute(gaussian(n, d, 9));
  return filled(n, d, [&](Index i, Index j) { return clean(i, j) + 0.5 * noise(i, j); });
}

const std::pair<Model, Solver> solvers[] = {{Model::semi_nmf, Solver::hals},
                                            {Model::semi_nmf, Solver::mu},
                                            {Model::nmf, Solver::hals},
                                            {Model::nmf, Solver::mu},
                                            {Model::semi_orthogonal_nmf, Solver::cayley},
                                            {Model::snmf, Solver::mu},
                                            {Model::dictionary_learning, Solver::hals},
                                            {Model::orthogonal_nmf, Solver::alt_onmf}};

Scene scene_of(Model model, Solver solver, Dense X, Index k, Index iterations, std::string name) {
  return {.name = std::string(name_of(model_names, model)) + " " + name_of(solver_names, solver) +
                  ", " + std::move(name),
          .X = std::move(X),
          .k = k,
          .options = options(model, solver, Start::random, iterations),
          .bound = 3e-4};
}

void models_agree(const MakeDevice& device) {
  for (const auto& [model, solver] : solvers)
    ranks_agree_with_one(device, scene_of(model, solver, data(83, 31), 5, 8, "small"));
}

void wide_models_agree(const MakeDevice& device) {
  for (const auto& [model, solver] : solvers)
    ranks_agree_with_one(device, scene_of(model, solver, data(300, 260), 16, 8, "by the identity"));
}

// Rows without entries too.
void sparse_rows_agree(const MakeDevice& device) {
  for (const auto& [model, solver] : solvers)
    for (const Index d : {31, 900}) {
      Dense X = data(83, d);
      for (Index i = 0; i < X.rows; ++i)
        for (Index j = 0; j < d; ++j)
          if ((i * 7 + j * 13) % 5 != 0 || i % 9 == 0) X(i, j) = 0;
      Scene scene = scene_of(model, solver, X, 5, 4, "sparse " + std::to_string(d));
      scene.sparse = true;
      ranks_agree_with_one(device, scene);
    }
}

void policies_agree(const MakeDevice& device) {
  for (const auto& [model, solver] : {solvers[0], solvers[2], solvers[3]}) {
    Scene scene = scene_of(model, solver, data(83, 31), 5, 8, "penalties");
    scene.options.penalties = {0.3, 0.2, 0.1, 0.4};
    ranks_agree_with_one(device, scene);

    scene = scene_of(model, solver, data(83, 31), 5, 8, "extrapolated");
    scene.options.extrapolated = true;
    ranks_agree_with_one(device, scene);

    scene = scene_of(model, solver, data(83, 31), 5, 60, "tolerance");
    scene.options.tolerance = 1e-2;
    ranks_agree_with_one(device, scene);

    // All weight is on rows of the first rank.
    scene = scene_of(model, solver, data(83, 31), 5, 8, "weights");
    std::vector<float> weights(83, 0.0f);
    std::fill_n(weights.begin(), 40, 2.0f);
    weights[3] = 0.5f;
    scene.options.row_weights = weights;
    ranks_agree_with_one(device, scene);
  }
}

void divergences_agree(const MakeDevice& device) {
  std::vector<std::uint8_t> seen(83 * 31, 1);
  for (std::size_t i = 0; i < seen.size(); i += 7) seen[i] = 0;
  for (const bool masked : {false, true})
    for (const double beta : {0.5, 1.0, 2.0}) {
      Scene scene = scene_of(Model::nmf, Solver::mu, data(83, 31), 5, 8,
                             "beta " + std::to_string(beta) + (masked ? ", masked" : ""));
      scene.options.loss = beta == 2 ? frobenius_loss : Loss{LossKind::divergence, beta};
      if (masked) scene.options.mask.seen = seen.data();
      ranks_agree_with_one(device, scene);
    }
}

void given_factors_agree(const MakeDevice& device) {
  const Dense W = absolute(gaussian(83, 5, 3));
  const Dense H = absolute(gaussian(5, 31, 4));
  for (const auto& [model, solver] : {solvers[0], solvers[3]})
    for (const int which : {1, 2, 3}) {
      Scene scene = scene_of(model, solver, data(83, 31), 5, 4, "given " + std::to_string(which));
      scene.options.start = Start::given;
      if (which & 1) scene.options.given_W = W.view();
      if (which & 2) scene.options.given_H = H.view();
      ranks_agree_with_one(device, scene);
    }
}

// The residual of the worst-fitted row of all ranks replaces a component that stays dead.
void dead_components_come_back(const MakeDevice& device) {
  for (const Index worst : {2, 60, 82}) {
    Dense X = data(83, 31);
    for (Index j = 0; j < X.cols; ++j) X(worst, j) = j % 3 == 0 ? 40 : 0;
    Dense W = absolute(gaussian(83, 5, 3));
    Dense H = absolute(gaussian(5, 31, 4));
    for (Index i = 0; i < W.rows; ++i) W(i, 2) = 0;
    for (Index j = 0; j < H.cols; ++j) H(2, j) = 0;
    Scene scene =
        scene_of(Model::nmf, Solver::hals, X, 5, 12, "worst row " + std::to_string(worst));
    scene.options.start = Start::given;
    scene.options.given_W = W.view();
    scene.options.given_H = H.view();
    scene.bound = 1e-3;
    ranks_agree_with_one(device, scene);
    const Fitted found = joined(split(device, scene, 3));
    check(std::ranges::any_of(found.H.values, [](float x) { return x > 1; }) &&
              squares(filled(1, 31, [&](Index, Index j) { return found.H(2, j); })) > 0,
          scene.name + ": the component is used again");
  }
}

// The scale of X is that of all ranks, and a rank of zeros has none.
void rows_of_one_rank_may_be_zero_or_tiny(const MakeDevice& device) {
  for (const double factor : {0.0, 1e-30})
    for (const double magnitude : {1e-20, 1.0, 1e30}) {
      Dense X = data(83, 31);
      for (Index i = 0; i < X.rows; ++i)
        for (Index j = 0; j < X.cols; ++j)
          X(i, j) = static_cast<float>(X(i, j) * magnitude * (i < 42 ? factor : 1));
      ranks_agree_with_one(device, scene_of(Model::nmf, Solver::hals, X, 5, 4,
                                            "first rows times " + std::to_string(factor) +
                                                ", magnitude " + std::to_string(magnitude)));
    }
}

// What crosses in an iteration: S, R and, where the objective is measured, its terms.
void an_iteration_sends_sums_alone(const MakeDevice& device) {
  for (const auto& [model, solver] : solvers) {
    Index short_run = 0;
    Index long_run = 0;
    Scene scene = scene_of(model, solver, data(300, 260), 16, 3, "");
    split(device, scene, 2, &short_run);
    scene.options.max_iterations = 8;
    split(device, scene, 2, &long_run);
    const Index d = 260;
    const Index k = 16;
    const Index most = d * k + 2 * k * k + 8;
    check(long_run - short_run >= 5 * (d * k + k * k) && long_run - short_run <= 5 * most,
          scene.name + std::to_string((long_run - short_run) / 5) + " values in an iteration");
  }
}

void an_error_of_one_rank_ends_all(const MakeDevice& device) {
  Scene scene = scene_of(Model::nmf, Solver::hals, data(83, 31), 5, 4, "");
  scene.X(60, 4) = -1;
  throws<InvalidEntry>([&] { split(device, scene, 3); },
                       [](const InvalidEntry& e) { check(e.column == 4, "its column"); },
                       "a negative entry of one rank");
  const std::vector<float> weights(83, 0.0f);
  scene = scene_of(Model::nmf, Solver::hals, data(83, 31), 5, 4, "");
  scene.options.row_weights = weights;
  throws<InvalidEntry>(
      [&] { split(device, scene, 2); },
      [](const InvalidEntry& e) { check(e.argument == "sampleWeight", "weights"); },
      "no weight on any rank");
}

// Forks, so it runs before the pool has threads.
void what_has_no_sums_over_ranks_ends_the_process() {
  const auto ends = [](const std::string& name, const std::function<void(FitOptions&)>& change,
                       int signal = SIGABRT) {
    Scene scene = scene_of(Model::semi_nmf, Solver::hals, data(83, 31), 5, 2, name);
    change(scene.options);
    check(signal_that_ends(
              [&] { split([] { return std::make_unique<NaivePasses>(); }, scene, 2); }) == signal,
          name);
  };
  ends("random start", [](FitOptions&) {}, 0);
  ends("start from k-means", [](FitOptions& o) { o.start = Start::kmeans; });
  ends("second start", [](FitOptions& o) { o.tries_svd = true; });
  ends("checkpoint", [](FitOptions& o) { o.checkpoint.path = "/nowhere/at/all"; });
  ends("held-out entries", [](FitOptions& o) { o.mask.held_out = 0.1; });
}

void communicator_suite(const MakeDevice& device) {
  models_agree(device);
  sparse_rows_agree(device);
  policies_agree(device);
  divergences_agree(device);
  given_factors_agree(device);
  dead_components_come_back(device);
  an_error_of_one_rank_ends_all(device);
}

}  // namespace

int main() {
  if (!thread_sanitizer) what_has_no_sums_over_ranks_ends_the_process();
  sums_are_those_of_the_order_of_ranks();
  set_pool_threads(2);
  const MakeDevice cpu = [] { return cpu::make_passes(*cpu::runnable_kernels().back()); };
  communicator_suite(cpu);
  wide_models_agree(cpu);
  rows_of_one_rank_may_be_zero_or_tiny(cpu);
  an_iteration_sends_sums_alone(cpu);
  stop_pool();
  on_guarded_memory([](Passes&) {
    const MakeDevice guarded = [] { return std::make_unique<GuardedPasses>(); };
    models_agree(guarded);
    dead_components_come_back(guarded);
  });
  return test::report("communicator");
}
