#pragma once

#include <memory>
#include <vector>

#include "backend/assignment.h"
#include "backend/cuda/device.h"
#include "core/job.h"

namespace gemmine::cuda {

// See Passes::assign and Passes::potentials, for a dense X. The CPU sums inertias and chooses far
// rows from the distances, row by row.
void assign_rows(const std::shared_ptr<Device>& device, const Assignment& assignment,
                 Assigned& assigned, const Job& job);
std::vector<double> candidate_potentials(const std::shared_ptr<Device>& device,
                                         const Candidates& candidates, HostView<double> distances,
                                         const Job& job);

}  // namespace gemmine::cuda
