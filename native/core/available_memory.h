#pragma once

#include <optional>
#include <string>

namespace gemmine {

// Bytes that the process can allocate before the system refuses, swaps or kills: the minimum of the
// free memory of the machine, of each cgroup above the process, and of the limit on its address
// space. Reclaimable memory counts as free: the page cache counts as usage of a cgroup, and fills
// it in time. Empty if the system does not report it. `root` as in cgroup_folders().
std::optional<double> available_memory(const std::string& root = "");

}  // namespace gemmine
