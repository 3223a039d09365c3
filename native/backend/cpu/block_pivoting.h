#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "backend/cpu/active_set.h"
#include "backend/cpu/shared_cholesky.h"
#include "core/job.h"
#include "core/matrix.h"

namespace gemmine::cpu {

// Non-negative least squares for the rows of a block, in float64, by block principal pivoting: Kim
// & Park (2011), section 3. Rows are visited in the order of their passive sets, so that equal sets
// share one Cholesky factor, and sets with the same first components share those rows of it. Rows
// whose passive set is dependent, or that need too many exchanges, are solved by an active set.
// Solves one block after another on one thread; the result of a row does not depend on other rows.
class BlockPivoting {
 public:
  // See ActiveSet.
  BlockPivoting(const Kernels& kernels, const std::vector<double>& normal, Index k,
                double smallest_pivot);

  // Sets each row v of V [b×k] to a minimiser of v·N v − 2 b·v over v >= 0, with its row b of B,
  // starting from the positive components of the given v >= 0. A component whose row of N is zero
  // keeps its value.
  void solve(HostView<const double> B, HostView<double> V, const Cancellation& stop);

 private:
  // The exchanges of a row: Kim & Park, algorithm 2.
  struct Row {
    Index index;
    Index fewest;  // infeasible components so far
    int chances;   // full exchanges that remain without fewer infeasible components
  };
  enum class Outcome { solved, exchanged, dependent };

  void start(HostView<const double> V);
  void sort_open();
  Outcome visit(Row& row, const double* b, double* v);
  void find_infeasible(const double* b);
  void exchange(Row& row);
  void solve_by_active_set(const double* b, double* v, const Cancellation& stop);
  double quadratic(const double* b, const double* v) const;

  std::uint64_t* mask(Index i) { return masks_.data() + i * words_; }
  bool is_passive(Index i, Index j) { return (mask(i)[j / 64] >> (63 - j % 64) & 1) != 0; }
  void flip(Index i, Index j) { mask(i)[j / 64] ^= std::uint64_t{1} << (63 - j % 64); }

  const std::vector<double>& normal_;
  Index k_;
  Index words_;
  double smallest_pivot_;
  SharedCholesky factor_;
  std::optional<ActiveSet> active_set_;  // made when it is needed
  std::vector<std::uint64_t> masks_;     // passive sets, [b×words], component 0 in the highest bit
  std::vector<Row> open_;
  std::vector<Index> passive_;
  std::vector<Index> infeasible_;
  std::vector<double> minimum_;  // of the passive components
  std::vector<double> slope_;    // b − N v
};

}  // namespace gemmine::cpu
