// Invariants of factorization for random configurations: shapes, ranks above n and d, nearly
// singular data, exact fits, one-sided penalties, and penalties that make factors 0. The argument
// is the number of runs.
#include "devices.h"
#include "factorization_matrices.h"

namespace {

using namespace test;

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed, 100) {}

  double between(double low, double high) {
    return low + (high - low) * random_.uniform(row_++, 0);
  }
  double spread(double low, double high) {
    return std::exp(between(std::log(low), std::log(high)));
  }
  Index below(Index limit) { return static_cast<Index>(between(0, static_cast<double>(limit))); }

 private:
  CounterRandom random_;
  std::uint64_t row_ = 0;
};

Dense drawn_matrix(Dice& dice) {
  const auto n = static_cast<Index>(dice.spread(1, 400));
  const auto d = static_cast<Index>(dice.spread(1, 55));
  const auto seed = static_cast<std::uint64_t>(dice.below(1000000));
  const Index rank = 1 + dice.below(6);
  const double noise = dice.spread(1e-8, 1);
  const Dense base = gaussian(n, d, seed);
  const auto part = [](Index i, Index count) {
    return static_cast<double>(i) / static_cast<double>(count);
  };
  switch (dice.below(8)) {
    case 0:
      return base;
    case 1: {
      const Dense exact = planted(n, d, rank, seed);
      return filled(n, d, [&](Index i, Index j) { return exact(i, j) + noise * base(i, j); });
    }
    case 2:
      return filled(n, d, [&](Index i, Index j) { return base(i % std::min(n, rank), j); });
    case 3:
      return filled(n, d,
                    [&](Index i, Index j) { return base(i, j) * std::pow(10, 4 * part(j, d)); });
    case 4:
      return filled(n, d, [&](Index i, Index j) {
        return (i * 7 + j * 13 + i * j) % 11 < 2 ? base(i, j) : 0;
      });
    case 5:
      return filled(n, d, [&](Index i, Index j) { return std::round(base(i, j)); });
    case 6:
      return filled(n, d, [&](Index i, Index j) { return 100 + noise * base(i, j); });
    default:
      return filled(n, d, [&](Index i, Index j) {
        return base(i, j) * std::pow(10, 6 * part(i * 37 % 101, 101));
      });
  }
}

Start drawn_start(Dice& dice, Model model, Solver solver, bool any_rank) {
  if (any_rank || dice.below(2) == 0) return dice.below(2) ? Start::random : Start::kmeans;
  if (model == Model::semi_nmf) return Start::svd;
  const Start starts[] = {Start::nndsvda, Start::nndsvdar, Start::low_rank, Start::nndsvd};
  return starts[dice.below(solver == Solver::hals ? 4 : 2)];
}

// Between a millionth of what matters and thirty times that.
Penalties drawn_penalties(Dice& dice, const Dense& X) {
  const double scale = squares(X) / static_cast<double>(X.rows + X.cols) + 1e-30;
  const auto weight = [&] { return dice.below(2) ? 0 : dice.spread(1e-6, 30); };
  return {weight() * std::sqrt(scale), weight() * scale, weight() * std::sqrt(scale),
          weight() * scale};
}

void one_run(Passes& device, Dice& dice, int number) {
  Dense X = drawn_matrix(dice);
  const auto k = static_cast<Index>(dice.spread(1, 30));
  const Model model = dice.below(2) ? Model::nmf : Model::semi_nmf;
  const Solver solver = dice.below(3) ? Solver::hals : Solver::mu;
  if (model == Model::nmf) X = absolute(X);
  const Start start = drawn_start(dice, model, solver, k > std::min(X.rows, X.cols));
  FitOptions o = options(model, solver, start, static_cast<Index>(dice.spread(1, 400)));
  o.seed = static_cast<std::uint64_t>(dice.below(100));
  o.inner_sweeps = 1 + dice.below(3);
  if (dice.below(2)) o.penalties = drawn_penalties(dice, X);
  char name[160];
  std::snprintf(name, sizeof name, "run %d: %dx%d, k %d, model %d, solver %d, start %d", number,
                static_cast<int>(X.rows), static_cast<int>(X.cols), static_cast<int>(k),
                static_cast<int>(model), static_cast<int>(solver), static_cast<int>(start));
  expect_lawful(X, fitted(device, X, k, o), o, name);
}

void runs_of(Passes& device, int runs) {
  for (int number = 0; number < runs; ++number) {
    Dice dice(static_cast<std::uint64_t>(number));
    one_run(device, dice, number);
  }
}

}  // namespace

int main(int count, char** arguments) {
  const int runs = count > 1 ? std::atoi(arguments[1]) : 400;
  runs_of(passes_for("cpu"), runs);
  on_emulated_gpu([&](Passes& guarded) { runs_of(guarded, runs / 10); });
  on_guarded_memory([&](Passes& guarded) { runs_of(guarded, runs / 10); });
  return test::report("factorization_random");
}
