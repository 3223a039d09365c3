#pragma once

#include "backend/assignment.h"
#include "backend/cpu/kernels.h"
#include "core/job.h"

namespace gemmine::cpu {

// See Passes.
void assign(const Kernels& kernels, const Assignment& assignment, Assigned& assigned,
            const Job& job);
std::vector<double> potentials(const Kernels& kernels, const Candidates& candidates,
                               HostView<double> distances, const Job& job);

}  // namespace gemmine::cpu
