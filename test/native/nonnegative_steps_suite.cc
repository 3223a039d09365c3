// Steps towards the non-negative least squares of the rows of a factor: the exact one, projected
// gradients, and sweeps with an upper bound.
#include <cmath>

#include "devices.h"
#include "fixtures.h"
#include "naive_passes.h"

namespace {

using namespace test;
using oracle::Penalty;

// min Σ over rows f of F: f N f − 2 c·f + l1 Σ f + l2 Σ f² over 0 <= f <= upper.
struct Problem {
  Matrix other;
  Matrix cross;
  Penalty penalty;
  double upper = unbounded;

  Matrix gram() const { return gram_of(other); }

  // −½ of the gradient.
  Matrix slope(const Matrix& F) const {
    Matrix S = cross;
    const Matrix FN = oracle::multiply(F, gram());
    for (std::size_t i = 0; i < S.data.size(); ++i)
      S.data[i] -= FN.data[i] + penalty.l1 / 2 + penalty.l2 * F.data[i];
    return S;
  }

  double objective(const Matrix& F) const {
    double sum = 0;
    const Matrix FN = oracle::multiply(F, gram());
    for (std::size_t i = 0; i < F.data.size(); ++i) {
      const double f = F.data[i];
      sum += f * (FN.data[i] - 2 * cross.data[i] + penalty.l1 + penalty.l2 * f);
    }
    return sum;
  }
};

Matrix rounded(const Matrix& A) {
  const std::vector<float> floats = A.floats();
  return {A.rows, A.cols, {floats.begin(), floats.end()}};
}

Problem random_problem(Index rows, Index k, Index d, Penalty penalty, bool positive = false) {
  const Matrix other = oracle::random(d, k, 11, positive);
  const Matrix X = oracle::random(rows, d, 12, positive);
  return {.other = other, .cross = rounded(oracle::multiply(X, other)), .penalty = penalty};
}

Matrix improved(Passes& device, StepKind kind, const Problem& problem, const Matrix& start,
                Index sweeps = 1, Index threads = 2) {
  const Factor factor(device, start);
  device.improve({.kind = kind,
                  .l1 = problem.penalty.l1,
                  .l2 = problem.penalty.l2,
                  .sweeps = sweeps,
                  .relaxation = 1,
                  .upper = problem.upper},
                 Factor(device, problem.cross).view(), normal_of(problem.other), factor.view(),
                 job_of(threads));
  return factor.matrix();
}

// The conditions of Karush, Kuhn and Tucker, up to the rounding of the factor to float32.
void is_minimum(const Problem& problem, const Matrix& F, double tolerance,
                const std::string& what) {
  const Matrix slope = problem.slope(F);
  const double unit = std::max(largest(problem.cross.data), 1e-300);
  double worst = 0;
  for (std::size_t i = 0; i < F.data.size(); ++i) {
    test::check(F.data[i] >= 0 && F.data[i] <= problem.upper, what + ": within its bounds");
    if (F.data[i] > 0) worst = std::max(worst, -slope.data[i]);
    if (F.data[i] < problem.upper) worst = std::max(worst, slope.data[i]);
  }
  test::near(worst / unit, 0, tolerance, what + ": no direction of descent");
}

void exact_steps_end_at_a_minimum(Passes& device) {
  for (const Index k : {1, 2, 5, 16, 64, 65})
    for (const Penalty penalty : {Penalty{0, 0}, Penalty{3, 0.5}})
      for (const bool positive : {false, true}) {
        const Index rows = is_slow(device) ? 9 : 140;
        if (is_slow(device) && k > 16) continue;
        const Problem problem = random_problem(rows, k, 100, penalty, positive);
        for (const Matrix& start : {Matrix(rows, k), oracle::random(rows, k, 4, true)}) {
          const Matrix F = improved(device, StepKind::nonnegative_solve, problem, start);
          is_minimum(problem, F, 1e-5, "k " + std::to_string(k));
          for (const Index threads : {1, 3})
            test::check(
                improved(device, StepKind::nonnegative_solve, problem, start, 1, threads).data ==
                    F.data,
                "the same bits for any number of threads");
        }
      }
}

// Rows share factors with others of the block, which must not show.
void a_row_is_solved_as_if_it_were_alone(Passes& device) {
  const Index rows = is_slow(device) ? 7 : 60;
  Problem problem = random_problem(rows, 12, 15, {0, 0});
  const Matrix start = oracle::random(rows, 12, 4, true);
  const Matrix together = improved(device, StepKind::nonnegative_solve, problem, start);
  for (Index i = 0; i < rows; ++i) {
    const auto only = [&](const Matrix& A) {
      return Matrix(1, 12, {A.data.begin() + i * 12, A.data.begin() + (i + 1) * 12});
    };
    const Problem row{.other = problem.other, .cross = only(problem.cross), .penalty = {0, 0}};
    test::check(
        improved(device, StepKind::nonnegative_solve, row, only(start)).data == only(together).data,
        "alone as among others");
  }
}

// scipy.optimize.nnls 1.17.1 on [Hᵀ; √l2 I], with l1 in the normal equations.
void known_answers(Passes& device) {
  const Matrix H(4, 5, {1, 2, 0, 1, 3, 2, 1, 1, 0, 1, 0, 1, 3, 1, 1, 1, 0, 2, 2, 0});
  const Matrix X(6, 5, {3, 4, 1, 2,  5,  -1, 2, 5,  0, 1, 0,  0,  0,  0,  0,
                        4, 1, 2, -3, -2, 1,  5, -2, 3, 9, -2, -1, -3, -1, -2});
  Problem problem{.other = oracle::transpose(H),
                  .cross = oracle::multiply(X, oracle::transpose(H)),
                  .penalty = {0, 0}};
  const auto expect_codes = [&](const std::vector<double>& codes) {
    for (const Matrix& start : {Matrix(6, 4), oracle::random(6, 4, 4, true)})
      close(improved(device, StepKind::nonnegative_solve, problem, start).data, codes, 1e-6,
            "codes");
  };
  expect_codes({1.5257453, 0.64227642, 0, 0.20596206, 0,         0, 1.5, 0, 0, 0, 0, 0,
                0,         1.2857143,  0, 0,          2.7333333, 0, 0,   0, 0, 0, 0, 0});
  problem.penalty = {1.5, 0.75};
  expect_codes({1.4253016, 0.57588333, 0.072431903, 0.11190838, 0, 0, 1.3529412, 0, 0, 0, 0, 0, 0,
                1.0645161, 0,          0,           2.5555556,  0, 0, 0,         0, 0, 0, 0});
}

// N of rank below k: equal and opposite components, combinations, zeros, and more components than
// columns. The codes are not determined, the objective is.
void dependent_components_end_at_the_same_objective(Passes& device) {
  const Index rows = is_slow(device) ? 8 : 40;
  for (const Penalty penalty : {Penalty{0, 0}, Penalty{2, 0}, Penalty{0.5, 0.25}}) {
    Problem few = random_problem(rows, 9, 5, penalty);
    Problem repeated = random_problem(rows, 7, 30, penalty);
    for (Index t = 0; t < 30; ++t) {
      repeated.other(t, 3) = repeated.other(t, 0);
      repeated.other(t, 4) = -repeated.other(t, 1);
      repeated.other(t, 5) = repeated.other(t, 0) - 2 * repeated.other(t, 2);
      repeated.other(t, 6) = 0;
    }
    repeated.cross = rounded(oracle::multiply(oracle::random(rows, 30, 12), repeated.other));
    NaivePasses naive;
    for (const Problem& problem : {few, repeated})
      for (const Matrix& start :
           {Matrix(rows, problem.other.cols), oracle::random(rows, problem.other.cols, 4, true)}) {
        const Matrix F = improved(device, StepKind::nonnegative_solve, problem, start);
        const Matrix right = improved(naive, StepKind::nonnegative_solve, problem, start);
        const double scale = std::abs(problem.objective(right));
        test::near(problem.objective(F) / scale, problem.objective(right) / scale, 1e-5,
                   "the least objective");
      }
  }
}

// Components that nearly agree make full exchanges cycle, and pivots vanish.
void nearly_equal_components_do_not_raise_the_objective(Passes& device) {
  const Index rows = is_slow(device) ? 6 : 100;
  for (const double spread : {1e-1, 1e-2, 1e-3, 1e-4, 1e-6}) {
    Problem problem = random_problem(rows, 14, 40, {0, 0});
    for (Index t = 0; t < 40; ++t)
      for (Index j = 1; j < 14; ++j)
        problem.other(t, j) =
            (j % 2 == 1 ? 1 : -1) * problem.other(t, 0) + spread * problem.other(t, j);
    problem.cross = rounded(oracle::multiply(oracle::random(rows, 40, 12), problem.other));
    const Matrix start = oracle::random(rows, 14, 4, true);
    const Matrix F = improved(device, StepKind::nonnegative_solve, problem, start);
    const double before = problem.objective(start);
    test::check(problem.objective(F) <= before + 1e-6 * std::abs(before), "no rise");
    if (spread >= 1e-2) is_minimum(problem, F, 1e-3, "nearly equal");
  }
}

void gradients_agree_with_the_formula(Passes& device) {
  NaivePasses naive;
  for (const Index k : {1, 3, 4, 5, 13, 37})
    for (const Penalty penalty : {Penalty{0, 0}, Penalty{3, 0.5}})
      for (const double upper : {unbounded, 0.4})
        for (const Index sweeps : {1, 2, 6}) {
          Problem problem = random_problem(33, k, 50, penalty);
          problem.upper = upper;
          Matrix start = oracle::random(33, k, 4, true);
          for (double& x : start.data) x = std::min(x, upper);
          close(
              improved(device, StepKind::projected_gradient, problem, rounded(start), sweeps).data,
              improved(naive, StepKind::projected_gradient, problem, rounded(start), sweeps).data,
              1e-4, "gradient steps, k " + std::to_string(k));
        }
}

// docs/math/projected-gradient.md: f after any number of steps is not above f before them.
void no_number_of_gradients_raises_the_objective(Passes& device) {
  for (const bool positive : {false, true})
    for (const double upper : {unbounded, 0.5}) {
      Problem problem = random_problem(20, 10, 12, {0.1, 0}, positive);
      problem.upper = upper;
      Matrix start = oracle::random(20, 10, 4, true);
      for (double& x : start.data) x = std::min(x, upper);
      start = rounded(start);
      const double before = problem.objective(start);
      for (Index sweeps = 1; sweeps <= 40; ++sweeps) {
        const Matrix F = improved(device, StepKind::projected_gradient, problem, start, sweeps);
        test::check(problem.objective(F) <= before + 1e-6 * std::abs(before), "no rise");
      }
      const Matrix F = improved(device, StepKind::projected_gradient, problem, start, 1000);
      is_minimum(problem, F, 2e-4, "after many steps");
    }
}

void sweeps_keep_to_an_upper_bound(Passes& device) {
  NaivePasses naive;
  for (const Index k : {1, 4, 7, 20}) {
    Problem problem = random_problem(40, k, 30, {0.2, 0.1}, true);
    problem.upper = 0.3;
    Matrix start = oracle::random(40, k, 4, true);
    for (double& x : start.data) x = std::min(x, problem.upper);
    start = rounded(start);
    close(improved(device, StepKind::nonnegative_sweep, problem, start, 2).data,
          improved(naive, StepKind::nonnegative_sweep, problem, start, 2).data, 1e-4, "sweeps");
    Problem reached = problem;
    reached.upper = static_cast<float>(problem.upper);
    is_minimum(reached, improved(device, StepKind::nonnegative_sweep, problem, start, 2000), 1e-4,
               "after many sweeps");
  }
}

void suite(Passes& device) {
  exact_steps_end_at_a_minimum(device);
  a_row_is_solved_as_if_it_were_alone(device);
  known_answers(device);
  dependent_components_end_at_the_same_objective(device);
  nearly_equal_components_do_not_raise_the_objective(device);
  gradients_agree_with_the_formula(device);
  no_number_of_gradients_raises_the_objective(device);
  sweeps_keep_to_an_upper_bound(device);
}

}  // namespace

int main() {
  each_device(suite);
  return test::report("nonnegative steps");
}
