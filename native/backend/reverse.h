#pragma once

#include <cstring>
#include <utility>

#include "core/job.h"

namespace gemmine {

// The job with separate names for its phases, because a search with exchanged sides has other
// totals than the search in the original direction.
inline Job in_reverse(const Job& job) {
  if (!job.report) return job;
  Job reverse = job;
  reverse.report = [report = job.report](Progress progress) {
    constexpr std::pair<const char*, const char*> names[] = {{"prepare", "reverse prepare"},
                                                             {"measure", "reverse measure"},
                                                             {"scan", "reverse scan"},
                                                             {"rescan", "reverse rescan"},
                                                             {"settle", "reverse settle"}};
    for (const auto& [name, reversed] : names)
      if (std::strcmp(progress.phase, name) == 0) progress.phase = reversed;
    report(progress);
  };
  return reverse;
}

}  // namespace gemmine
