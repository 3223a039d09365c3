#pragma once

#include <optional>
#include <string>

namespace gemmine {

// Bytes that the process could take before the system refuses, swaps or kills: what is left of the
// machine, of each cgroup above the process, and of a limit on its address space, whichever is
// less. Memory that the system would give back is left: files in the page cache count as usage of a
// cgroup, and fill it in time. Nothing where the system does not tell. `root` as in
// cgroup_folders().
std::optional<double> available_memory(const std::string& root = "");

}  // namespace gemmine
