// Conformance of a backend's operations on a block, compared with naive float64 and known answers.
#include <cmath>
#include <limits>

#include "devices.h"
#include "fixtures.h"
#include "naive_passes.h"

namespace {

using namespace test;
using oracle::Penalty;

// One step of a factor for a cross product.
void step(Passes& device, StepKind kind, const Matrix& cross, const NormalMatrix& normal,
          const Factor& factor, Index sweeps = 1) {
  device.improve({.kind = kind, .l1 = 0, .l2 = 0, .sweeps = sweeps, .relaxation = 1},
                 Factor(device, cross).view(), normal, factor.view(), job_of(1));
}

void sweeps_agree_with_the_formula(Passes& backend) {
  for (Index k : {1, 2, 3, 4, 5, 8, 13, 32, 37})
    for (Index rows : {1, 7, 16, 33, 100})
      for (const Penalty penalty : {Penalty{0, 0}, Penalty{3, 0.5}})
        for (Index sweeps : {1, 3}) {
          const double relaxation = sweeps == 1 ? 1 : 1.6;
          const Matrix other = oracle::random(50, k, 1);
          const Matrix positive_other = oracle::random(50, k, 2, true);
          const Matrix X = oracle::random(rows, 50, 3);
          const std::string size = " rows " + std::to_string(rows) + " k " + std::to_string(k);

          const auto run = [&](StepKind kind, const Matrix& fixed, Matrix start, auto formula,
                               const std::string& name) {
            const Matrix cross = Matrix(rows, k, [&] {
              const std::vector<float> rounded = oracle::multiply(X, fixed).floats();
              return std::vector<double>(rounded.begin(), rounded.end());
            }());
            const Factor factor(backend, start);
            backend.improve({.kind = kind,
                             .l1 = penalty.l1,
                             .l2 = penalty.l2,
                             .sweeps = sweeps,
                             .relaxation = relaxation},
                            Factor(backend, cross).view(), normal_of(fixed), factor.view(),
                            job_of(2));
            const Matrix N = gram_of(fixed);
            for (Index s = 0; s < sweeps; ++s) formula(cross, N, start);
            close(factor.matrix().data, start.data, 2e-4, name + size);
          };
          run(
              StepKind::nonnegative_sweep, other, oracle::random(rows, k, 4, true),
              [&](auto& C, auto& N, auto& F) {
                oracle::nonnegative_sweep(C, N, penalty, relaxation, F);
              },
              "sweep");
          run(
              StepKind::signed_sweep, other, oracle::random(rows, k, 5),
              [&](auto& C, auto& N, auto& F) { oracle::signed_sweep(C, N, penalty, F); }, "signed");
          run(
              StepKind::sign_split, other, oracle::random(rows, k, 6, true),
              [&](auto& C, auto& N, auto& F) { oracle::sign_split(C, N, penalty, F); }, "split");
          run(
              StepKind::multiplicative, positive_other, oracle::random(rows, k, 7, true),
              [&](auto& C, auto& N, auto& F) { oracle::multiplicative(C, N, penalty, F); }, "mu");
        }
}

void factors_with_a_stride_are_left_alone_between_rows(Passes& backend) {
  const Index rows = 19;
  const Matrix other = oracle::random(20, 5, 1);
  const Matrix cross = oracle::multiply(oracle::random(rows, 20, 2), other);
  const Factor wide(backend, oracle::random(rows, 8, 3, true));
  const Matrix before = wide.matrix();
  Matrix expected(rows, 5);
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < 5; ++j) expected(i, j) = before(i, j);
  const BackendView<float> narrow = {wide.view().data, rows, 5, 8};
  backend.improve(
      {.kind = StepKind::nonnegative_sweep, .l1 = 0, .l2 = 0, .sweeps = 1, .relaxation = 1},
      Factor(backend, cross).view(), normal_of(other), narrow, job_of(1));
  oracle::nonnegative_sweep(cross, gram_of(other), {0, 0}, 1, expected);
  const Matrix after = wide.matrix();
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < 8; ++j)
      test::near(after(i, j), j < 5 ? expected(i, j) : before(i, j), j < 5 ? 1e-4 : 0, "strided");
}

