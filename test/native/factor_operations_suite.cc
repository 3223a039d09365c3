// Conformance of a backend's memory, operations on whole factors and small problems, compared with
// naive float64.
#include <cmath>

#include "devices.h"
#include "fixtures.h"
#include "naive_passes.h"
#include "small_problems.h"

namespace {

using namespace test;

Matrix symmetric(Index k, std::uint64_t seed) {
  const Matrix A = oracle::random(k, k, seed);
  Matrix S(k, k);
  for (Index i = 0; i < k; ++i)
    for (Index j = 0; j < k; ++j) S(i, j) = A(i, j) + A(j, i);
  return S;
}

HostView<double> view(Matrix& A) { return {A.data.data(), A.rows, A.cols, A.cols}; }

void eigenvalues_agree_with_jacobi(Passes& backend) {
  for (Index k : {1, 2, 3, 7, 40}) {
    const Matrix A = symmetric(k, 9);
    Matrix vectors = A;
    Matrix rotated = A;
    const std::vector<double> values = backend.symmetric_eigen(view(vectors));
    close(values, oracle::symmetric_eigen(view(rotated)), 1e-12, "eigenvalues, descending");
    Matrix stretched = vectors;
    for (Index i = 0; i < k; ++i)
      for (Index t = 0; t < k; ++t) stretched(i, t) *= values[i];
    close(oracle::multiply(vectors, A).data, stretched.data, 1e-12, "rows are eigenvectors");
  }
}

// A y = λ N y by the equation itself.
void generalised_eigenvectors_solve_their_equation(Passes& backend) {
  for (Index k : {1, 3, 40}) {
    const Matrix A = symmetric(k, 9);
    const Matrix root = oracle::random(2 * k, k, 4);
    const Matrix N = oracle::multiply(oracle::transpose(root), root);
    Matrix vectors = A;
    Matrix overwritten = N;
    const std::vector<double> values = backend.symmetric_eigen(view(vectors), view(overwritten));
    check(std::ranges::is_sorted(values, std::greater<>()), "eigenvalues, descending");
    const Matrix of_N = oracle::multiply(vectors, N);
    Matrix stretched = of_N;
    for (Index i = 0; i < k; ++i)
      for (Index t = 0; t < k; ++t) stretched(i, t) *= values[i];
    close(oracle::multiply(vectors, A).data, stretched.data, 1e-10, "rows solve A y = λ N y");
    Matrix identity(k, k);
    for (Index i = 0; i < k; ++i) identity(i, i) = 1;
    close(oracle::multiply(of_N, oracle::transpose(vectors)).data, identity.data, 1e-10,
          "yᵀ N y = 1");
  }
}

void rows_become_orthonormal(Passes& backend) {
  for (const auto& [k, d] : {std::pair<Index, Index>{1, 1}, {1, 5}, {4, 4}, {6, 50}, {33, 40}}) {
    Matrix A = oracle::random(k, d, 11);
    if (k > 3)
      for (Index t = 0; t < d; ++t) A(2, t) = A(0, t) - 3 * A(1, t), A(3, t) = 0;
    Matrix Q = A;
    Matrix expected = A;
    backend.orthonormalise_rows(view(Q), job_of(3));
    oracle::orthonormalise_rows(view(expected));
    Matrix identity(k, k);
    for (Index i = 0; i < k; ++i) identity(i, i) = 1;
    close(oracle::multiply(Q, oracle::transpose(Q)).data, identity.data, 1e-12, "orthonormal");
    for (Index i = 0; i < std::min<Index>(k, 2); ++i)
      for (Index t = 0; t < d; ++t)
        test::near(Q(i, t), expected(i, t), 1e-12, "each within the span of those before it");
  }
}

void improve_and_gram(Passes& backend) {
  for (Index rows : {1, 127, 1000}) {
    const Matrix F = oracle::random(rows, 9, 1);
    const Factor factor(backend, F);
    const std::vector<double> one = backend.gram(factor.view(), job_of(1));
    close(one, gram_of(F).data, 1e-13, "gram");
    for (Index threads : {2, 3}) {
      const std::vector<double> many = backend.gram(factor.view(), job_of(threads));
      test::same_bits(one.data(), many.data(), many.size(), "gram by threads");
    }
    Matrix weighted = F;
    std::vector<float> weights;
    for (Index i = 0; i < rows; ++i) {
      weights.push_back(static_cast<float>(i % 3) / 2);
      for (Index j = 0; j < F.cols; ++j) weighted(i, j) *= weights.back();
    }
    const std::vector<double> of_weights = backend.weighted_gram(factor.view(), weights, job_of(2));
    close(of_weights, oracle::multiply(oracle::transpose(F), weighted).data, 1e-13,
          "weighted gram");
    const Matrix other = oracle::random(30, 9, 2);
    const Matrix cross = oracle::multiply(oracle::random(rows, 30, 3), other);
    Matrix expected = F;
    for (double& x : expected.data) x = std::abs(x);
    const Factor improved(backend, expected);
    backend.improve(
        {.kind = StepKind::nonnegative_sweep, .l1 = 0, .l2 = 0, .sweeps = 1, .relaxation = 1},
        Factor(backend, cross).view(), normal_of(other), improved.view(), job_of(3));
    oracle::nonnegative_sweep(cross, gram_of(other), {0, 0}, 1, expected);
    close(improved.matrix().data, expected.data, 1e-4, "improve");
  }
}

// The result of the naive device for the same factor is expected.
void operations_on_elements(Passes& backend) {
  NaivePasses naive;
  const Matrix start = oracle::random(1300, 7, 1);
  const std::vector<double> by = {0, 1, -2, 0.5, 3, 1e-3, 7};
  const auto run = [&](Passes& device, Index threads) {
    const Factor factor(device, start);
    device.scale_columns(by, factor.view(), job_of(threads));
    device.shift(0.25, factor.view(), job_of(threads));
    std::vector<float> all = factor.floats();
    const ColumnSums sums = device.column_sums(factor.view(), job_of(threads));
    device.raise_small(0.5f, {Distribution::uniform, 2, 11, 4}, factor.view(), job_of(threads));
    const std::vector<float> raised = factor.floats();
    all.insert(all.end(), raised.begin(), raised.end());
    const auto append = [&] {
      const std::vector<float> now = factor.floats();
      all.insert(all.end(), now.begin(), now.end());
    };
    device.raise_small(0.7f, {Distribution::half_normal, 0.01, 3, 5, 1000}, factor.view(),
                       job_of(threads));
    append();
    device.lift_rows(3, 1e-3, factor.view(), job_of(threads));
    append();
    device.scale_columns(by, factor.view(), job_of(threads));
    device.add_first(by, 0.3, factor.view(), job_of(threads));
    append();
    device.clamp(0.1f, 1.5f, factor.view(), job_of(threads));
    append();
    for (const Distribution distribution : {Distribution::constant, Distribution::uniform,
                                            Distribution::normal, Distribution::half_normal}) {
      device.fill_random({distribution, 3, 11, 2, 70}, factor.view(), job_of(threads));
      const std::vector<float> drawn = factor.floats();
      all.insert(all.end(), drawn.begin(), drawn.end());
    }
    return std::pair(all, sums);
  };
  const auto [expected, expected_sums] = run(naive, 1);
  for (const Index threads : {1, 3}) {
    const auto [actual, sums] = run(backend, threads);
    test::same_bits(actual.data(), expected.data(), expected.size(), "elements");
    close(sums.absolute, expected_sums.absolute, 1e-13, "column sums");
    close(sums.square, expected_sums.square, 1e-13, "column sums of squares");
  }
}

void signs_and_extremes_of_columns(Passes& backend) {
  NaivePasses naive;
  Matrix start = oracle::random(1300, 7, 1);
  for (Index i = 0; i < 1300; ++i) {
    start(i, 0) = 0.5 + std::abs(start(i, 0));
    start(i, 2) = -std::abs(start(i, 2));
    start(i, 3) = 0;
  }
  const auto parts_on = [&](Passes& device, Index threads) {
    return device.column_parts(Factor(device, start).view(), job_of(threads));
  };
  const ColumnParts expected = parts_on(naive, 1), one = parts_on(backend, 1);
  close(one.positive, expected.positive, 1e-13, "squares of positive parts");
  close(one.negative, expected.negative, 1e-13, "squares of negative parts");
  check(one.positives == expected.positives && one.negatives == expected.negatives, "counts");
  check(one.least == expected.least && one.most == expected.most, "extremes");
  const ColumnParts three = parts_on(backend, 3);
  check(three.positive == one.positive && three.least == one.least, "parts by threads");
  const auto ratios_on = [&](Passes& device, Index threads) {
    return device.ratios_to_first(Factor(device, start).view(), job_of(threads));
  };
  for (const bool positive : {true, false}) {
    if (!positive) start(700, 0) = 0;
    const ColumnRatios ratios = ratios_on(naive, 1), found = ratios_on(backend, 3);
    check(found.least == ratios.least && found.most == ratios.most, "ratios to the first column");
    check(std::isinf(found.most[1]) == !positive && found.most[3] == 0, "their infinities");
  }
}

void last_columns_become_orthonormal(Passes& backend) {
  Matrix start = oracle::random(400, 6, 1);
  const Factor factor(backend, start);
  backend.orthonormalise_columns(0, factor.view(), job_of(2));
  const std::vector<float> before = factor.floats();
  std::vector<double> noise = {1, 1, 1, 1, 0, 0};
  backend.scale_columns(noise, factor.view(), job_of(2));
  backend.orthonormalise_columns(4, factor.view(), job_of(2));
  const std::vector<float> after = factor.floats();
  Matrix identity(6, 6);
  for (Index j = 0; j < 6; ++j) identity(j, j) = 1;
  close(gram_of(factor.matrix()).data, identity.data, 1e-6, "orthonormal columns");
  bool same = true;
  for (Index i = 0; i < 400; ++i)
    for (Index j = 0; j < 4; ++j) same = same && after[i * 6 + j] == before[i * 6 + j];
  check(same, "the first columns stay");
}

// By kind: a step onward and then back, from the values before it.
void extrapolated_entries_go_as_far_as_their_kind(Passes& backend) {
  Matrix start = oracle::random(1300, 7, 3, true);
  Matrix before = oracle::random(1300, 7, 4, true);
  start(0, 0) = before(0, 0) = start(1, 0) = before(2, 0) = 0;
  NaivePasses naive;
  for (const Extrapolation kind :
       {Extrapolation::free, Extrapolation::nonnegative, Extrapolation::growth}) {
    const auto run = [&](Passes& device, Index threads) {
      const Factor factor(device, start);
      const Factor previous(device, before);
      device.extrapolate({.share = 3, .kind = kind, .previous = previous.view()}, factor.view(),
                         job_of(threads));
      return std::pair(factor.floats(), previous.floats());
    };
    const auto [expected, expected_previous] = run(naive, 1);
    for (const Index threads : {1, 3}) {
      const auto [actual, previous] = run(backend, threads);
      test::same_bits(actual.data(), expected.data(), expected.size(), "extrapolated entries");
      test::same_bits(previous.data(), expected_previous.data(), expected_previous.size(),
                      "the values from which the next extrapolation starts");
      const std::vector<float> floats = start.floats();
      bool stay = kind == Extrapolation::growth;
      for (std::size_t i = 0; i < floats.size() && stay; ++i)
        stay = (actual[i] == 0) == (floats[i] == 0) && actual[i] >= floats[i];
      test::check(stay == (kind == Extrapolation::growth), "growth makes no zero and leaves none");
    }
  }
}

// The other side from the sums of a pass, with a pull towards its present value.
void columns_improve_from_sums(Passes& backend) {
  NaivePasses naive;
  const Matrix X = oracle::random(700, 300, 1);
  const std::vector<float> floats = X.floats();
  const auto source = dense_source(floats.data(), ElementType::float32, 700, 300, 300);
  const Matrix W = oracle::random(700, 6, 2, true);
  const Matrix Ht = oracle::random(300, 6, 3);
  const std::vector<double> pull(6, 0.5);
  const auto run = [&](Passes& device, Index threads) {
    const Factor on_W(device, W);
    const Factor on_Ht(device, Ht);
    const NormalMatrix of_Ht = normal_of(Ht);
    const NormalMatrix of_W = normal_of(W, 0.5, true);
    const auto sums = device.make_sums(300, 6);
    const Group group{on_Ht.view(), of_Ht, std::nullopt, on_W.view(), Measure::none, true, *sums};
    device.pass({*source, 0, {&group, 1}}, job_of(threads));
    const Step solve{.kind = StepKind::solve, .l1 = 0, .l2 = 0.5, .sweeps = 1, .relaxation = 1};
    device.improve(solve, *sums, of_W, pull, on_Ht.view(), job_of(threads));
    return std::pair(on_Ht.matrix().data, device.inner(*sums, on_Ht.view(), job_of(threads)));
  };
  const auto [expected, expected_inner] = run(naive, 1);
  const auto [one, inner] = run(backend, 1);
  close(one, expected, 1e-5, "columns");
  test::near(inner / expected_inner, 1, 1e-6, "inner product");
  const auto [three, inner_of_three] = run(backend, 3);
  test::same_bits(one.data(), three.data(), one.size(), "columns by threads");
  test::same_bits(&inner, &inner_of_three, 1, "inner product by threads");
}

void rows_are_gathered_marked_and_multiplied(Passes& backend) {
  const Matrix A = oracle::random(1300, 9, 1);
  const Matrix B = oracle::random(9, 5, 2);
  const Factor factor(backend, A);
  const Factor product(backend, Matrix(1300, 5));
  const HostView<const double> small = {B.data.data(), 9, 5, 5};
  backend.multiply(factor.view(), small, product.view(), job_of(1));
  const std::vector<float> one = product.floats();
  close(product.matrix().data, oracle::multiply(A, B).data, 1e-6, "a product");
  backend.multiply(factor.view(), small, product.view(), job_of(3));
  test::same_bits(product.floats().data(), one.data(), one.size(), "a product by threads");

  const std::vector<double> by_pairs = backend.cross_gram(factor.view(), product.view(), job_of(1));
  close(by_pairs, oracle::multiply(oracle::transpose(A), product.matrix()).data, 1e-6,
        "products of columns");
  const std::vector<double> by_three = backend.cross_gram(factor.view(), product.view(), job_of(3));
  test::same_bits(by_pairs.data(), by_three.data(), by_three.size(), "products by threads");
  const Factor both(backend, A);
  backend.multiply(both.view(), small, both.view().column_block(4, 5), job_of(3));
  const std::vector<float> in_place = both.floats();
  for (Index i : {0, 700, 1299})
    test::same_bits(&in_place[i * 9 + 4], &one[i * 5], 5, "a product in columns of its factor");

  const std::vector<Index> rows = {0, 3, 3, 700, 1299};
  const Factor some(backend, Matrix(5, 9));
  backend.gather_rows(factor.view(), rows, some.view(), job_of(3));
  const std::vector<float> all = factor.floats();
  const std::vector<float> gathered = some.floats();
  for (std::size_t i = 0; i < rows.size(); ++i)
    test::same_bits(&gathered[i * 9], &all[rows[i] * 9], 9, "a gathered row");

  std::vector<std::int32_t> labels(1300);
  for (Index i = 0; i < 1300; ++i) labels[i] = static_cast<std::int32_t>(i * i % 9);
  backend.indicate(labels, 0.2f, factor.view(), job_of(3));
  const std::vector<float> marked = factor.floats();
  bool right = true;
  for (Index i = 0; i < 1300; ++i)
    for (Index j = 0; j < 9; ++j)
      right = right && marked[i * 9 + j] == (labels[i] == j ? 0.2f + 1 : 0.2f);
  test::check(right, "an indicator of labels");
}

void memory_starts_as_zeros(Passes& backend) {
  const auto memory = backend.allocate(1000);
  std::vector<float> out(1000, 1.0f);
  backend.download({memory.get(), 10, 100, 100}, {out.data(), 10, 100, 100});
  test::check(std::ranges::all_of(out, [](float x) { return x == 0; }), "zeroed");
}

void factor_operations_suite(Passes& backend) {
  memory_starts_as_zeros(backend);
  eigenvalues_agree_with_jacobi(backend);
  generalised_eigenvectors_solve_their_equation(backend);
  rows_become_orthonormal(backend);
  improve_and_gram(backend);
  operations_on_elements(backend);
  signs_and_extremes_of_columns(backend);
  last_columns_become_orthonormal(backend);
  extrapolated_entries_go_as_far_as_their_kind(backend);
  columns_improve_from_sums(backend);
  rows_are_gathered_marked_and_multiplied(backend);
}

}  // namespace

int main() {
  each_device(factor_operations_suite);
  return test::report("factor operations");
}
