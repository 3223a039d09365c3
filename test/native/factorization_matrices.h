#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "backend/registry.h"
#include "check.h"
#include "core/random.h"
#include "factorization/fit.h"

// Matrices, and a fit as suites call it.
namespace test {

using namespace gemmine;

struct Dense {
  Index rows;
  Index cols;
  std::vector<float> values;

  float& operator()(Index i, Index j) { return values[i * cols + j]; }
  float operator()(Index i, Index j) const { return values[i * cols + j]; }
  HostView<float> view() { return {values.data(), rows, cols, cols}; }
  HostView<const float> view() const { return {values.data(), rows, cols, cols}; }
  std::unique_ptr<RowSource> source() const {
    return dense_source(values.data(), ElementType::float32, rows, cols, cols);
  }
};

inline Dense zeros(Index rows, Index cols) {
  return {rows, cols, std::vector<float>(static_cast<std::size_t>(rows * cols))};
}

template <class ValueAt>
Dense filled(Index rows, Index cols, ValueAt value_at) {
  Dense A = zeros(rows, cols);
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < cols; ++j) A(i, j) = static_cast<float>(value_at(i, j));
  return A;
}

inline Dense gaussian(Index rows, Index cols, std::uint64_t seed) {
  const CounterRandom random(seed, 100);
  return filled(rows, cols,
                [&](Index i, Index j) { return random.normal(i, static_cast<std::uint32_t>(j)); });
}

inline Dense product(const Dense& A, const Dense& B) {
  return filled(A.rows, B.cols, [&](Index i, Index j) {
    double sum = 0;
    for (Index l = 0; l < A.cols; ++l) sum += double{A(i, l)} * B(l, j);
    return sum;
  });
}

inline Dense absolute(Dense A) {
  for (float& value : A.values) value = std::abs(value);
  return A;
}

inline Dense planted(Index n, Index d, Index k, std::uint64_t seed) {
  return product(absolute(gaussian(n, k, seed)), gaussian(k, d, seed + 1));
}

inline double squares(const Dense& A) {
  return std::accumulate(A.values.begin(), A.values.end(), 0.0,
                         [](double sum, double value) { return sum + value * value; });
}

inline double sum_of_absolutes(const Dense& A) {
  return std::accumulate(A.values.begin(), A.values.end(), 0.0,
                         [](double sum, double value) { return sum + std::abs(value); });
}

inline double squared_error(const Dense& X, const Dense& W, const Dense& H) {
  double total = 0;
  for (Index i = 0; i < X.rows; ++i)
    for (Index j = 0; j < X.cols; ++j) {
      double residual = X(i, j);
      for (Index l = 0; l < W.cols; ++l) residual -= double{W(i, l)} * H(l, j);
      total += residual * residual;
    }
  return total;
}

inline Job job(Index threads = 2) { return {.cancellation = {}, .report = {}, .threads = threads}; }

inline constexpr Penalties no_penalty{0, 0, 0, 0};

inline FitOptions options(Model model, Solver solver, Start start, Index iterations) {
  return {.model = model,
          .solver = solver,
          .start = start,
          .tries_svd = false,
          .max_iterations = iterations,
          .tolerance = 0,
          .inner_sweeps = 1,
          .extrapolated = false,
          .penalties = no_penalty,
          .seed = 5,
          .loss = frobenius_loss,
          .mask = no_mask,
          .row_weights = {},
          .given_W = {nullptr, 0, 0, 0},
          .given_H = {nullptr, 0, 0, 0},
          .checkpoint = {.path = "", .seconds = 0, .metadata = ""},
          .resume = std::nullopt,
          .adjacency = nullptr,
          .kept_share = 1,
          .patience = iterations,
          .refit = false,
          .keeps_columns = false,
          .batch_rows = 0,
          .forget_factor = 1};
}

struct Fitted {
  Dense W;
  Dense H;
  Convergence run;
};

inline Fitted fitted(Passes& backend, const RowSource& X, Index k, const FitOptions& options,
                     Index threads = 2) {
  Fitted result{zeros(X.rows(), k), zeros(k, X.cols()), {}};
  result.run = fit(backend, X, options, result.W.view(), result.H.view(), job(threads));
  return result;
}

inline Fitted fitted(Passes& device, const Dense& X, Index k, const FitOptions& options,
                     Index threads = 2) {
  return fitted(device, *X.source(), k, options, threads);
}

inline Fitted fitted(const Dense& X, Index k, const FitOptions& options, Index threads = 2) {
  return fitted(passes_for("cpu"), X, k, options, threads);
}

inline bool signs_hold(const Dense& A) {
  return std::ranges::all_of(A.values, [](float value) { return value >= 0; });
}

// What no right run can break: an objective that never rises and tells the truth, and signs.
inline void expect_lawful(const Dense& X, const Fitted& result, const FitOptions& options,
                          const std::string& name) {
  const double norm = squares(X);
  const std::vector<double>& f = result.run.objective;
  check(static_cast<Index>(f.size()) == options.max_iterations + 1, name + ": all iterations");
  for (std::size_t t = 1; t < f.size(); ++t)
    if (!check(f[t] <= f[t - 1] * (1 + 1e-6) + 5e-7 * norm,
               name + ": never rises, at " + std::to_string(t) + ": " + std::to_string(f[t - 1]) +
                   " then " + std::to_string(f[t])))
      break;
  check(signs_hold(result.W), name + ": W >= 0");
  check(sign_of(options.model) == EntrySign::any || signs_hold(result.H), name + ": H >= 0");

  const double error = squared_error(X, result.W, result.H);
  const Penalties& p = options.penalties;
  const double expected = error + p.l1_w * sum_of_absolutes(result.W) + p.l2_w * squares(result.W) +
                          p.l1_h * sum_of_absolutes(result.H) + p.l2_h * squares(result.H);
  near(f.back(), expected, 1e-4 * expected + 1e-11 * norm, name + ": the objective is true");
  if (norm == 0) return;
  const double relative = std::sqrt(error / norm);
  near(result.run.relative_error, relative, 1e-4 * relative + 4e-6, name + ": relative error");
}

}  // namespace test
