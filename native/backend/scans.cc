#include "backend/scans.h"

#include "backend/parts.h"
#include "backend/reverse.h"

namespace gemmine {

std::unique_ptr<CorpusHandle> Scans::change_corpus(const RowSource& rows,
                                                   const CorpusChange& change, const Job& job) {
  return prepare_corpus(rows, change.before.metric(), true, job);
}

std::unique_ptr<CorpusHandle> Scans::unpack_corpus(const RowSource& rows, Metric metric,
                                                   const Packing&, const std::byte*,
                                                   const Job& job) {
  return prepare_corpus(rows, metric, true, job);
}

LiveRequest::LiveRequest(const ScanRequest& request) : request_(request) {
  const CorpusHandle& corpus = request.queries.corpus();
  const RowFilter live = corpus.live();
  if (!live.is_set()) return;
  live_.emplace(request);
  live_->filter = live;
  if (!request.filter.is_set() || request.filter == live) return;
  for (Index row = 0; row < corpus.rows().rows(); row += 32)
    words_.push_back(live.from(row) & request.filter.from(row));
  live_->filter = {.words = words_.data()};
}

BothWays Scans::column_top(const ScanRequest& request, const ScanRequest& reverse, const Job& job) {
  const auto answers = [&](const ScanRequest& all, const Job& by) {
    std::vector<ScanQuery> asked;
    for (const ScanQuery& query : all.asked)
      if (query.depth > 0) asked.push_back(query);
    ScanRequest some = all;
    some.asked = asked;
    auto found = scan_in_parts(some, by, [&](const ScanRequest& part) { return scan(part, by); });
    if (asked.size() == all.asked.size()) return found;
    std::vector<Ranking> rankings(all.asked.size());
    for (std::size_t i = 0, next = 0; i < rankings.size(); ++i)
      if (all.asked[i].depth > 0) rankings[i] = std::move(found[next++]);
    return rankings;
  };
  return {.queries = answers(request, job), .rows = answers(reverse, in_reverse(job))};
}

}  // namespace gemmine
