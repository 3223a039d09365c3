#pragma once

#include <limits>

#include "backend/scans.h"

namespace gemmine {

struct ScanBound;

// Sums of exp(score·scale) over rows with scores that are known within bounds, and the greatest
// error of the logarithm of a sum. Let p_i >= 0 be the share of row i in the sum, Σ p_i = 1, and
// let true scores be within e_i of the scores in the sum (both times scale). Then
//   −Σ p_i e_i <= log Σ p_i exp(±e_i) <= log(1 + (expm1(M) / M) Σ p_i e_i),  M = max e_i:
// the left side by Jensen's inequality, the right side because exp is convex on [0, M]. If M <= 1,
// both are at most (1 + M) Σ p_i e_i in magnitude. M is a bound too.

// Σ exp((score_i − largest)·scale) over the rows so far, in a scan's units.
struct LogSum {
  double largest = -std::numeric_limits<double>::infinity();  // score until now
  double sum = 0;                                             // at least 1 if there are rows
  double weighted = 0;  // Σ exp((score_i − largest)·scale)·width_i
  double widest = 0;    // largest width; no score has a larger error

  // Adds the rows of `other`, which follow those of this sum.
  void merge(const LogSum& other, double scale);
};

// Terms below exp(smallest_exponent) are left out, because every sum contains exp(0).
inline constexpr double smallest_exponent = -700;

// log Σ exp(canonical score / temperature) of `rows` rows or fewer; −∞ without rows.
BoundedValue log_sum_value(const LogSum& total, const ScanBound& bound, double temperature,
                           Index rows);

}  // namespace gemmine
