#pragma once

#include <cstdint>
#include <vector>

#include "core/matrix.h"

namespace gemmine {

// The state of a run between iterations, in addition to W and Ht. From these three, with the same X
// and options, a run continues with the same bits.
struct LoopState {
  Index iteration = 0;
  // Of the scaled X, before the first and after each iteration; the last one may be set only by the
  // next pass.
  std::vector<double> objective;
  std::vector<std::uint8_t> measured;  // whether each objective was measured directly
  bool converged = false;
  bool direct = false;         // objectives are measured directly; never reset
  bool guarded = false;        // each iteration is measured at once and the better pair is kept
  bool stalled = false;        // rounding prevents any further decrease of the objective
  double damping = 1e-5;       // λ_j / R_jj of proximal_pull()
  double extrapolation = 0.5;  // β and its bound, see acceleration.h
  double most_extrapolation = 1;
  Index best = 0;                    // iteration of the best pair, if the model is not monotone
  Index progressed = 0;              // last iteration that was better by the tolerance
  Index worked = 0;                  // iterations computed; later ones repeat the last objective
  bool stepped_back = false;         // the last iteration was undone
  std::vector<double> row_gram;      // WᵀW [k×k] after the last iteration
  std::vector<Index> dead_for;       // iterations, per component
  std::vector<Index> attempts;       // to reseed each component
  double volume_weight = -1;         // λ of volume.h; -1 before the first iteration
  std::vector<double> step_lengths;  // [k], of the combinations; 0 before the first iteration
};

}  // namespace gemmine
