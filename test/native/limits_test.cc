// Limits of the system: memory of containers, address space, threads.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "check.h"
#include "core/available_memory.h"
#include "core/linear_algebra.h"
#include "core/pool.h"
#include "core/threads.h"

namespace {

using gemmine::Error;
using gemmine::ErrorCode;
using gemmine::Index;

constexpr double MiB = 1 << 20;

// A folder with files of one's own in the place of /proc and /sys.
class Machine {
 public:
  Machine() : root_(std::filesystem::temp_directory_path() / name()) {
    write("proc/meminfo", "MemTotal: 4194304 kB\nMemFree: 100 kB\nMemAvailable:    2097152 kB\n");
  }
  ~Machine() { std::filesystem::remove_all(root_); }

  Machine& write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
    return *this;
  }
  double available() const { return gemmine::available_memory(root_.string()).value_or(-1) / MiB; }

 private:
  static std::string name() { return "gemmine-machine-" + std::to_string(::getpid()); }
  std::filesystem::path root_;
};

std::string bytes(double mebibytes) { return std::to_string(static_cast<long>(mebibytes * MiB)); }

void counts_the_page_cache_of_a_container_as_available() {
  Machine v2;
  v2.write("proc/self/cgroup", "0::/box\n")
      .write("sys/fs/cgroup/box/memory.max", bytes(600) + "\n")
      .write("sys/fs/cgroup/box/memory.current", bytes(599) + "\n")
      .write("sys/fs/cgroup/box/memory.stat", "anon 1\nfile 2\nslab_reclaimable " + bytes(10) +
                                                  "\ninactive_file " + bytes(500) +
                                                  "\nactive_file " + bytes(20) + "\n");
  test::near(v2.available(), 531, 1e-9, "version 2");
  Machine v1;
  v1.write("proc/self/cgroup", "9:name=systemd:/\n4:memory:/box\n1:cpu:/\n0::/\n")
      .write("sys/fs/cgroup/memory/box/memory.limit_in_bytes", bytes(600))
      .write("sys/fs/cgroup/memory/box/memory.usage_in_bytes", bytes(600))
      .write("sys/fs/cgroup/memory/box/memory.stat", "inactive_file 3\ntotal_inactive_file " +
                                                         bytes(400) + "\ntotal_active_file " +
                                                         bytes(50) + "\n");
  test::near(v1.available(), 450, 1e-9, "version 1");
}

void is_bound_by_the_strictest_group_above() {
  Machine v2;
  v2.write("proc/self/cgroup", "0::/a/b\n")
      .write("sys/fs/cgroup/a/memory.max", bytes(100))
      .write("sys/fs/cgroup/a/memory.current", bytes(90))
      .write("sys/fs/cgroup/a/memory.stat", "inactive_file " + bytes(30))
      .write("sys/fs/cgroup/a/b/memory.max", "max")
      .write("sys/fs/cgroup/a/b/memory.high", bytes(300))
      .write("sys/fs/cgroup/a/b/memory.current", bytes(90));
  test::near(v2.available(), 40, 1e-9, "the group above");
  v2.write("sys/fs/cgroup/a/b/memory.high", bytes(110));
  test::near(v2.available(), 20, 1e-9, "memory.high of its own");
  Machine mounted;  // a container's mount shows its own group as the root
  mounted.write("proc/self/cgroup", "4:memory:/docker/0123\n")
      .write("sys/fs/cgroup/memory/memory.limit_in_bytes", bytes(64))
      .write("sys/fs/cgroup/memory/memory.usage_in_bytes", bytes(80));
  test::near(mounted.available(), 0, 0, "nothing is left above the limit");
}

void knows_the_machine_where_no_group_binds() {
  Machine free;
  test::near(free.available(), 2048, 0, "without cgroups");
  free.write("proc/self/cgroup", "0::/\n")
      .write("sys/fs/cgroup/memory.max", "max\n")
      .write("sys/fs/cgroup/memory.current", bytes(5));
  test::near(free.available(), 2048, 0, "without a limit");
  free.write("proc/meminfo", "MemTotal: 4194304 kB\n");
  test::near(free.available() * MiB, -1, 0, "nothing where the system does not tell");
}

#ifdef __linux__

Index number_of_own(const char* name) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(name)) return std::stol(line.substr(line.find(':') + 1));
  return 0;
}

