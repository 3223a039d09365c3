#include "mining/max_sim.h"

#include <algorithm>

#include "mining/batches.h"

namespace gemmine {
namespace {

// The end of the queries from `begin` that fit in memory together.
Index end_of_request(const MaxSimOptions& options, Index begin, Index cols, const Job& job) {
  const Index depth = std::min(options.k, options.documents.count);
  const Index filter = options.choice.is_common() ? 0 : options.documents.count / 8;
  const Index list = scan_bytes({.query = 0, .depth = depth}, 0, {}) + filter;
  Index bytes = 0, end = begin;
  while (end < options.queries.count && bytes <= job.buffer_bytes)
    bytes += list + options.queries.size(end++) * (cols * Index{sizeof(float)} + 512);
  return end;
}

}  // namespace

Proof max_sim(Scans& scans, const RowSource& queries, const CorpusHandle& corpus,
              const MaxSimOptions& options, std::int32_t* indices, float* scores, const Job& job) {
  const auto handle = scans.prepare_queries(queries, corpus, job);
  const Index depth = std::min(options.k, options.documents.count);
  Index fallback = 0;
  RowFilters filters(options.choice, options.documents.count);
  for (Index begin = 0; begin < options.queries.count;) {
    const Index end = end_of_request(options, begin, queries.cols(), job);
    std::vector<RowFilter> of_query;
    for (Index query = begin; query < end && options.choice.is_set(); ++query)
      of_query.push_back(filters.of(query));
    const SegmentMaxRequest request{.queries = *handle,
                                    .query_segments = options.queries,
                                    .corpus_segments = options.documents,
                                    .begin = begin,
                                    .count = end - begin,
                                    .depth = depth,
                                    .bound_factor = 1.0,
                                    .more = end < options.queries.count,
                                    .rows = corpus.live(),
                                    .of_query = of_query};
    for (const BestSegments& each : scans.segment_max(request, job)) {
      fallback += each.rescanned;
      write_row(each.best, options.k, indices + begin * options.k, scores + begin * options.k);
      ++begin;
    }
    filters.clear();
  }
  return {.certified = options.queries.count - fallback,
          .fallback = fallback,
          .zero_queries = handle->zero_rows(),
          .zero_rows = corpus.zero_rows()};
}

}  // namespace gemmine
