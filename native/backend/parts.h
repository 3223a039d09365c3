#pragma once

#include <algorithm>
#include <iterator>

#include "backend/scans.h"

// Cuts jobs of many queries into parts, because a request's buffers must fit in memory.
namespace gemmine {

// All rows of a corpus against itself are one request if they fit in memory.
inline Index request_budget(const RowSource& queries, const CorpusHandle& corpus, Index depth,
                            const Job& job) {
  const bool joins = same_rows(queries, corpus.rows()) &&
                     join_bytes(queries.rows(), queries.cols(), depth) <= largest_join(job);
  return joins ? std::numeric_limits<Index>::max() : job.buffer_bytes;
}

// The answers of `scan(part, ...)` to all parts of a request.
template <class Scan>
std::vector<Ranking> scan_in_parts(const ScanRequest& request, const Job& job, Scan scan) {
  const RowSource& rows = request.queries.rows();
  Index depth = 0;
  for (const ScanQuery& query : request.asked) depth = std::max(depth, query.depth);
  const Index budget = request_budget(rows, request.queries.corpus(), depth, job);
  std::vector<Ranking> rankings;
  for (std::size_t begin = 0, end = 0; begin < request.asked.size(); begin = end) {
    for (Index bytes = 0; end < request.asked.size() && bytes <= budget; ++end)
      bytes += scan_bytes(request.asked[end], rows.cols(), request.classes);
    ScanRequest part = request;
    part.asked = request.asked.subspan(begin, end - begin);
    part.more = request.more || end < request.asked.size();
    std::ranges::move(scan(part), std::back_inserter(rankings));
  }
  return rankings;
}

}  // namespace gemmine
