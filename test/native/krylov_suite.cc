// Orthonormal blocks of a basis, and singular values of known spectra, on every device.
#include <numbers>

#include "devices.h"
#include "factorization/fit.h"
#include "factorization/orthonormal_block.h"
#include "factorization/projected_rows.h"
#include "fixtures.h"

namespace {

using namespace test;

// Columns of the orthonormal cosine transform.
double cosine(Index n, Index i, Index j) {
  const auto size = static_cast<double>(n);
  return std::sqrt((j == 0 ? 1 : 2) / size) *
         std::cos(std::numbers::pi * (static_cast<double>(i) + 0.5) * static_cast<double>(j) /
                  size);
}

// [n×d] with the singular values s.
Matrix with_singular_values(Index n, Index d, const std::vector<double>& s) {
  Matrix X(n, d);
  for (std::size_t j = 0; j < s.size(); ++j)
    for (Index i = 0; i < n; ++i) {
      const double left = s[j] * cosine(n, i, static_cast<Index>(j));
      for (Index t = 0; t < d; ++t) X(i, t) += left * cosine(d, t, static_cast<Index>(j));
    }
  return X;
}

struct Found {
  std::vector<double> s;
  std::vector<float> U;
  std::vector<float> V;
};

Found svd(Passes& device, const Matrix& X, Index rank, Index power_iterations, Index threads = 2) {
  const std::vector<float> floats = X.floats();
  const auto source = dense_source(floats.data(), ElementType::float32, X.rows, X.cols, X.cols);
  Found found{{}, std::vector<float>(X.rows * rank), std::vector<float>(X.cols * rank)};
  found.s = truncated_svd(
                device, *source,
                {.rank = rank, .oversamples = 10, .power_iterations = power_iterations, .seed = 3},
                {found.U.data(), X.rows, rank, rank}, {found.V.data(), rank, X.cols, X.cols},
                job_of(threads))
                .s;
  return found;
}

double worst_error(const std::vector<double>& found, const std::vector<double>& expected) {
  double worst = 0;
  for (std::size_t j = 0; j < found.size(); ++j)
    worst = std::max(worst, std::abs(found[j] / expected[j] - 1));
  return worst;
}

std::vector<double> spectrum(Index count, double (*value)(double)) {
  std::vector<double> s;
  for (Index j = 1; j <= count; ++j) s.push_back(value(static_cast<double>(j)));
  return s;
}

// With the same reads plain power iterations are off by 2e-2 where the spectrum decays slowly.
void slow_spectra_need_no_more_reads(Passes& device) {
  const auto slow = spectrum(120, [](double j) { return 1 / std::sqrt(j); });
  const auto flat = spectrum(120, [](double j) { return 1 - j / 400; });
  const auto fast = spectrum(40, [](double j) { return std::pow(10, -j / 4); });
  for (const auto& [n, d] : {std::pair<Index, Index>{200, 120}, {120, 200}}) {
    check(worst_error(svd(device, with_singular_values(n, d, slow), 12, 4).s, slow) < 1e-3,
          "a slow spectrum");
    check(worst_error(svd(device, with_singular_values(n, d, flat), 12, 4).s, flat) < 1e-2,
          "a flat spectrum");
    check(worst_error(svd(device, with_singular_values(n, d, fast), 12, 4).s, fast) < 1e-5,
          "a fast spectrum, down to 1e-3 of the first");
  }
}

void small_values_hold_to_1e_7(Passes& device) {
  const auto fast = spectrum(30, [](double j) { return std::pow(10, -(j - 1) / 4); });
  for (const auto& [n, d] : {std::pair<Index, Index>{90, 50}, {50, 90}}) {
    const Found found = svd(device, with_singular_values(n, d, fast), 25, 2);  // down to 1e-6
    for (std::size_t j = 0; j < found.s.size(); ++j)
      test::near(found.s[j] / fast[j], 1, 1e-4 + 1e-7 / fast[j], "a small singular value");
  }
}

void threads_do_not_change_bits(Passes& device) {
  for (const auto& [n, d] : {std::pair<Index, Index>{1200, 70}, {70, 1200}}) {
    const Matrix X = oracle::random(n, d, 4);
    const Found one = svd(device, X, 9, 3, 1);
    const Found three = svd(device, X, 9, 3, 3);
    same_bits(one.s.data(), three.s.data(), one.s.size(), "s by threads");
    same_bits(one.U.data(), three.U.data(), one.U.size(), "U by threads");
    same_bits(one.V.data(), three.V.data(), one.V.size(), "V by threads");
  }
}

double distance_from_identity(const std::vector<double>& gram, Index k) {
  double worst = 0;
  for (Index i = 0; i < k * k; ++i) worst = std::max(worst, std::abs(gram[i] - (i / k == i % k)));
  return worst;
}

// The second half of the columns beside the first, in a basis as tall as it is wide too.
void blocks_become_orthonormal(Passes& device) {
  const auto expect_orthonormal = [&](Matrix columns, const std::string& name) {
    const Index half = columns.cols / 2;
    const Factor basis(device, columns);
    const BackendView<float> first = basis.view().column_block(0, half);
    orthonormalise_block(device, first, 1, job_of(2));
    HostMatrix<double> gram(half, half);
    std::ranges::copy(device.gram(first, job_of(2)), gram.row(0));
    check(distance_from_identity(device.gram(first, job_of(2)), half) < 1e-6, name + ", first");
    orthonormalise_block(device, basis.view(), gram, 1, job_of(2));
    check(distance_from_identity(device.gram(basis.view(), job_of(2)), 2 * half) < 1e-6, name);
  };
  for (const Index rows : {8, 300}) {
    const Matrix plain = oracle::random(rows, 8, 1);
    const auto changed = [&](auto change) {
      Matrix copy = plain;
      for (Index i = 0; i < rows; ++i) change(copy, i);
      return copy;
    };
    expect_orthonormal(plain, "random columns");
    expect_orthonormal(Matrix(rows, 8), "zeros");
    expect_orthonormal(changed([](Matrix& X, Index i) { X(i, 6) = X(i, 1), X(i, 3) = X(i, 2); }),
                       "equal columns");
    expect_orthonormal(changed([](Matrix& X, Index i) {
                         for (Index j = 0; j < 8; ++j) X(i, j) *= i < 3 ? 1 : 0;
                       }),
                       "columns of three rows");
    expect_orthonormal(changed([](Matrix& X, Index i) {
                         for (Index j = 0; j < 8; ++j) X(i, j) *= std::pow(10, -4 * j);
                       }),
                       "columns of sizes down to 1e-28");
    expect_orthonormal(changed([](Matrix& X, Index i) {
                         for (Index j = 1; j < 8; ++j) X(i, j) = X(i, 0) + 1e-5 * X(i, j);
                       }),
                       "nearly equal columns");
  }
}

// Most columns of a block then consist of rounding errors, which must not grow.
void many_components_beyond_the_rank(Passes& device) {
  Matrix X(80, 256);
  double all = 0;
  for (Index i = 0; i < X.rows; ++i)
    for (Index j = 0; j < X.cols; ++j) {
      X(i, j) = static_cast<double>((50 * i + 1) * (j + 3) % 17);
      all += X(i, j) * X(i, j);
    }
  const Found found = svd(device, X, 48, 3);
  double squares = 0;
  for (const double s : found.s) squares += s * s;
  test::near(squares / all, 1, 1e-6, "all of X of rank 16");
  check(found.s[16] < 1e-5 * found.s[0], "nothing beyond its rank");
}

// X of rank 9 lies within 12 columns; of one of full rank a part is lost.
void rows_are_projected_on_their_leading_directions(Passes& device) {
  const auto fast = spectrum(9, [](double j) { return 10 / j; });
  const auto slow = spectrum(40, [](double j) { return 10 / j; });
  for (const auto& s : {fast, slow}) {
    const std::vector<float> floats = with_singular_values(60, 50, s).floats();
    const auto source = dense_source(floats.data(), ElementType::float32, 60, 50, 50);
    const Job job = job_of(2);
    const ScaledInput scaled(device, {.X = *source, .sign = EntrySign::any}, job);
    const ProjectedRows rows(*scaled, 12, 3);
    const double all = (*scaled).squared_norm;
    double beyond = 0;
    for (std::size_t j = 12; j < s.size(); ++j) beyond += s[j] * s[j];
    beyond = std::ldexp(beyond, -2 * scaled.exponent());
    check(rows.lost() >= beyond - 1e-6 * all, "no projection loses less than the best one");
    check(rows.lost() <= 1.4 * beyond + 1e-6 * all, "one step of subspace iteration is near it");
    test::near(rows.input().squared_norm + rows.lost(), all, 1e-6 * all, "what is kept and lost");
    // G = I gives back V, whose columns are orthonormal.
    const BackendMatrix V(device, 50, 12);
    const BackendMatrix identity(device, 12, 12);
    HostMatrix<float> ones(12, 12);
    for (Index j = 0; j < 12; ++j) ones(j, j) = 1;
    device.upload(ones.view(), identity.view());
    rows.lift(identity.view(), V.view());
    check(distance_from_identity(device.gram(V.view(), job), 12) < 1e-5, "V");
  }
}

void krylov_suite(Passes& device) {
  blocks_become_orthonormal(device);
  slow_spectra_need_no_more_reads(device);
  small_values_hold_to_1e_7(device);
  threads_do_not_change_bits(device);
  many_components_beyond_the_rank(device);
  rows_are_projected_on_their_leading_directions(device);
}

}  // namespace

int main() {
  each_device(krylov_suite);
  return test::report("krylov");
}
