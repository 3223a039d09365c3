#pragma once

#include <string>
#include <vector>

namespace gemmine {

struct CgroupFolder {
  int version;  // 1 or 2: their files differ
  std::string path;
};

// Where the limits of this process by one controller (cpu, memory) may stand: its own group and all
// groups above it, which bind it too, for either version of cgroups. Inside a container the path of
// the group may be the host's while the mount shows only our part of it: some of the folders may
// not exist. `root` stands before /proc and /sys, so that a test can lay out its own.
std::vector<CgroupFolder> cgroup_folders(const std::string& root, const std::string& controller);

}  // namespace gemmine
