#pragma once

#include <vector>

#include "core/random.h"
#include "core/row_source.h"

namespace gemmine {

// Assigns rows to their nearest centres. Labels and centres are small and stay in host memory.
struct Assignment {
  const RowSource& X;
  int exponent;                    // centres and results are those of X·2^-exponent
  HostView<const double> centers;  // [k×d]
  // [d], a point near most rows, relative to which approximate distances are computed. Labels do
  // not depend on it.
  const std::vector<double>& origin;
  const double* weights;      // [n], positive; null: 1 each
  Index far_rows;             // maximum length of Assigned::far
  const CounterRandom* draw;  // null: take the farthest rows
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
  // replacement, with probabilities in proportion to weight·distance²: Efraimidis & Spirakis
  // (2006), "Weighted random sampling with a reservoir", IPL 97(5).
  std::vector<FarRow> far;
};

// Computes the remaining inertia for each point that may become a centre.
struct Candidates {
  const RowSource& X;
  int exponent;                   // points and distances are of X·2^-exponent
  HostView<const double> points;  // [c×d] of float32 values, c <= most
  const double* weights;          // [n], or null
  const double* nearest;          // [n] weight·distance² to the centres so far

  static constexpr Index most = 16;  // comparing a row with 16 points costs as much as with one
};

}  // namespace gemmine
