#pragma once

#include <string>

#include "core/matrix.h"

namespace gemmine {

struct ThreadLimit {
  Index threads;       // >= 1
  std::string reason;  // which limit applies, for messages
};

// min(affinity, cgroup v1 or v2 quota, hardware). `root` as in cgroup_folders().
ThreadLimit thread_limit(const std::string& root = "");

}  // namespace gemmine
