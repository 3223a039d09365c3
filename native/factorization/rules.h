#pragma once

#include "factorization/fit.h"
#include "factorization/steps.h"

namespace gemmine {

// A factorization is a pair of steps; the loop is the same for all (alternating.h).
struct AlternatingRule {
  StepFunction row_step;
  StepFunction column_step;
  bool solves;        // the column step needs the normal matrix factorized
  bool columns_free;  // H may be negative
  bool leaves_zeros;  // the row step can raise an entry of W that is 0
};

// Gillis & Kumar (2015), "Exact and heuristic algorithms for semi-nonnegative matrix
// factorization", SIMAX 36(4), Algorithm 1: block coordinate descent over the columns of W, least
// squares for H. The sweep goes past each minimum: docs/decisions/0009.
inline constexpr AlternatingRule semi_nmf_hals{.row_step = nonnegative_hals,
                                               .column_step = least_squares,
                                               .solves = true,
                                               .columns_free = true,
                                               .leaves_zeros = true};

// Ding, Li & Jordan (2010), "Convex and Semi-Nonnegative Matrix Factorizations", TPAMI 32(1),
// equations 10 (H) and 11 (W, with the square root that its monotonicity needs).
inline constexpr AlternatingRule semi_nmf_mu{.row_step = sign_split,
                                             .column_step = least_squares,
                                             .solves = true,
                                             .columns_free = true,
                                             .leaves_zeros = false};

// Cichocki & Phan (2009), "Fast local algorithms for large scale nonnegative matrix and tensor
// factorizations", IEICE E92-A(3): HALS, without the normalisation inside a sweep, and past each
// minimum as well.
inline constexpr AlternatingRule nmf_hals{.row_step = nonnegative_hals,
                                          .column_step = nonnegative_hals,
                                          .solves = false,
                                          .columns_free = false,
                                          .leaves_zeros = true};

// Lee & Seung (2001), "Algorithms for non-negative matrix factorization", NIPS 13, theorem 1.
inline constexpr AlternatingRule nmf_mu{.row_step = multiplicative,
                                        .column_step = multiplicative,
                                        .solves = false,
                                        .columns_free = false,
                                        .leaves_zeros = false};

constexpr const AlternatingRule& rule_for(Model model, Solver solver) {
  if (model == Model::semi_nmf) return solver == Solver::hals ? semi_nmf_hals : semi_nmf_mu;
  return solver == Solver::hals ? nmf_hals : nmf_mu;
}

}  // namespace gemmine
