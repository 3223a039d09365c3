#pragma once

#include "naive_steps.h"

// The same for steps that see several rows or columns of a factor at once, or solve small systems.
namespace test::naive {

using oracle::Matrix;

// A⁻¹ B by Gauss and Jordan with pivots.
inline Matrix divided(Matrix A, Matrix B) {
  const Index n = A.rows;
  for (Index c = 0; c < n; ++c) {
    Index pivot = c;
    for (Index i = c; i < n; ++i)
      if (std::abs(A(i, c)) > std::abs(A(pivot, c))) pivot = i;
    for (Index j = 0; j < n; ++j) std::swap(A(c, j), A(pivot, j));
    for (Index j = 0; j < B.cols; ++j) std::swap(B(c, j), B(pivot, j));
    for (Index i = 0; i < n; ++i) {
      if (i == c) continue;
      const double ratio = A(i, c) / A(c, c);
      for (Index j = c; j < n; ++j) A(i, j) -= ratio * A(c, j);
      for (Index j = 0; j < B.cols; ++j) B(i, j) -= ratio * B(c, j);
    }
  }
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < B.cols; ++j) B(i, j) /= A(i, i);
  return B;
}

// F(t) = (I + t/2 A)⁻¹ (I − t/2 A) F with A = 2 (F Sᵀ − S Fᵀ), as [d×d] matrices.
inline Matrix on_the_curve(const Matrix& F, const Matrix& S, double t) {
  const Matrix FSt = oracle::multiply(F, oracle::transpose(S));
  Matrix plus(F.rows, F.rows);
  Matrix minus(F.rows, F.rows);
  for (Index i = 0; i < F.rows; ++i)
    for (Index j = 0; j < F.rows; ++j) {
      const double half = t * (FSt(i, j) - FSt(j, i));
      plus(i, j) = (i == j) + half;
      minus(i, j) = (i == j) - half;
    }
  return divided(plus, oracle::multiply(minus, F));
}

inline void cayley(const std::vector<double>& S_data, Index sweeps, Factor Ht) {
  const Matrix S(Ht.rows, Ht.cols, S_data);
  const double size = std::sqrt(oracle::inner(S, S));
  Matrix F(Ht.rows, Ht.cols);
  for (Index t = 0; t < Ht.rows; ++t)
    for (Index j = 0; j < Ht.cols; ++j) F(t, j) = at(Ht, t, j);
  for (Index sweep = 0; sweep < sweeps && size > 0; ++sweep) {
    const double now = oracle::inner(S, F);
    const auto gain = [&](double t) { return oracle::inner(S, on_the_curve(F, S, t)) - now; };
    double t = std::sqrt(static_cast<double>(Ht.cols)) / size;
    if (gain(t) > 0 && gain(2 * t) > gain(t)) {
      for (int i = 0; i < 16 && gain(2 * t) > gain(t); ++i) t *= 2;
    } else {
      for (int i = 0; i < 16 && (gain(t) <= 0 || gain(t / 2) > gain(t)); ++i) t /= 2;
    }
    if (!(gain(t) > 0)) break;
    F = on_the_curve(F, S, t);
  }
  for (Index t = 0; t < Ht.rows; ++t)
    for (Index j = 0; j < Ht.cols; ++j) Ht.row(t)[j] = static_cast<float>(F(t, j));
}

// A solve over the non-zeros of each row.
inline void solve_on_support(Cross cross, const NormalMatrix& N, Factor factor) {
  for (Index i = 0; i < factor.rows; ++i) {
    std::vector<Index> kept;
    for (Index j = 0; j < factor.cols; ++j)
      if (at(factor, i, j) != 0) kept.push_back(j);
    const auto m = static_cast<Index>(kept.size());
    std::vector<double> part;
    std::vector<float> right;
    std::vector<float> row;
    for (const Index a : kept) {
      for (const Index b : kept) part.push_back(N.gram()[a * N.size() + b]);
      right.push_back(at(cross, i, a));
      row.push_back(at(factor, i, a));
    }
    solve_normal({right.data(), 1, m, m}, NormalMatrix(part, m, 0, true), {row.data(), 1, m, m});
    for (Index a = 0; a < m; ++a) factor.row(i)[kept[a]] = row[a];
  }
}

// ‖x − w_j h_j‖² − ‖x‖² at the best w_j >= 0 of each component.
inline void one_component(Cross cross, const NormalMatrix& N, Factor factor) {
  for (Index i = 0; i < factor.rows; ++i) {
    Index best = -1;
    double least = 0;
    for (Index j = 0; j < factor.cols; ++j) {
      const double square = N.gram()[j * (N.size() + 1)];
      const double w = square > 0 ? std::max(0.0, at(cross, i, j) / square) : 0;
      const double change = w * w * square - 2 * w * at(cross, i, j);
      if (change < least) best = j;
      least = std::min(least, change);
    }
    for (Index j = 0; j < factor.cols; ++j) {
      const double square = N.gram()[j * (N.size() + 1)];
      factor.row(i)[j] = j == best ? static_cast<float>(at(cross, i, j) / square) : 0.0f;
    }
  }
}

inline void unit_ball(const std::vector<double>& S, const NormalMatrix& N, Index sweeps,
                      Factor Ht) {
  const Index k = Ht.cols;
  Matrix F(Ht.rows, k);
  for (Index t = 0; t < Ht.rows; ++t)
    for (Index j = 0; j < k; ++j) F(t, j) = at(Ht, t, j);
  for (Index sweep = 0; sweep < sweeps; ++sweep)
    for (Index j = 0; j < k; ++j) {
      const double curvature = N.gram()[j * (k + 1)];
      if (curvature == 0) continue;
      double square = 0;
      for (Index t = 0; t < Ht.rows; ++t) {
        double rest = S[t * k + j];
        for (Index l = 0; l < k; ++l)
          if (l != j) rest -= F(t, l) * N.gram()[l * k + j];
        F(t, j) = rest / curvature;
        square += F(t, j) * F(t, j);
      }
      for (Index t = 0; t < Ht.rows; ++t) F(t, j) /= std::max(1.0, std::sqrt(square));
    }
  for (Index t = 0; t < Ht.rows; ++t)
    for (Index j = 0; j < k; ++j) Ht.row(t)[j] = static_cast<float>(F(t, j));
}

}  // namespace test::naive
