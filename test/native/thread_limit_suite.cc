// The number of threads of the pool: quotas of processor time.
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include "check.h"
#include "core/thread_limit.h"

namespace {

void write(const std::filesystem::path& path, const char* text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

void reads_quotas_of_both_cgroup_versions() {
  const auto root = std::filesystem::temp_directory_path() /
                    ("gemmine-cgroup-" +
                     std::to_string(std::hash<std::thread::id>{}(std::this_thread::get_id())));
  write(root / "v2/proc/self/cgroup", "0::/a/b\n");
  write(root / "v2/sys/fs/cgroup/a/cpu.max", "50000 100000\n");
  write(root / "v2/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
  write(root / "v1/proc/self/cgroup", "4:memory:/m\n3:cpu,cpuacct:/box\n");
  write(root / "v1/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "100000\n");
  write(root / "v1/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  write(root / "none/proc/self/cgroup", "0::/\n");
  const auto limit = [&](const char* which) {
    return gemmine::thread_limit((root / which).string());
  };
  test::check(limit("v2").threads == 1, "half a CPU is one thread");
  test::check(limit("v2").reason == "cgroup quota of 0.5 CPUs", limit("v2").reason);
  test::check(limit("v1").threads == 1, "a quota of the mount's root binds");
  test::check(limit("none").reason.find("quota") == std::string::npos, limit("none").reason);
  std::filesystem::remove_all(root);
}

}  // namespace

int main() {
  reads_quotas_of_both_cgroup_versions();
  return test::report("thread limit");
}
