#include "core/thread_limit.h"

#ifdef __linux__
#include <sched.h>
#endif

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <limits>
#include <thread>

#include "core/cgroups.h"

namespace gemmine {
namespace {

constexpr double unlimited = std::numeric_limits<double>::infinity();

// "max 100000" or "150000 100000"
double read_v2(const std::string& folder) {
  std::ifstream file(folder + "/cpu.max");
  double quota;
  double period;
  return file >> quota >> period && quota > 0 && period > 0 ? quota / period : unlimited;
}

double read_v1(const std::string& folder) {
  std::ifstream quota_file(folder + "/cpu.cfs_quota_us");
  std::ifstream period_file(folder + "/cpu.cfs_period_us");
  double quota;
  double period;
  const bool read = quota_file >> quota && period_file >> period;
  return read && quota > 0 && period > 0 ? quota / period : unlimited;
}

double cgroup_cpus(const std::string& root) {
  double cpus = unlimited;
  for (const auto& [version, path] : cgroup_folders(root, "cpu"))
    cpus = std::min(cpus, version == 2 ? read_v2(path) : read_v1(path));
  return cpus;
}

Index affinity_cpus() {
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
  return std::numeric_limits<Index>::max();
}

}  // namespace

ThreadLimit thread_limit(const std::string& root) {
  const Index hardware = std::max<Index>(1, std::thread::hardware_concurrency());
  const Index affinity = affinity_cpus();
  const double quota = cgroup_cpus(root);
  ThreadLimit limit{hardware, std::to_string(hardware) + " CPUs"};
  if (affinity < limit.threads)
    limit = {std::max<Index>(1, affinity), "affinity to " + std::to_string(affinity) + " CPUs"};
  if (quota < static_cast<double>(limit.threads)) {
    char text[64];
    std::snprintf(text, sizeof text, "cgroup quota of %.3g CPUs", quota);
    limit = {std::max<Index>(1, static_cast<Index>(std::ceil(quota))), text};
  }
  return limit;
}

}  // namespace gemmine
