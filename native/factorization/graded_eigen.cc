#include "factorization/graded_eigen.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace gemmine {
namespace {

// As a share of √(A_pp A_qq): enough for float32 results; float64 could reach less.
constexpr double negligible = 1e-9;
constexpr int most_sweeps = 20;  // a graded A needs two to four

void rotate_rows(HostMatrix<double>& A, Index p, Index q, double cosine, double sine) {
  double* a = A.row(p);
  double* b = A.row(q);
  for (Index t = 0; t < A.cols(); ++t) {
    const double x = a[t];
    a[t] = cosine * x - sine * b[t];
    b[t] = sine * x + cosine * b[t];
  }
}

void rotate_columns(HostMatrix<double>& A, Index p, Index q, double cosine, double sine) {
  for (Index i = 0; i < A.rows(); ++i) {
    const double x = A(i, p);
    A(i, p) = cosine * x - sine * A(i, q);
    A(i, q) = sine * x + cosine * A(i, q);
  }
}

// Zeroes A_pq and applies the rotation to V. Returns whether A_pq was above the threshold.
bool annihilate(HostMatrix<double>& A, HostMatrix<double>& V, Index p, Index q) {
  const double limit = negligible * std::sqrt(std::max(0.0, A(p, p) * A(q, q)));
  if (!(std::abs(A(p, q)) > limit)) return false;
  const double theta = (A(q, q) - A(p, p)) / (2 * A(p, q));
  const double tangent = std::copysign(1.0, theta) / (std::abs(theta) + std::hypot(theta, 1.0));
  const double cosine = 1 / std::hypot(tangent, 1.0);
  const double sine = tangent * cosine;
  rotate_rows(A, p, q, cosine, sine);
  rotate_columns(A, p, q, cosine, sine);
  A(p, q) = A(q, p) = 0;
  rotate_rows(V, p, q, cosine, sine);
  return true;
}

}  // namespace

std::vector<double> graded_eigen(HostMatrix<double>& A) {
  const Index k = A.rows();
  HostMatrix<double> V(k, k);
  for (Index i = 0; i < k; ++i) V(i, i) = 1;
  bool rotated = true;
  for (int sweep = 0; sweep < most_sweeps && rotated; ++sweep) {
    rotated = false;
    for (Index p = 0; p < k; ++p)
      for (Index q = p + 1; q < k; ++q) rotated = annihilate(A, V, p, q) || rotated;
  }

  std::vector<Index> order(k);
  std::iota(order.begin(), order.end(), Index{0});
  std::ranges::stable_sort(order, [&](Index i, Index j) { return A(i, i) > A(j, j); });
  std::vector<double> values;
  for (const Index i : order) values.push_back(A(i, i));
  for (Index i = 0; i < k; ++i) std::copy_n(V.row(order[i]), k, A.row(i));
  return values;
}

}  // namespace gemmine
