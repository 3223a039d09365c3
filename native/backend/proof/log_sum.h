#pragma once

#include <limits>

#include "backend/scans.h"

namespace gemmine {

struct ScanBound;

// Sums of exp(score·scale) over rows whose scores are known within bounds, and how far the
// logarithm of a sum can be off. With p_i >= 0 the share of row i in the sum, Σ p_i = 1, and true
// scores within e_i of those that were added (both times scale),
//   −Σ p_i e_i <= log Σ p_i exp(±e_i) <= log(1 + (expm1(M) / M) Σ p_i e_i),  M = max e_i:
// the left by Jensen's inequality, the right because exp is convex on [0, M]. Where M <= 1 both are
// at most (1 + M) Σ p_i e_i in size; M itself is a bound too.

// Σ exp((score_i − largest)·scale) over the rows so far, in a scan's units.
struct LogSum {
  double largest = -std::numeric_limits<double>::infinity();  // score so far
  double sum = 0;
  double weighted = 0;  // Σ exp((score_i − largest)·scale)·width_i
  double widest = 0;    // of the widths; a score is at most so far off

  // Adds the rows of `other`, which follow those of this one. One of both has rows.
  void merge(const LogSum& other, double scale);
};

// Terms below exp(smallest_exponent) count as nothing: a sum holds exp(0).
inline constexpr double smallest_exponent = -700;

// log Σ exp(canonical score / temperature) of all `rows`.
BoundedValue log_sum_value(const LogSum& total, const ScanBound& bound, double temperature,
                           Index rows);

}  // namespace gemmine
