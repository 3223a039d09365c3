#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <span>
#include <vector>

#include "backend/passes.h"
#include "core/error.h"
#include "entry_oracle.h"
#include "oracle.h"

// The steps of NaivePasses: plain loops in float64 over the rows of a factor.
namespace test::naive {

using namespace gemmine;
using Cross = BackendView<const float>;
using Factor = BackendView<float>;

inline float at(Cross matrix, Index i, Index j) { return matrix.row(i)[j]; }

inline std::vector<double> weighted_gram(Cross factor, std::span<const float> weights) {
  const Index k = factor.cols;
  std::vector<double> gram(static_cast<std::size_t>(k * k));
  for (Index i = 0; i < factor.rows; ++i)
    for (Index a = 0; a < k; ++a)
      for (Index b = 0; b < k; ++b)
        gram[a * k + b] += oracle::weight(weights, i) * at(factor, i, a) * at(factor, i, b);
  return gram;
}

// (F N)_ij.
inline double fitted(const NormalMatrix& N, Factor factor, Index i, Index j) {
  double sum = 0;
  for (Index l = 0; l < N.size(); ++l) sum += at(factor, i, l) * N.gram()[l * N.size() + j];
  return sum;
}

template <class Next>
void sweep(Cross cross, const NormalMatrix& N, const Step& options, Factor factor,
           const Next& next) {
  for (Index s = 0; s < options.sweeps; ++s)
    for (Index i = 0; i < factor.rows; ++i)
      for (Index j = 0; j < N.size(); ++j) {
        const double f = at(factor, i, j);
        const double curvature = N.gram()[j * (N.size() + 1)] + options.l2;
        if (curvature == 0) continue;
        const double slope = at(cross, i, j) - fitted(N, factor, i, j) - options.l2 * f;
        factor.row(i)[j] = static_cast<float>(next(f, f + slope / curvature, curvature));
      }
}

// Every entry of a row from the row as it was: plus = F N⁺, minus = F N⁻.
template <class Ratio>
void update(Index sweeps, const NormalMatrix& N, Factor factor, const Ratio& next) {
  const Index k = N.size();
  std::vector<double> row(k);
  for (Index s = 0; s < sweeps; ++s)
    for (Index i = 0; i < factor.rows; ++i) {
      for (Index j = 0; j < k; ++j) {
        double plus = 0;
        double minus = 0;
        for (Index l = 0; l < k; ++l) {
          const double part = at(factor, i, l) * N.gram()[l * k + j];
          (part > 0 ? plus : minus) += std::abs(part);
        }
        row[j] = next(i, j, plus, minus);
      }
      std::copy(row.begin(), row.end(), factor.row(i));
    }
}

inline void nonnegative_sweep(Cross cross, const NormalMatrix& N, const Step& options,
                              Factor factor) {
  sweep(cross, N, options, factor, [&](double f, double minimum, double curvature) {
    const double step = minimum - options.l1 / 2 / curvature - f;
    return std::clamp(f + options.relaxation * step, 0.0, options.upper);
  });
}
inline void signed_sweep(Cross cross, const NormalMatrix& N, const Step& options, Factor factor) {
  sweep(cross, N, options, factor, [&](double, double minimum, double curvature) {
    const double threshold = options.l1 / 2 / curvature;
    return std::copysign(std::max(0.0, std::abs(minimum) - threshold), minimum);
  });
}
inline void multiplicative_update(Cross cross, const NormalMatrix& N, const Step& options,
                                  Factor factor) {
  update(options.sweeps, N, factor, [&](Index i, Index j, double plus, double minus) {
    const double f = at(factor, i, j);
    const double below = plus - minus + options.l1 / 2 + options.l2 * f;
    return below > 0 ? f * std::max(0.0, double{at(cross, i, j)}) / below : f;
  });
}
inline void sign_split_update(Cross cross, const NormalMatrix& N, const Step& options,
                              Factor factor) {
  update(options.sweeps, N, factor, [&](Index i, Index j, double plus, double minus) {
    const double f = at(factor, i, j);
    const double c = at(cross, i, j);
    const double below = std::max(0.0, -c) + plus + options.l1 / 2 + options.l2 * f;
    return below > 0 ? f * std::sqrt((std::max(0.0, c) + minus) / below) : f;
  });
}
inline void solve_normal(Cross cross, const NormalMatrix& N, Factor factor) {
  const auto& F = N.independent();
  const auto& L = N.cholesky();
  const Index m = static_cast<Index>(F.size());
  const Index k = N.size();
  std::vector<double> y(m);
  for (Index i = 0; i < factor.rows; ++i) {
    for (Index a = 0; a < m; ++a) {
      y[a] = at(cross, i, F[a]);
      for (const Index e : N.dependent()) y[a] -= at(factor, i, e) * N.gram()[e * k + F[a]];
      for (Index b = 0; b < a; ++b) y[a] -= L[a * m + b] * y[b];
      y[a] /= L[a * m + a];
    }
    for (Index a = m; a-- > 0;) {
      for (Index b = a + 1; b < m; ++b) y[a] -= L[b * m + a] * y[b];
      y[a] /= L[a * m + a];
      factor.row(i)[F[a]] = static_cast<float>(y[a]);
    }
  }
}
inline void nearest_component(Cross cross, const NormalMatrix& N, Factor factor) {
  for (Index i = 0; i < factor.rows; ++i) {
    Index best = 0;
    const auto score = [&](Index j) {
      return N.gram()[j * (N.size() + 1)] - 2.0 * at(cross, i, j);
    };
    for (Index j = 1; j < factor.cols; ++j)
      if (score(j) < score(best)) best = j;
    for (Index j = 0; j < factor.cols; ++j) factor.row(i)[j] = j == best ? 1.0f : 0.0f;
  }
}

inline void scale_by_ratio(const Step& step, double above, double below, float& f) {
  below += step.l1 / 2 + step.l2 * f;
  if (below > 0)
    f = static_cast<float>(std::min(step.upper, f * std::pow(above / below, step.exponent)));
}

// Coordinate descent on one row until it stands still.
inline void descend(const NormalMatrix& normal, double l2, const std::vector<double>& cross,
                    std::vector<double>& w, double upper = unbounded) {
  const Index k = normal.size();
  const std::vector<double>& N = normal.gram();
  double change = 1;
  for (int sweep = 0; sweep < 200000 && change > 1e-13; ++sweep) {
    change = 0;
    for (Index j = 0; j < k; ++j) {
      double slope = cross[j] - l2 * w[j];
      for (Index c = 0; c < k; ++c) slope -= w[c] * N[c * k + j];
      const double curvature = N[j * k + j] + l2;
      if (!(curvature > 0)) continue;
      const double next = std::clamp(w[j] + slope / curvature, 0.0, upper);
      change = std::max(change, std::abs(next - w[j]));
      w[j] = next;
    }
  }
}

inline void nonnegative_solve(Cross cross, const NormalMatrix& N, const Step& step, Factor factor) {
  for (Index i = 0; i < factor.rows; ++i) {
    std::vector<double> right(factor.cols);
    std::vector<double> row(factor.row(i), factor.row(i) + factor.cols);
    for (Index j = 0; j < factor.cols; ++j) {
      right[j] = at(cross, i, j) - step.l1 / 2;
      if (N.gram()[j * (N.size() + 1)] + step.l2 == 0 && step.l1 > 0) row[j] = 0;
    }
    descend(N, step.l2, right, row);
    std::copy(row.begin(), row.end(), factor.row(i));
  }
}

// (Σ λ^16)^(1/16) over the eigenvalues of N + l2 I with unit diagonal: tr(N^16).
inline double curvature_bound(const NormalMatrix& N, double l2) {
  const Index k = N.size();
  oracle::Matrix A(k, k);
  for (Index i = 0; i < k; ++i)
    for (Index j = 0; j < k; ++j) {
      const double size = std::sqrt((N.gram()[i * (k + 1)] + l2) * (N.gram()[j * (k + 1)] + l2));
      A(i, j) = size > 0 ? (N.gram()[i * k + j] + (i == j ? l2 : 0)) / size : 0;
    }
  double scale = 1;
  for (double power = 1; power > 0.1; power /= 2) {
    const double norm = std::sqrt(oracle::inner(A, A));
    if (norm == 0) return 0;
    scale *= std::pow(norm, power);
    A = oracle::multiply(oracle::scaled(A, 1 / norm), oracle::scaled(A, 1 / norm));
  }
  return scale;
}

// FISTA with restarts, in the coordinates in which N + l2 I has a unit diagonal.
inline void projected_gradient(Cross cross, const NormalMatrix& N, const Step& step,
                               Factor factor) {
  const Index k = N.size();
  const double L = curvature_bound(N, step.l2);
  for (Index i = 0; i < factor.rows; ++i) {
    std::vector<double> x(factor.row(i), factor.row(i) + k);
    std::vector<double> y = x;
    double t = 1;
    for (Index s = 0; s < step.sweeps; ++s) {
      const std::vector<double> old = x;
      double overshoot = 0;
      for (Index j = 0; j < k; ++j) {
        double slope = at(cross, i, j) - step.l1 / 2 - step.l2 * y[j];
        for (Index l = 0; l < k; ++l) slope -= y[l] * N.gram()[l * k + j];
        const double curvature = N.gram()[j * (k + 1)] + step.l2;
        if (curvature > 0) x[j] = std::clamp(y[j] + slope / (L * curvature), 0.0, step.upper);
        overshoot += curvature * (y[j] - x[j]) * (x[j] - old[j]);
      }
      const double next = (1 + std::sqrt(1 + 4 * t * t)) / 2;
      const double share = overshoot > 0 ? 0 : (t - 1) / next;
      t = overshoot > 0 ? 1 : next;
      for (Index j = 0; j < k; ++j) y[j] = x[j] + share * (x[j] - old[j]);
    }
    std::copy(x.begin(), x.end(), factor.row(i));
  }
}

inline void project(Cross cross, const Step& step, Factor factor) {
  for (Index i = 0; i < factor.rows; ++i)
    for (Index j = 0; j < factor.cols; ++j)
      factor.row(i)[j] =
          static_cast<float>(std::max(0.0, (at(cross, i, j) - step.l1 / 2) / (1 + step.l2)));
}

inline void shifted_ascent(Cross cross, const NormalMatrix& N, Factor factor) {
  for (Index i = 0; i < factor.rows; ++i)
    for (Index j = 0; j < factor.cols; ++j)
      factor.row(i)[j] = static_cast<float>(
          std::max(0.0, double{at(factor, i, j)} + at(cross, i, j) - N.gram()[j * (N.size() + 1)]));
}

// Exchanges of the two components that gain most, over all pairs. What a capped row lacks is one
// more component.
inline void simplex(Cross cross, const NormalMatrix& N, const Step& step, Factor factor) {
  const Index k = factor.cols;
  const bool capped = step.kind == StepKind::capped_simplex;
  const Index size = k + capped;
  const auto n = [&](Index a, Index b) { return a < k && b < k ? N.gram()[a * k + b] : 0.0; };
  double scale = 0;
  for (Index j = 0; j < k; ++j) scale = std::max(scale, n(j, j));
  for (Index i = 0; i < factor.rows; ++i) {
    std::vector<double> w(size);
    double sum = 0;
    for (Index j = 0; j < k; ++j) sum += w[j] = std::max(0.0f, at(factor, i, j));
    for (Index j = 0; j < k; ++j)
      w[j] = sum > 0 ? w[j] / (capped ? std::max(sum, 1.0) : sum) : capped ? 0 : 1.0 / k;
    if (capped) w[k] = std::max(0.0, 1 - sum);
    for (Index t = 0; t < step.sweeps * size; ++t) {
      std::vector<double> slope(size);
      for (Index j = 0; j < size; ++j) {
        if (j < k) slope[j] = -at(cross, i, j);
        for (Index l = 0; l < size; ++l) slope[j] += n(j, l) * w[l];
      }
      const double lowest = *std::ranges::min_element(slope) + 1e-9 * scale;
      Index a = 0;
      while (slope[a] > lowest) ++a;
      Index b = a;
      double best = 0;
      double length = 0;
      for (Index j = 0; j < size; ++j) {
        const double difference = slope[j] - slope[a];
        if (w[j] == 0 || difference <= 1e-9 * scale) continue;
        const double curvature = std::max(n(a, a) + n(j, j) - 2 * n(a, j), 1e-12 * scale);
        const double moved = std::min(w[j], difference / curvature);
        const double gain = moved * difference - moved * moved * curvature / 2;
        if (gain > best) best = gain, length = moved, b = j;
      }
      if (a == b) break;
      w[a] += length;
      w[b] -= length;
    }
    for (Index j = 0; j < k; ++j) factor.row(i)[j] = static_cast<float>(w[j]);
  }
}

}  // namespace test::naive
