#pragma once

#include <vector>

#include "backend/backend.h"

namespace gemmine {

// Cuts a job's queries into requests whose buffers fit in memory; each request reads the corpus
// once.
template <class Bytes, class Ask, class Run>
void for_batches(Index queries, Bytes bytes_of, Ask ask, Run run) {
  constexpr Index budget = Index{256} << 20;
  std::vector<ScanQuery> asked;
  Index bytes = 0;
  const auto flush = [&] {
    if (!asked.empty()) run(asked);
    asked.clear();
    bytes = 0;
  };
  for (Index query = 0; query < queries; ++query) {
    const std::optional<ScanQuery> next = ask(query);
    if (!next) continue;
    asked.push_back(*next);
    bytes += bytes_of(*next);
    if (bytes > budget) flush();
  }
  flush();
}

// A canonical score as answers hold it: rounded once, beyond float32's range infinite, never −0.
inline float answer_score(double score) { return static_cast<float>(score) + 0.0f; }

}  // namespace gemmine