void dead_components_keep_their_columns(Passes& backend) {
  Matrix other = oracle::random(30, 5, 1, true);
  for (Index i = 0; i < 30; ++i) other(i, 2) = 0;
  const Matrix cross = oracle::multiply(oracle::random(40, 30, 2, true), other);
  const Matrix start = oracle::random(40, 5, 3, true);
  for (const StepKind kind : {StepKind::nonnegative_sweep, StepKind::signed_sweep,
                              StepKind::multiplicative, StepKind::sign_split}) {
    const Factor factor(backend, start);
    step(backend, kind, cross, normal_of(other), factor, 2);
    const Matrix after = factor.matrix();
    for (Index i = 0; i < 40; ++i) test::near(after(i, 2), start(i, 2), 0, "a dead column");
    for (double x : after.data) test::check(std::isfinite(x), "beside a dead column");
  }
}

void zeros_stay_zeros_under_multiplication(Passes& backend) {
  const Matrix other = oracle::random(30, 4, 1, true);
  Matrix X = oracle::random(20, 30, 2, true);
  for (Index j = 0; j < 30; ++j) X(0, j) = 0;
  Matrix start = oracle::random(20, 4, 3, true);
  start(5, 1) = 0;
  start(6, 0) = 1e-38;
  for (const StepKind kind : {StepKind::multiplicative, StepKind::sign_split}) {
    const Factor factor(backend, start);
    step(backend, kind, oracle::multiply(X, other), normal_of(other), factor, 50);
    const Matrix after = factor.matrix();
    test::check(after(5, 1) == 0, "a zero stays");
    for (Index j = 0; j < 4; ++j) test::check(after(0, j) == 0, "a zero row gives zeros");
    for (Index j = 0; j < 80; ++j)
      test::check(after.data[j] == 0 || after.data[j] >= std::numeric_limits<float>::min(),
                  "no subnormal factors");
  }
}

void least_squares(Passes& backend) {
  for (Index k : {1, 3, 8, 21}) {
    const Matrix other = oracle::random(60, k, 1);
    const Matrix truth = oracle::random(45, k, 2);
    const Matrix cross = oracle::multiply(truth, gram_of(other));
    const Factor factor(backend, Matrix(45, k));
    step(backend, StepKind::solve, cross, normal_of(other, 0, true), factor);
    close(factor.matrix().data, truth.data, 1e-5, "solve");
  }
}

// Row by row over the entries that are not 0; those of a dependent component stay.
void least_squares_over_a_support(Passes& backend) {
  NaivePasses naive;
  for (Index k : {1, 3, 8, 21}) {
    const Matrix other = oracle::random(60, k, 1);
    Matrix start = oracle::random(45, k, 2);
    for (std::size_t i = 0; i < start.data.size(); i += 2 + i % 3) start.data[i] = 0;
    const Matrix cross = oracle::random(45, k, 3);
    const Factor ours(backend, start);
    const Factor theirs(naive, start);
    step(backend, StepKind::solve_on_support, cross, normal_of(other), ours);
    step(naive, StepKind::solve_on_support, cross, normal_of(other), theirs);
    close(ours.matrix().data, theirs.matrix().data, 1e-5, "over a support");
    for (std::size_t i = 0; i < start.data.size(); ++i)
      test::check((ours.floats()[i] == 0) == (start.data[i] == 0), "zeros stay zeros");
  }
  Matrix twins(10, 2);
  for (Index i = 0; i < 10; ++i) twins(i, 0) = twins(i, 1) = static_cast<double>(i);
  const Factor factor(backend, Matrix(1, 2, {1, 0.25}));
  step(backend, StepKind::solve_on_support, Matrix(1, 2, {570, 570}), normal_of(twins), factor);
  close(factor.matrix().data, {1.75, 0.25}, 1e-6, "the second of two equal components stays");
}

