#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "core/matrix.h"

// Small dense problems by textbook methods: what the operations of Passes of the same names must
// find.
namespace oracle {

using gemmine::HostView;
using gemmine::Index;

inline void rotate(double* a, double* b, Index count, double cosine, double sine) {
  for (Index i = 0; i < count; ++i) {
    const double x = a[i];
    const double y = b[i];
    a[i] = cosine * x - sine * y;
    b[i] = sine * x + cosine * y;
  }
}

// Zeroes A(p, q) by a rotation in the plane of p and q; V collects the rotations.
inline void annihilate(HostView<double> A, HostView<double> V, Index p, Index q) {
  const Index k = A.rows;
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

// Jacobi's rotations: Golub & Van Loan, Matrix Computations, 8.5.
inline std::vector<double> symmetric_eigen(HostView<double> A) {
  const Index k = A.rows;
  std::vector<double> memory(static_cast<std::size_t>(k * k));
  const HostView<double> V = {memory.data(), k, k, k};
  for (Index i = 0; i < k; ++i) V(i, i) = 1;
  double trace = 0;
  for (Index i = 0; i < k; ++i) trace += std::abs(A(i, i));
  const auto negligible = [&](Index p, Index q) { return std::abs(A(p, q)) <= 1e-18 * trace; };
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
  std::ranges::stable_sort(order, [&](Index i, Index j) { return A(i, i) > A(j, j); });
  std::vector<double> values;
  for (const Index i : order) values.push_back(A(i, i));
  for (Index i = 0; i < k; ++i) std::copy_n(V.row(order[i]), k, A.row(i));
  return values;
}

// Of A y = λ N y, by Cholesky's N = L Lᵀ: the eigenvectors z of L⁻¹ A L⁻ᵀ are Lᵀ y.
inline std::vector<double> symmetric_eigen(HostView<double> A, HostView<double> N) {
  const Index k = A.rows;
  for (Index j = 0; j < k; ++j)
    for (Index i = j; i < k; ++i) {
      for (Index t = 0; t < j; ++t) N(i, j) -= N(i, t) * N(j, t);
      N(i, j) = i == j ? std::sqrt(N(i, i)) : N(i, j) / N(j, j);
    }
  // Of one row or column x of A: L⁻¹ x.
  const auto solve = [&](auto x) {
    for (Index i = 0; i < k; ++i) {
      for (Index t = 0; t < i; ++t) x(i) -= N(i, t) * x(t);
      x(i) /= N(i, i);
    }
  };
  for (Index i = 0; i < k; ++i) solve([&](Index t) -> double& { return A(i, t); });
  for (Index i = 0; i < k; ++i) solve([&](Index t) -> double& { return A(t, i); });
  std::vector<double> values = symmetric_eigen(A);
  for (Index i = 0; i < k; ++i)
    for (Index t = k - 1; t >= 0; --t) {
      for (Index u = t + 1; u < k; ++u) A(i, t) -= N(u, t) * A(i, u);
      A(i, t) /= N(t, t);
    }
  return values;
}

// Gram and Schmidt, twice; a row that depends on those before it becomes a unit vector that does
// not.
inline void orthonormalise_rows(HostView<double> A) {
  for (Index i = 0; i < A.rows; ++i) {
    double* row = A.row(i);
    const auto length = [&] { return std::sqrt(std::inner_product(row, row + A.cols, row, 0.0)); };
    for (Index attempt = 0;; ++attempt) {
      const double before = length();
      for (int twice = 0; twice < 2; ++twice)
        for (Index j = 0; j < i; ++j) {
          const double along = std::inner_product(row, row + A.cols, A.row(j), 0.0);
          for (Index t = 0; t < A.cols; ++t) row[t] -= along * A(j, t);
        }
      const double after = length();
      if (after > 1e-10 * before) {
        for (Index t = 0; t < A.cols; ++t) row[t] /= after;
        break;
      }
      std::fill_n(row, A.cols, 0.0);
      row[attempt] = 1;
    }
  }
}

}  // namespace oracle
