#pragma once

#include <vector>

#include "core/job.h"
#include "core/matrix.h"

namespace gemmine::cpu {

// See StepKind::unit_ball. S [d×k], R [k×k], Ht [d×k].
void unit_ball_sweeps(const std::vector<double>& S, const std::vector<double>& R, Index sweeps,
                      HostView<float> Ht, const Job& job);

}  // namespace gemmine::cpu
