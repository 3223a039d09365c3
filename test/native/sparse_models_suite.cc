// Models with few entries in a factor, compared with their formulae in float64: dictionary
// learning, orthogonal NMF, and the refit of SNMF.
#include "core/pool.h"
#include "models_fixtures.h"

namespace {

using namespace test;

FitOptions dictionary_options(double l1, Start start, Index iterations) {
  FitOptions o = options(Model::dictionary_learning, Solver::hals, start, iterations);
  o.penalties.l1_w = l1;
  o.inner_sweeps = 3;
  return o;
}

FitOptions orthogonal_options(Start start, Index iterations) {
  return options(Model::orthogonal_nmf, Solver::alt_onmf, start, iterations);
}

// ---- Dictionary learning.

void rows_of_dictionaries_stay_in_the_unit_ball() {
  for (const Dense& X : {gaussian(90, 20, 71), planted(300, 40, 6, 72), zeros(30, 8),
                         gaussian(5, 5, 3), filled(40, 12, [](Index, Index) { return 2; })})
    for (const Start start : {Start::random, Start::kmeans, Start::svd})
      for (const double l1 : {0.0, 0.5, 1e6})
        for (const Index iterations : {0, 1, 2, 25}) {
          const FitOptions o = dictionary_options(l1, start, iterations);
          const Fitted result = fitted(X, 4, o);
          expect_lawful(X, result, o, "dictionary");
          for (Index j = 0; j < 4; ++j) {
            double square = 0;
            for (Index t = 0; t < X.cols; ++t) square += double{result.H(j, t)} * result.H(j, t);
            check(square <= 1 + 1e-6, "a row of H has length 1 at most");
          }
        }
}

void dictionaries_agree_with_the_formula() {
  const Dense X = gaussian(80, 17, 9);
  const FitOptions o = dictionary_options(0.7, Start::random, 12);
  const Fitted theirs = fitted(*tried_devices()[0], *X.source(), 4, o);
  const Fitted ours = fitted(X, 4, o);
  for (std::size_t t = 0; t < ours.run.objective.size(); ++t)
    near(ours.run.objective[t] / theirs.run.objective[t], 1, 1e-5, "against the formula");
  check(relative_difference(widened(theirs.H), ours.H) < 1e-3, "H against the formula");
  for (const Index threads : {1, 3}) same_bits_of(ours, fitted(X, 4, o, threads), "threads");
}

// ---- Orthogonal NMF.

void rows_have_one_component() {
  Dense with_zeros = absolute(planted(60, 12, 3, 5));
  for (Index t = 0; t < 12; ++t) with_zeros(7, t) = 0;
  for (const Dense& X :
       {with_zeros, absolute(gaussian(90, 20, 71)), zeros(30, 8), absolute(gaussian(5, 5, 3)),
        filled(40, 12, [](Index, Index) { return 2; })})
    for (const Start start : {Start::random, Start::kmeans, Start::nndsvd})
      for (const Index iterations : {0, 1, 2, 25}) {
        const FitOptions o = orthogonal_options(start, iterations);
        const Fitted result = fitted(X, 3, o);
        expect_lawful(X, result, o, "orthogonal");
        for (Index i = 0; i < X.rows; ++i) {
          const float* row = result.W.values.data() + i * 3;
          check(std::count_if(row, row + 3, [](float w) { return w > 0; }) <= 1, "one component");
        }
        for (Index j = 0; j < 3; ++j) {
          double square = 0;
          for (Index i = 0; i < X.rows; ++i) square += double{result.W(i, j)} * result.W(i, j);
          check(square == 0 || std::abs(square - 1) < 1e-6, "columns of length 1, or unused");
        }
      }
}

void orthogonal_runs_agree_with_the_formula() {
  const Dense X = absolute(gaussian(80, 17, 9));
  const FitOptions o = orthogonal_options(Start::random, 12);
  const Fitted theirs = fitted(*tried_devices()[0], *X.source(), 4, o);
  const Fitted ours = fitted(X, 4, o);
  for (std::size_t t = 0; t < ours.run.objective.size(); ++t)
    near(ours.run.objective[t] / theirs.run.objective[t], 1, 1e-5, "against the formula");
  for (const Index threads : {1, 3}) same_bits_of(ours, fitted(X, 4, o, threads), "threads");
}

// ---- The refit of SNMF.

void a_refit_keeps_the_support_and_is_never_worse() {
  const Dense X = planted(120, 60, 6, 21);
  for (Passes* device : tried_devices())
    for (const double share : {0.05, 0.2, 1.0}) {
      FitOptions o = options(Model::snmf, Solver::mu, Start::random, 8);
      o.kept_share = share;
      const Fitted plain = fitted(*device, X, 5, o);
      o.refit = true;
      const Fitted refitted = fitted(*device, X, 5, o);
      check(refitted.run.objective.size() == plain.run.objective.size() + 1, "one more objective");
      const double before = squared_error(X, plain.W, plain.H);
      const double after = squared_error(X, refitted.W, refitted.H);
      check(after < before, "the refit lowers the error");
      near(refitted.run.objective.back() / after, 1, 1e-4, "and tells it");
      for (std::size_t i = 0; i < plain.H.values.size(); ++i)
        check(plain.H.values[i] != 0 || refitted.H.values[i] == 0, "zeros of H stay");
    }
}

}  // namespace

int main() {
  set_pool_threads(3);
  rows_of_dictionaries_stay_in_the_unit_ball();
  dictionaries_agree_with_the_formula();
  rows_have_one_component();
  orthogonal_runs_agree_with_the_formula();
  a_refit_keeps_the_support_and_is_never_worse();
  stop_pool();
  return test::report("sparse models");
}
