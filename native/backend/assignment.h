#pragma once

#include <vector>

#include "core/random.h"
#include "core/row_source.h"

namespace gemmine {

// Rows and their nearest centres. What is as small as a label or a centre lies on the host.
struct Assignment {
  const RowSource& X;
  int exponent;                    // centres are of X·2^-exponent, and so is all that comes back
  HostView<const double> centers;  // [k×d]
  // [d], near most rows: approximate distances are formed relative to it. Any gives the same
  // labels.
  const std::vector<double>& origin;
  const double* weights;      // [n], positive; null: 1 each
  Index far_rows;             // how many rows to report in Assigned::far, at most
  const CounterRandom* draw;  // null: the farthest rows
};

struct FarRow {
  Index row;
  double squared_distance;
  double rank;  // weight·distance²; with `draw`, divided by a standard exponential variable
};

struct Assigned {
  Assigned(Index n, Index k, Index d) : labels(n), sums(k * d), masses(k) {}

  std::vector<std::int32_t> labels;  // [n]
  std::vector<double> sums;          // [k×d] Σ weight·row of each cluster
  std::vector<double> masses;        // [k] Σ weight
  double inertia = 0;                // Σ weight·distance², each summed from differences
  // The rows of the highest ranks, descending. With `draw` they are a random sample without
  // replacement, in proportion to weight·distance²: Efraimidis & Spirakis (2006), "Weighted random
  // sampling with a reservoir", IPL 97(5).
  std::vector<FarRow> far;
};

// Points that may become centres: what each would leave.
struct Candidates {
  const RowSource& X;
  int exponent;                   // points and distances are of X·2^-exponent
  HostView<const double> points;  // [c×d] of float32 values, c <= most
  const double* weights;          // [n], or null
  const double* nearest;          // [n] weight·distance² to the centres so far

  static constexpr Index most = 16;  // as many as a row is compared with at the price of one
};

}  // namespace gemmine