// Runs `body` under a limit of the process.
template <class Body>
void limited(decltype(RLIMIT_AS) resource, Index limit, Body body) {
  rlimit before{};
  ::getrlimit(resource, &before);
  const rlimit lowered{static_cast<rlim_t>(limit), before.rlim_max};
  ::setrlimit(resource, &lowered);
  body();
  ::setrlimit(resource, &before);
}

template <class Body>
void fails(Body body, ErrorCode code, const char* told, const char* what) {
  test::throws<Error>(
      body,
      [&](const Error& error) {
        test::check(error.code == code, std::string(what) + ": the code");
        test::check(std::string(error.what()).find(told) != std::string::npos, error.what());
      },
      what);
}

Index address_space(Index room) { return (number_of_own("VmSize") << 10) + room; }

void a_product_without_address_space_for_its_buffers_fails_and_a_later_one_does_not() {
  double A[] = {1, 2, 3, 4};
  double C[4];
  const auto product = [&] {
    gemmine::multiply_at_a({A, 2, 2, 2}, {C, 2, 2, 2}, gemmine::Into::replace);
  };
  limited(RLIMIT_AS, address_space(Index{200} << 20), [&] {
    fails(product, ErrorCode::out_of_memory, "MiB of address space", "too few for three threads");
  });
  product();
  test::near(C[0], 10, 0, "once there is room");
  limited(RLIMIT_AS, address_space(Index{16} << 20), product);
  test::near(C[0], 10, 0, "buffers once taken stay");
}

void a_limit_on_address_space_is_a_limit_on_memory() {
  limited(RLIMIT_AS, address_space(Index{100} << 20), [&] {
    const double left = gemmine::available_memory().value_or(-1) / MiB;
    test::near(left, 100, 1, "what the process has not mapped yet");
  });
}

void a_thread_without_address_space_for_its_stack_is_no_limit_on_threads() {
  limited(RLIMIT_AS, address_space(Index{1} << 20), [] {
    fails([] { gemmine::start_thread([] {}).join(); }, ErrorCode::out_of_memory, "address space",
          "a stack of 8 MiB");
  });
}

// In a process of its own, as a user without other processes: root is not bound by the limit.
template <class Body>
void under_a_limit_on_threads(Index further, Body body) {
  if (::getuid() != 0) {
    std::puts("limits: skipped what needs root: limits on threads count all processes of a user");
    return;
  }
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    test::check(::setuid(3'141'592) == 0, "a user of its own");
    // The thread sanitizer starts a thread of its own beside the first thread of a process.
    std::thread([] {}).join();
    limited(RLIMIT_NPROC, number_of_own("Threads") + further, body);
    ::_exit(test::failures);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  test::check(status == 0, "the process under the limit, status " + std::to_string(status));
}

void a_refused_thread_names_the_limit_on_threads() {
  under_a_limit_on_threads(0, [] {
    fails([] { gemmine::start_thread([] {}).join(); }, ErrorCode::busy, "limit on threads",
          "no thread at all");
    fails([] { gemmine::start_pool(); }, ErrorCode::busy, "limit on threads", "no pool");
  });
}

void threads_that_were_tried_leave_room_for_as_many_at_once() {
  under_a_limit_on_threads(3, [] {
    fails([] { gemmine::try_threads(4); }, ErrorCode::busy, "limit on threads", "one too many");
    for (int attempt = 0; attempt < 100; ++attempt) gemmine::try_threads(3);
  });
}

void the_pool_works_with_what_threads_it_gets() {
  under_a_limit_on_threads(1, [] {
    const gemmine::Job job{.cancellation = {}, .report = {}, .threads = 3};
    Index sum = 0;
    gemmine::parallel_for(job, 100, [&](Index i, Index) { sum += i; });
    test::check(sum == 4950, "one thread of three does it all");
    gemmine::stop_pool();
  });
}

#endif

}  // namespace

int main() {
  counts_the_page_cache_of_a_container_as_available();
  is_bound_by_the_strictest_group_above();
  knows_the_machine_where_no_group_binds();
  gemmine::set_pool_threads(3);
#ifdef __linux__
  a_refused_thread_names_the_limit_on_threads();  // before there is a second thread: it forks
  threads_that_were_tried_leave_room_for_as_many_at_once();
  the_pool_works_with_what_threads_it_gets();
  a_limit_on_address_space_is_a_limit_on_memory();
  a_thread_without_address_space_for_its_stack_is_no_limit_on_threads();
  a_product_without_address_space_for_its_buffers_fails_and_a_later_one_does_not();
#endif
  return test::report("limits");
}
