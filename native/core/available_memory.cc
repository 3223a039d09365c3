#include "core/available_memory.h"

#ifdef __APPLE__
#include <mach/mach.h>
#endif
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <initializer_list>
#include <limits>
#include <string>

#include "core/cgroups.h"

namespace gemmine {
namespace {

constexpr double unlimited = std::numeric_limits<double>::infinity();

// Reads a file of one number; for "max" and for a missing file returns `otherwise`.
double number_in(const std::string& path, double otherwise) {
  std::ifstream file(path);
  double value;
  return file >> value ? value : otherwise;
}

// The sum of the values in those lines "name value" whose name is listed.
double sum_in(const std::string& path, std::initializer_list<const char*> names) {
  std::ifstream file(path);
  double sum = 0;
  std::string name;
  for (double value; file >> name >> value;)
    if (std::ranges::find(names, name) != names.end()) sum += value;
  return sum;
}

// The system frees the page cache when memory is short, so it counts as available. memory.stat is
// long: it is read only if `left` without it would be the lowest so far.
double with_reclaimable(double left, double lowest, const std::string& folder,
                        std::initializer_list<const char*> names) {
  return left < lowest ? left + sum_in(folder + "/memory.stat", names) : left;
}

double left_v2(const std::string& folder, double lowest) {
  const double limit = std::min(number_in(folder + "/memory.max", unlimited),
                                number_in(folder + "/memory.high", unlimited));
  const double left = limit - number_in(folder + "/memory.current", 0);
  return with_reclaimable(left, lowest, folder,
                          {"inactive_file", "active_file", "slab_reclaimable"});
}

// The usage includes child groups, as do the lines that begin with "total".
double left_v1(const std::string& folder, double lowest) {
  const double limit = number_in(folder + "/memory.limit_in_bytes", unlimited);
  const double left = limit - number_in(folder + "/memory.usage_in_bytes", 0);
  return with_reclaimable(left, lowest, folder, {"total_inactive_file", "total_active_file"});
}

double left_of_machine(const std::string& root) {
#ifdef __APPLE__
  if (root.empty()) {
    vm_statistics64_data_t pages;
    mach_msg_type_number_t count = HOST_VM_INFO64_COUNT;
    if (host_statistics64(mach_host_self(), HOST_VM_INFO64, reinterpret_cast<host_info64_t>(&pages),
                          &count) != KERN_SUCCESS)
      return unlimited;
    const double free =
        static_cast<double>(pages.free_count) + pages.inactive_count + pages.purgeable_count;
    return free * static_cast<double>(::sysconf(_SC_PAGESIZE));
  }
#endif
  std::ifstream file(root + "/proc/meminfo");  // "MemAvailable:   16166216 kB"
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("MemAvailable:")) return 1024 * std::stod(line.substr(13));
  return unlimited;
}

// Address space left below the limit of the process (ulimit -v). The first number of
// /proc/self/statm is its mapped pages.
double left_of_address_space(const std::string& root) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return unlimited;
  const double pages = number_in(root + "/proc/self/statm", 0);
  return static_cast<double>(limit.rlim_cur) - pages * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

std::optional<double> available_memory(const std::string& root) {
  double left = std::min(left_of_machine(root), left_of_address_space(root));
  for (const auto& [version, path] : cgroup_folders(root, "memory"))
    left = std::min(left, version == 2 ? left_v2(path, left) : left_v1(path, left));
  if (left == unlimited) return std::nullopt;
  return std::max(0.0, left);
}

}  // namespace gemmine
