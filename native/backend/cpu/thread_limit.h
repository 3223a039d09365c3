#pragma once

#include <string>

#include "core/matrix.h"

namespace gemmine::cpu {

struct ThreadLimit {
  Index threads;       // >= 1
  std::string reason;  // what decided, for people
};

// min(affinity, cgroup v1 or v2 quota, hardware). `root` stands before /proc and /sys, so that a
// test can lay out its own.
ThreadLimit thread_limit(const std::string& root = "");

}  // namespace gemmine::cpu
