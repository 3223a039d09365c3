// Conformance of a backend's operations for k-means, compared with naive float64.
#include <atomic>
#include <cstdio>

#include "devices.h"
#include "fixtures.h"
#include "naive_passes.h"

namespace {

using namespace test;

struct Case {
  Matrix rows;     // X·2^-exponent
  Matrix centers;  // [k×d]
  int exponent = 0;
  bool sparse = false;
  std::vector<double> weights = {};
  std::vector<double> origin = {};  // zeros unless given
  Index far_rows = 5;
  const CounterRandom* draw = nullptr;
};

// Runs `job` on a case in the form that a backend takes.
template <class Run>
auto with_source(const Case& c, const Run& run) {
  const Matrix X = oracle::scaled(c.rows, std::ldexp(1.0, c.exponent));
  const std::vector<float> floats = X.floats();
  const Csr csr(X);
  const auto source =
      c.sparse ? csr.source()
               : dense_source(floats.data(), ElementType::float32, X.rows, X.cols, X.cols);
  return run(*source);
}

std::vector<double> origin_of(const Case& c) {
  return c.origin.empty() ? std::vector<double>(c.rows.cols) : c.origin;
}
const double* weights_of(const Case& c) { return c.weights.empty() ? nullptr : c.weights.data(); }

Assigned assigned(Passes& backend, const Case& c, Index threads = 3) {
  const std::vector<double> origin = origin_of(c);
  return with_source(c, [&](const RowSource& X) {
    Assigned result(c.rows.rows, c.centers.rows, c.rows.cols);
    std::ranges::fill(result.sums, 7.0);  // what an earlier call left must not show
    result.inertia = 7;
    backend.assign(
        {.X = X,
         .exponent = c.exponent,
         .centers = {c.centers.data.data(), c.centers.rows, c.centers.cols, c.centers.cols},
         .origin = origin,
         .weights = weights_of(c),
         .far_rows = c.far_rows,
         .draw = c.draw},
        result, job_of(threads));
    return result;
  });
}

void expect_agreement(Passes& backend, const Case& c, const std::string& what) {
  NaivePasses naive;
  const Assigned expected = assigned(naive, c);
  const Assigned actual = assigned(backend, c);
  Index different = 0;
  for (std::size_t i = 0; i < expected.labels.size(); ++i)
    different += actual.labels[i] != expected.labels[i];
  check(different == 0, what + ": " + std::to_string(different) + " labels differ");
  close(actual.sums, expected.sums, 1e-12, what + ": sums");
  close(actual.masses, expected.masses, 1e-13, what + ": masses");
  near(actual.inertia, expected.inertia, 1e-11 * expected.inertia + 1e-18, what + ": inertia");
  check(actual.far.size() == expected.far.size(), what + ": how many far rows");
  for (std::size_t i = 0; i < std::min(actual.far.size(), expected.far.size()); ++i)
    near(actual.far[i].rank / expected.far[i].rank, 1, 1e-6, what + ": a far row");
}

Matrix rounded(Matrix A) {
  for (double& x : A.data) x = static_cast<float>(x);
  return A;
}

Matrix sparsened(Matrix A) {
  for (double& x : A.data) x = std::abs(x) < 1 ? 0 : x;
  return A;
}

std::vector<double> weights_for(Index n) {
  std::vector<double> weights;
  for (Index i = 0; i < n; ++i) weights.push_back(0.25 + static_cast<double>(i % 7));
  return weights;
}

void labels_agree_with_float64(Passes& backend) {
  const CounterRandom random(3, 9);
  struct Shape {
    Index n, d, k;
  };
  for (const Shape s : {Shape{1, 1, 1}, {7, 5, 3}, {900, 3, 70}, {2600, 9, 5}, {700, 130, 33}})
    for (const bool sparse : {false, true})
      for (const int exponent : {0, 7, -55}) {
        Case c{.rows = rounded(oracle::random(s.n, s.d, 1)),
               .centers = oracle::random(s.k, s.d, 2),
               .exponent = exponent,
               .sparse = sparse};
        if (sparse) c.rows = sparsened(c.rows);
        const std::string what = (sparse ? "csr " : "dense ") + std::to_string(s.n) + "x" +
                                 std::to_string(s.d) + "x" + std::to_string(s.k);
        expect_agreement(backend, c, what);
        c.weights = weights_for(s.n);
        c.origin = oracle::random(1, s.d, 5).data;
        c.draw = &random;
        c.far_rows = 40;
        expect_agreement(backend, c, what + ", weights, an origin and draws");
      }
}

// Float32 products cannot tell these centres apart: only the bound of their errors sends such rows
// to float64.
void labels_are_exact_where_products_cancel(Passes& backend) {
  for (const bool sparse : {false, true})
    for (const double offset : {1e2, 1e4, 1e6}) {
      Matrix rows = oracle::random(1500, 6, 1);
      for (double& x : rows.data) x += offset;
      rows = rounded(std::move(rows));
      Case c{.rows = rows, .centers = Matrix(40, 6), .sparse = sparse};
      for (Index j = 0; j < 40; ++j)
        for (Index t = 0; t < 6; ++t) c.centers(j, t) = rows(31 * j, t) + 1e-3 * offset * (j % 2);
      expect_agreement(backend, c, "far from the origin");
      c.origin.assign(6, offset);
      expect_agreement(backend, c, "far from the origin, centred");
    }
  Matrix tiny = oracle::scaled(oracle::random(300, 4, 1), 1e-18);
  for (Index t = 0; t < 4; ++t) tiny(299, t) = 1;
  Case c{.rows = rounded(tiny), .centers = oracle::scaled(oracle::random(9, 4, 2), 1e-18)};
  expect_agreement(backend, c, "beside a far row, below float32's products");
}

void equal_distances_go_to_the_lower_label(Passes& backend) {
  Case c{.rows = Matrix(600, 2), .centers = Matrix(130, 2)};
  for (Index i = 0; i < 600; ++i) c.rows(i, 0) = i % 30, c.rows(i, 1) = i / 30;
  for (Index j = 0; j < 130; ++j) c.centers(j, 0) = 2 * (j % 13), c.centers(j, 1) = 2 * (j / 26);
  for (const bool sparse : {false, true}) {
    c.sparse = sparse;
    expect_agreement(backend, c, "a grid, with equal centres");
  }
}

void labels_have_the_same_bits_on_any_number_of_threads(Passes& backend) {
  for (const bool sparse : {false, true}) {
    Case c{.rows = rounded(oracle::random(shortened(backend, 9000), 24, 1)),
           .centers = oracle::random(37, 24, 2),
           .sparse = sparse};
    if (sparse) c.rows = sparsened(c.rows);
    const Assigned one = assigned(backend, c, 1);
    for (const Index threads : {2, 3}) {
      const Assigned many = assigned(backend, c, threads);
      check(one.labels == many.labels, "labels by threads");
      same_bits(one.sums.data(), many.sums.data(), one.sums.size(), "sums by threads");
      same_bits(&one.inertia, &many.inertia, 1, "inertia by threads");
      for (std::size_t i = 0; i < one.far.size(); ++i)
        check(one.far[i].row == many.far[i].row, "far rows by threads");
    }
  }
}

void potentials_agree_with_float64(Passes& backend) {
  NaivePasses naive;
  for (const bool sparse : {false, true})
    for (const auto& [count, exponent] : {std::pair<Index, int>{1, 0}, {5, 3}, {16, -55}}) {
      Case c{.rows = rounded(oracle::random(1300, 11, 1)),
             .centers = Matrix(count, 11),
             .exponent = exponent,
             .sparse = sparse,
             .weights = weights_for(1300)};
      if (sparse) c.rows = sparsened(c.rows);
      for (Index p = 0; p < count; ++p)
        for (Index t = 0; t < 11; ++t) c.centers(p, t) = c.rows(80 * p, t);
      std::vector<double> nearest(1300, 40.0);
      for (Index i = 0; i < 1300; i += 3) nearest[i] = INFINITY;
      const auto measure = [&](Passes& by, Matrix& distances) {
        return with_source(c, [&](const RowSource& X) {
          return by.potentials({.X = X,
                                .exponent = c.exponent,
                                .points = {c.centers.data.data(), count, 11, 11},
                                .weights = weights_of(c),
                                .nearest = nearest.data()},
                               {distances.data.data(), 1300, count, count}, job_of(3));
        });
      };
      Matrix expected(1300, count);
      Matrix actual(1300, count);
      close(measure(backend, actual), measure(naive, expected), 1e-6, "potentials");
      close(actual.data, expected.data, 1e-5, "weighted squared distances");
      for (Index p = 0; p < count; ++p) check(actual(80 * p, p) == 0, "a row is no distance away");
    }
}

// Columns of B that nearly cancel on X, as those of small singular values do.
void products_in_float64_do_not_cancel(Passes& backend) {
  NaivePasses naive;
  Case c{.rows = rounded(oracle::random(500, 40, 1)), .centers = Matrix(1, 40), .exponent = -3};
  for (const bool sparse : {false, true}) {
    c.sparse = sparse;
    if (sparse) c.rows = sparsened(c.rows);
    Matrix B = oracle::random(40, 7, 2);
    for (Index j = 0; j < 7; ++j) {
      double along = 0;
      for (Index t = 0; t < 39; ++t) along += c.rows(3, t) * B(t, j);
      B(39, j) = c.rows(3, 39) == 0 ? 0 : -along / c.rows(3, 39);
    }
    const Factor expected(naive, Matrix(500, 7));
    const Factor actual(backend, Matrix(500, 7));
    with_source(c, [&](const RowSource& X) {
      const HostView<const double> view = {B.data.data(), 40, 7, 7};
      naive.multiply_in_float64(X, c.exponent, view, expected.view(), job_of(1));
      backend.multiply_in_float64(X, c.exponent, view, actual.view(), job_of(3));
    });
    close(actual.matrix().data, expected.matrix().data, 1e-7, "products in float64");
    for (Index j = 0; j < 7; ++j)
      near(actual.matrix()(3, j) - expected.matrix()(3, j), 0, 1e-13, "a row that cancels");
  }
}

void labels_suite(Passes& backend) {
  labels_agree_with_float64(backend);
  labels_are_exact_where_products_cancel(backend);
  equal_distances_go_to_the_lower_label(backend);
  labels_have_the_same_bits_on_any_number_of_threads(backend);
  potentials_agree_with_float64(backend);
  products_in_float64_do_not_cancel(backend);
}

}  // namespace

int main() {
  each_device(labels_suite);
  return test::report("labels");
}