void one_component_takes_the_row(Passes& backend) {
  NaivePasses naive;
  for (Index k : {1, 3, 8, 21}) {
    const Matrix other = oracle::random(60, k, 1);
    const Matrix cross = oracle::random(45, k, 3);
    const Factor ours(backend, oracle::random(45, k, 4));
    const Factor theirs(naive, oracle::random(45, k, 5));
    step(backend, StepKind::one_component, cross, normal_of(other), ours);
    step(naive, StepKind::one_component, cross, normal_of(other), theirs);
    close(ours.matrix().data, theirs.matrix().data, 1e-6, "one component");
  }
  const Factor factor(backend, Matrix(3, 2));
  const NormalMatrix normal({4, 0, 0, 1}, 2, 0, false);
  step(backend, StepKind::one_component, Matrix(3, 2, {4, 3, 2, 1, -1, -2}), normal, factor);
  close(factor.matrix().data, {0, 3, 0.5, 0, 0, 0}, 1e-6, "ties to the first, or none");
}

void dependent_components_keep_their_columns_in_a_solve(Passes& backend) {
  Matrix other = oracle::random(60, 5, 1);
  for (Index i = 0; i < 60; ++i) {
    other(i, 1) = 0;                              // dead
    other(i, 3) = other(i, 0) - 2 * other(i, 2);  // a combination
  }
  const NormalMatrix normal = normal_of(other, 0, true);
  test::check(normal.dependent() == std::vector<Index>({1, 3}), "which are dependent");
  const Matrix truth = oracle::random(45, 5, 2);
  const Matrix cross = oracle::multiply(truth, gram_of(other));
  Matrix start(45, 5);
  for (Index i = 0; i < 45; ++i)
    for (Index j : {1, 3}) start(i, j) = truth(i, j);
  const Factor factor(backend, start);
  step(backend, StepKind::solve, cross, normal, factor);
  close(factor.matrix().data, truth.data, 1e-5, "solve with the dependent ones fixed");
}

void copies(Passes& backend) {
  const Matrix A = oracle::random(4, 3, 1);
  const Factor factor(backend, Matrix(4, 3));
  backend.copy(Factor(backend, A).view(), factor.view());
  close(factor.matrix().data, A.data, 1e-7, "copy");
}

// ---- Known answers, reference/factorization.md.

void known_answer_semi_mu(Passes& backend) {  // 1.6
  const Matrix X(4, 3, {1, -2, 0, 3, 1, -1, 0, 2, 4, -1, 0, 2});
  const Factor W(backend, Matrix(4, 2, {1, .2, 1, .2, .2, 1, .2, 1}));
  const Factor Ht(backend, Matrix(3, 2));
  const auto solve = [&] {
    const Matrix S = oracle::multiply(oracle::transpose(X), W.matrix());
    step(backend, StepKind::solve, S, normal_of(W.matrix(), 0, true), Ht);
  };
  solve();
  close(Ht.matrix().data, {2.1875, -.9375, -.729167, 1.145833, -1.145833, 3.229167}, 1e-6, "F0");
  test::near(oracle::squared_error(X, W.matrix(), Ht.matrix()), 11.5, 1e-5, "SSE 0");
  for (double expected : {8.9180683, 8.16209853, 7.75141205}) {
    const Matrix P = oracle::multiply(X, Ht.matrix());
    step(backend, StepKind::sign_split, P, normal_of(Ht.matrix()), W);
    if (expected > 8.5)
      close(W.matrix().data,
            {.865222, .213995, 1.118656, .188434, .189099, 1.144353, .213033, .830937}, 1e-6, "G");
    solve();
    test::near(oracle::squared_error(X, W.matrix(), Ht.matrix()), expected, 3e-6, "SSE");
  }
}

const Matrix small_X(3, 3, {1, 2, 3, 4, 5, 6, 7, 8, 10});
const Matrix small_W(3, 2, {1, 1, 1, 2, 2, 1});
const Matrix small_Ht(3, 2, {1, 1, 1, 2, 1, 3});

void known_answer_hals(Passes& backend) {  // 6.10: W, then H
  const Factor W(backend, small_W);
  const Factor Ht(backend, small_Ht);
  const Matrix P = oracle::multiply(small_X, small_Ht);
  step(backend, StepKind::nonnegative_sweep, P, normal_of(small_Ht), W);
  close(W.matrix().data, {0, 1, 1, 1.85714286, 6.33333333, 1.07142857}, 1e-6, "W");
  const Matrix S = oracle::multiply(oracle::transpose(small_X), W.matrix());
  step(backend, StepKind::nonnegative_sweep, S, normal_of(W.matrix()), Ht);
  close(oracle::transpose(Ht.matrix()).data,
        {.96544402, .93359073, 1.05579151, 1.35509374, 2.10619626, 2.81083791}, 1e-6, "H");
  test::near(oracle::squared_error(small_X, W.matrix(), Ht.matrix()), .98203991, 1e-5, "SSE");
}

