#pragma once

#include <string>
#include <vector>

namespace gemmine {

struct CgroupFolder {
  int version;  // 1 or 2: their files differ
  std::string path;
};

// Folders that may hold the limits of this process by one controller (cpu, memory): its own group
// and all its ancestors, whose limits also apply, for both versions of cgroups. In a container the
// path of the group may be that of the host while the mount contains only a part of it, so some
// folders may not exist. `root` is put before /proc and /sys, so that a test can use its own files.
std::vector<CgroupFolder> cgroup_folders(const std::string& root, const std::string& controller);

}  // namespace gemmine
