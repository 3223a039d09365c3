#pragma once

#include <cstdint>
#include <vector>

#include "core/matrix.h"

namespace gemmine {

// All that a run carries from one iteration to the next beside W and Ht: with these three, and the
// same X and options, it goes on with the same bits.
struct LoopState {
  Index iteration = 0;
  // Of the scaled X, before the first and after each iteration; the last one may wait for the next
  // pass, which measures it.
  std::vector<double> objective;
  std::vector<std::uint8_t> measured;  // directly, for each objective
  bool converged = false;
  bool direct = false;         // objectives are measured; once so, always
  bool guarded = false;        // each iteration is measured at once, and the better pair kept
  bool stalled = false;        // rounding lets no further iteration lower the objective
  double damping = 1e-5;       // the share of R_jj that a step which solves is pulled by
  double extrapolation = 0.5;  // β and its bound, see acceleration.h
  double most_extrapolation = 1;
  Index best = 0;                // iteration of the best pair, where a model is not monotone
  Index progressed = 0;          // the last iteration that was clearly better than those before
  Index worked = 0;              // iterations computed; later ones repeat the last objective
  bool stepped_back = false;     // the last iteration was taken back
  std::vector<double> row_gram;  // WᵀW [k×k] after the last iteration
  std::vector<Index> dead_for;   // iterations, of each component
  std::vector<Index> attempts;   // to reseed it
};

}  // namespace gemmine
