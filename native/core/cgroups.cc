#include "core/cgroups.h"

#include <fstream>
#include <sstream>

namespace gemmine {
namespace {

void append(std::vector<CgroupFolder>& folders, int version, const std::string& mount,
            std::string group) {
  folders.push_back({version, mount});
  while (group.size() > 1) {
    folders.push_back({version, mount + group});
    group.resize(group.find_last_of('/'));
  }
}

}  // namespace

// Lines of /proc/self/cgroup: "0::/path" for v2, "3:cpu,cpuacct:/path" for v1.
std::vector<CgroupFolder> cgroup_folders(const std::string& root, const std::string& controller) {
  const std::string mounts = root + "/sys/fs/cgroup";
  std::vector<CgroupFolder> folders;
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    std::string number;
    std::string controllers;
    std::string group;
    std::getline(fields, number, ':');
    std::getline(fields, controllers, ':');
    std::getline(fields, group);
    if (controllers.empty()) {
      append(folders, 2, mounts, group);
      append(folders, 2, mounts + "/unified", group);
    } else if (("," + controllers + ",").find("," + controller + ",") != std::string::npos) {
      append(folders, 1, mounts + "/" + controller, group);
      if (controllers != controller) append(folders, 1, mounts + "/" + controllers, group);
    }
  }
  return folders;
}

}  // namespace gemmine