void known_answer_mu(Passes& backend) {  // 6.10: H, then W
  const Factor W(backend, small_W);
  const Factor Ht(backend, small_Ht);
  const Matrix S = oracle::multiply(oracle::transpose(small_X), small_W);
  step(backend, StepKind::multiplicative, S, normal_of(small_W), Ht);
  close(oracle::transpose(Ht.matrix()).data,
        {1.72727273, 1.4375, 1.38095238, 1.45454545, 2.35294118, 3.26086957}, 1e-6, "H");
  const Matrix P = oracle::multiply(small_X, Ht.matrix());
  step(backend, StepKind::multiplicative, P, normal_of(Ht.matrix()), W);
  close(W.matrix().data, {.50390376, .55583263, .80649349, 1.58183176, 3.07674748, 1.57657222},
        1e-6, "W");
  test::near(oracle::squared_error(small_X, W.matrix(), Ht.matrix()), 1.6442947, 1e-5, "SSE");
}

// Against coordinate descent in float64, from codes that are far away: also where H is dependent.
void codes_settle(Passes& backend) {
  NaivePasses naive;
  struct Shape {
    Index n, d, k;
  };
  for (const Shape shape : {Shape{1, 1, 1}, {7, 5, 3}, {40, 12, 12}, {700, 30, 9}, {60, 8, 11}})
    for (const bool sparse : {false, true})
      for (const Penalty penalty : {Penalty{0, 0}, Penalty{0.4, 0.2}}) {
        Matrix unit = oracle::random(shape.n, shape.d, 1);
        if (sparse)
          for (double& x : unit.data) x = std::abs(x) < 1 ? 0 : x;
        const std::vector<float> floats = oracle::scaled(unit, 8).floats();
        const Csr csr(oracle::scaled(unit, 8));
        const auto source =
            sparse ? csr.source()
                   : dense_source(floats.data(), ElementType::float32, shape.n, shape.d, shape.d);
        const Matrix Ht = oracle::random(shape.d, shape.k, 2);
        const NormalMatrix normal = normal_of(Ht);
        const Matrix start = oracle::random(shape.n, shape.k, 3, true);
        const auto fitted = [&](Passes& passes, Index threads) {
          const Factor other(passes, Ht);
          const Factor W(passes, start);
          passes.settle_codes({.X = *source,
                               .exponent = 3,
                               .Ht = other.view(),
                               .normal = normal,
                               .l1 = penalty.l1,
                               .l2 = penalty.l2},
                              W.view(), job_of(threads));
          return W.floats();
        };
        const std::vector<float> own = fitted(backend, 2);
        for (const Index threads : {1, 3})
          test::check(fitted(backend, threads) == own, "the same bits for any number of threads");
        const std::vector<float> right = fitted(naive, 1);
        const Matrix W(shape.n, shape.k, {own.begin(), own.end()});
        const Matrix expected(shape.n, shape.k, {right.begin(), right.end()});
        const Matrix H = oracle::transpose(Ht);
        close(oracle::multiply(W, H).data, oracle::multiply(expected, H).data, 2e-3, "W H");
        if (shape.k <= shape.d) close(W.data, expected.data, 2e-3, "codes");
      }
}

void steps_suite(Passes& backend) {
  codes_settle(backend);
  sweeps_agree_with_the_formula(backend);
  factors_with_a_stride_are_left_alone_between_rows(backend);
  dead_components_keep_their_columns(backend);
  zeros_stay_zeros_under_multiplication(backend);
  least_squares(backend);
  least_squares_over_a_support(backend);
  one_component_takes_the_row(backend);
  dependent_components_keep_their_columns_in_a_solve(backend);
  copies(backend);
  known_answer_semi_mu(backend);
  known_answer_hals(backend);
  known_answer_mu(backend);
}

}  // namespace

int main() {
  each_device(steps_suite);
  return test::report("steps");
}
