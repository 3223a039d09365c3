#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/matrix.h"
#include "core/random.h"

// Naive float64 linear algebra: the formulae and nothing else.
namespace oracle {

using gemmine::Index;

struct Matrix {
  Matrix(Index rows, Index cols) : rows(rows), cols(cols), data(rows * cols) {}
  Matrix(Index rows, Index cols, std::vector<double> data)
      : rows(rows), cols(cols), data(std::move(data)) {}
  double& operator()(Index i, Index j) { return data[i * cols + j]; }
  double operator()(Index i, Index j) const { return data[i * cols + j]; }
  std::vector<float> floats() const { return {data.begin(), data.end()}; }

  Index rows;
  Index cols;
  std::vector<double> data;
};

// Entries that float32 holds, so that both sides start from the same numbers.
inline Matrix random(Index rows, Index cols, std::uint64_t seed, bool nonnegative = false) {
  const gemmine::CounterRandom random(seed, 99);
  Matrix out(rows, cols);
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < cols; ++j) {
      const double value = random.normal(i, static_cast<std::uint32_t>(j));
      out(i, j) = static_cast<float>(nonnegative ? std::abs(value) : value);
    }
  return out;
}

inline Matrix transpose(const Matrix& A) {
  Matrix out(A.cols, A.rows);
  for (Index i = 0; i < A.rows; ++i)
    for (Index j = 0; j < A.cols; ++j) out(j, i) = A(i, j);
  return out;
}

inline Matrix multiply(const Matrix& A, const Matrix& B) {
  Matrix out(A.rows, B.cols);
  for (Index i = 0; i < A.rows; ++i)
    for (Index t = 0; t < A.cols; ++t)
      for (Index j = 0; j < B.cols; ++j) out(i, j) += A(i, t) * B(t, j);
  return out;
}

inline Matrix scaled(Matrix A, double factor) {
  for (double& x : A.data) x *= factor;
  return A;
}

inline double inner(const Matrix& A, const Matrix& B) {
  double sum = 0;
  for (std::size_t i = 0; i < A.data.size(); ++i) sum += A.data[i] * B.data[i];
  return sum;
}

// ‖X − W Htᵀ‖²
inline double squared_error(const Matrix& X, const Matrix& W, const Matrix& Ht) {
  const Matrix product = multiply(W, transpose(Ht));
  double sum = 0;
  for (std::size_t i = 0; i < X.data.size(); ++i)
    sum += (X.data[i] - product.data[i]) * (X.data[i] - product.data[i]);
  return sum;
}

struct Penalty {
  double l1;
  double l2;
};

// (F N)_j of row i.
inline double row_product(const Matrix& F, const Matrix& N, Index i, Index j) {
  double sum = 0;
  for (Index t = 0; t < F.cols; ++t) sum += F(i, t) * N(t, j);
  return sum;
}

// One sweep of coordinate descent under the soft threshold.
inline void signed_sweep(const Matrix& C, const Matrix& N, Penalty penalty, Matrix& F) {
  for (Index i = 0; i < F.rows; ++i)
    for (Index j = 0; j < F.cols; ++j) {
      const double weight = N(j, j) + penalty.l2;
      if (weight == 0) continue;
      const double free = C(i, j) - row_product(F, N, i, j) + F(i, j) * N(j, j);
      const double shrunk = std::max(0.0, std::abs(free) - penalty.l1 / 2);
      F(i, j) = std::copysign(shrunk, free) / weight;
    }
}

// One sweep of coordinate descent in F >= 0; each step is `relaxation` times as long as the one to
// the component's minimum.
inline void nonnegative_sweep(const Matrix& C, const Matrix& N, Penalty penalty, double relaxation,
                              Matrix& F) {
  for (Index i = 0; i < F.rows; ++i)
    for (Index j = 0; j < F.cols; ++j) {
      const double weight = N(j, j) + penalty.l2;
      if (weight == 0) continue;
      const double slope =
          C(i, j) - row_product(F, N, i, j) - penalty.l1 / 2 - penalty.l2 * F(i, j);
      F(i, j) = std::max(0.0, F(i, j) + relaxation * slope / weight);
    }
}

inline void multiplicative(const Matrix& C, const Matrix& N, Penalty penalty, Matrix& F) {
  const Matrix old = F;
  for (Index i = 0; i < F.rows; ++i)
    for (Index j = 0; j < F.cols; ++j) {
      const double below = row_product(old, N, i, j) + penalty.l1 / 2 + penalty.l2 * old(i, j);
      if (below > 0) F(i, j) = old(i, j) * std::max(0.0, C(i, j)) / below;
    }
}

// Ding, Li & Jordan (2010), with the penalties in the denominator.
inline void sign_split(const Matrix& C, const Matrix& N, Penalty penalty, Matrix& F) {
  const Matrix old = F;
  Matrix positive = N;
  Matrix negative = N;
  for (double& x : positive.data) x = std::max(x, 0.0);
  for (double& x : negative.data) x = std::max(-x, 0.0);
  for (Index i = 0; i < F.rows; ++i)
    for (Index j = 0; j < F.cols; ++j) {
      const double above = std::max(C(i, j), 0.0) + row_product(old, negative, i, j);
      const double below = std::max(-C(i, j), 0.0) + row_product(old, positive, i, j) +
                           penalty.l1 / 2 + penalty.l2 * old(i, j);
      if (below > 0) F(i, j) = old(i, j) * std::sqrt(above / below);
    }
}

}  // namespace oracle
