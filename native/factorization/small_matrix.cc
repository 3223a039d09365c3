#include "factorization/small_matrix.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/random.h"
#include "factorization/random_streams.h"

namespace gemmine {
namespace {

void rotate(double* a, double* b, Index count, double cosine, double sine) {
  for (Index i = 0; i < count; ++i) {
    const double x = a[i];
    const double y = b[i];
    a[i] = cosine * x - sine * y;
    b[i] = sine * x + cosine * y;
  }
}

// Zeroes A(p, q) by a rotation in the plane of p and q; V collects the rotations.
void annihilate(HostMatrix<double>& A, HostMatrix<double>& V, Index p, Index q) {
  const Index k = A.rows();
  const double theta = (A(q, q) - A(p, p)) / (2 * A(p, q));
  const double tangent = std::copysign(1.0, theta) / (std::abs(theta) + std::hypot(theta, 1.0));
  const double cosine = 1 / std::hypot(tangent, 1.0);
  const double sine = tangent * cosine;
  rotate(A.row(p), A.row(q), k, cosine, sine);
  for (Index i = 0; i < k; ++i) {
    const double x = A(i, p);
    const double y = A(i, q);
    A(i, p) = cosine * x - sine * y;
    A(i, q) = sine * x + cosine * y;
  }
  A(p, q) = A(q, p) = 0;
  rotate(V.row(p), V.row(q), k, cosine, sine);
}

void subtract(double* a, const double* b, double weight, Index count) {
  for (Index i = 0; i < count; ++i) a[i] -= weight * b[i];
}

// Removes the first `count` rows' directions from row `count`; its length before and after.
std::pair<double, double> project_out(HostMatrix<double>& A, Index count) {
  double* row = A.row(count);
  const Index d = A.cols();
  const double before = std::sqrt(dot(row, row, d));
  for (Index j = 0; j < count; ++j) subtract(row, A.row(j), dot(row, A.row(j), d), d);
  return {before, std::sqrt(dot(row, row, d))};
}

}  // namespace

double dot(const double* a, const double* b, Index count) {
  double sums[4] = {0, 0, 0, 0};
  Index i = 0;
  for (; i + 4 <= count; i += 4)
    for (Index lane = 0; lane < 4; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  for (; i < count; ++i) sums[0] += a[i] * b[i];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

Eigen symmetric_eigen(HostMatrix<double> A) {
  const Index k = A.rows();
  HostMatrix<double> V(k, k);
  for (Index i = 0; i < k; ++i) V(i, i) = 1;
  double trace = 0;
  for (Index i = 0; i < k; ++i) trace += std::abs(A(i, i));
  const auto negligible = [&](Index p, Index q) {
    const double value = std::abs(A(p, q));
    return value <= 1e-16 * std::sqrt(std::abs(A(p, p) * A(q, q))) || value <= 1e-20 * trace;
  };
  constexpr int most_sweeps = 30;
  bool rotated = true;
  for (int sweep = 0; sweep < most_sweeps && rotated; ++sweep) {
    rotated = false;
    for (Index p = 0; p < k; ++p)
      for (Index q = p + 1; q < k; ++q) {
        if (negligible(p, q)) continue;
        annihilate(A, V, p, q);
        rotated = true;
      }
  }

  std::vector<Index> order(k);
  std::iota(order.begin(), order.end(), Index{0});
  std::stable_sort(order.begin(), order.end(), [&](Index i, Index j) { return A(i, i) > A(j, j); });
  Eigen eigen{.values = std::vector<double>(k), .vectors = HostMatrix<double>(k, k)};
  for (Index i = 0; i < k; ++i) {
    eigen.values[i] = A(order[i], order[i]);
    std::copy_n(V.row(order[i]), k, eigen.vectors.row(i));
  }
  return eigen;
}

void orthonormalise_rows(HostMatrix<double>& A, std::uint64_t seed) {
  const CounterRandom random(seed, completion);
  const Index d = A.cols();
  for (Index i = 0; i < A.rows(); ++i) {
    double* row = A.row(i);
    for (std::uint32_t attempt = 0;; ++attempt) {
      const auto [before, between] = project_out(A, i);
      const double length = project_out(A, i).second;
      if (length > 1e-10 * before && length > 0.1 * between) {
        for (Index t = 0; t < d; ++t) row[t] /= length;
        break;
      }
      for (Index t = 0; t < d; ++t) row[t] = random.normal(i * d + t, attempt);
    }
  }
}

}  // namespace gemmine
