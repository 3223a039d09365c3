#pragma once

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "backend/parts.h"
#include "mining/mine.h"

namespace gemmine {

// Refuses what one query needs, or another thing that cannot be cut, if it exceeds the budget of
// its job, which holds eight shares.
inline void check_fits(Index bytes, const Job& job,
                       const std::string& what = "The lists of one query") {
  if (job.buffer_bytes == most_buffer_bytes || bytes <= 4 * job.buffer_bytes) return;
  throw Error(ErrorCode::out_of_memory, what + " need about " + std::to_string(bytes) +
                                            " bytes of memory, and its budget has " +
                                            std::to_string(4 * job.buffer_bytes) + " for them");
}

// Cuts a job's queries into requests with buffers that fit in memory. `ask` returns the question
// about a query, or nothing; `run` gets questions, and whether more requests may follow.
template <class Bytes, class Ask, class Run>
void for_batches(Index queries, Index budget, const Job& job, Bytes bytes_of, Ask ask, Run run) {
  using Asked = typename std::invoke_result_t<Ask, Index>::value_type;
  std::vector<Asked> asked;
  Index bytes = 0;
  const auto flush = [&](bool more) {
    if (!asked.empty()) run(asked, more);
    asked.clear();
    bytes = 0;
  };
  for (Index query = 0; query < queries; ++query) {
    std::optional<Asked> next = ask(query);
    if (!next) continue;
    const Index needed = bytes_of(*next);
    check_fits(needed, job);
    bytes += needed;
    asked.push_back(std::move(*next));
    if (bytes > budget) flush(query + 1 < queries);
  }
  flush(false);
}

// The rows that a list excludes for one query, and the row that is the query itself.
inline std::vector<std::int32_t> barred_rows(const RowLists& exclude, const SelfRows& self_rows,
                                             Index query) {
  const auto excluded = list_of(exclude, query);
  std::vector<std::int32_t> rows(excluded.begin(), excluded.end());
  const std::int32_t self = self_rows.of(query);
  if (self == -1) return rows;
  const auto at = std::lower_bound(rows.begin(), rows.end(), self);
  if (at == rows.end() || *at != self) rows.insert(at, self);
  return rows;
}

// A canonical score in the form of answers: rounded once, infinite outside the range of float32,
// never −0.
inline float answer_score(double score) { return static_cast<float>(score) + 0.0f; }

// Writes the k best rows of a query, padded with −1 and NaN.
inline void write_row(const std::vector<Scored>& best, Index k, std::int32_t* indices,
                      float* scores) {
  const auto found = std::min(k, static_cast<Index>(best.size()));
  for (Index i = 0; i < found; ++i) {
    indices[i] = best[i].row;
    scores[i] = answer_score(best[i].score);
  }
  std::fill(indices + found, indices + k, -1);
  std::fill(scores + found, scores + k, std::numeric_limits<float>::quiet_NaN());
}

}  // namespace gemmine
