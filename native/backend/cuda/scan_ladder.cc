#include "backend/cuda/scan_ladder.h"

#include <algorithm>

#include "backend/cuda/listed_scan.h"

namespace gemmine::cuda {
namespace {

constexpr Index open_capacity = 4096;  // of a list whose length nobody knows
constexpr Index spare_capacity = 256;
constexpr int widening = 8;  // times the capacity in the next round
constexpr int rounds = 2;    // of lists that a depth limits

bool is_open(const ScanQuery& query) { return query.depth == every_row || query.draw.count > 0; }

}  // namespace

ScanLadder::ScanLadder(const ScanRequest& request, std::vector<Ranking>& rankings, const Job& job)
    : request_(request),
      queries_(dynamic_cast<const CudaQueries&>(request.queries)),
      corpus_(queries_.corpus()),
      rankings_(rankings),
      job_(job),
      rows_(corpus_.device(), request, corpus_.rows().rows()) {}

// A list of all rows is never full.
Index ScanLadder::capacity(const ScanQuery& query, int round) const {
  const Index rows = corpus_.rows().rows();
  Index most = open_capacity;
  if (!is_open(query)) {
    if (query.depth + query.rejected_depth >= rows) return rows;
    most = 4 * (query.depth + query.rejected_depth) + spare_capacity;
  }
  for (int i = 0; i < round && most < rows; ++i) most *= widening;
  return std::min(most, rows);
}

bool ScanLadder::goes_on(const ScanQuery& query, int round) const {
  return round < rounds || is_open(query);
}

// Questions that share one product. Their lists have the capacity of the longest.
std::size_t ScanLadder::batch_end(const Asked& asked, std::size_t begin, int round,
                                  Index& most) const {
  const Index budget = std::min(corpus_.sizes().lists, job_.buffer_bytes);
  const Index lanes_at_most = most_lanes_of(corpus_);
  const Index filter_bytes = whole_stretches(corpus_.rows().rows()) / 8;
  Index lanes = 0, filters = 0;
  most = 0;
  std::size_t end = begin;
  for (; end < asked.size(); ++end) {
    const bool is_new = end == begin || asked[end]->query != asked[end - 1]->query;
    const Index longest = std::max(most, capacity(*asked[end], round));
    const bool is_other = end == begin || asked[end]->filter != asked[end - 1]->filter;
    filters += is_other && is_filtered(request_, *asked[end]) ? filter_bytes : 0;
    const Index lists = static_cast<Index>(end - begin + 1) * longest * Index{sizeof(Found)};
    if (end > begin && (lanes + is_new > lanes_at_most || lists + filters > budget)) break;
    lanes += is_new;
    most = longest;
  }
  return end;
}

void ScanLadder::scan(const Asked& asked, int round, RowSpan span, ColumnLists* columns,
                      Asked& full, Asked& undecided) {
  for (std::size_t begin = 0; begin < asked.size();) {
    Index longest = 0;
    const std::size_t end = batch_end(asked, begin, round, longest);
    BatchScan batch(request_, rows_, std::span(asked).subspan(begin, end - begin), longest,
                    round > 0, job_);
    batch.run(round == 0 ? "scan" : "rescan", span, columns);
    batch.rank(rankings_, full, undecided);
    begin = end;
  }
}

void ScanLadder::answer() {
  Asked all, few;
  for (const ScanQuery& query : request_.asked) all.push_back(&query);
  Asked scanned = worth_a_scan(request_, all, few);
  answer_from(0, std::move(scanned), std::move(few));
}

void ScanLadder::settle(Asked full, Asked undecided) {
  answer_from(1, std::move(full), std::move(undecided));
}

void ScanLadder::answer_from(int round, Asked asked, Asked undecided) {
  for (; !asked.empty(); ++round) {
    Asked full;
    scan(asked, round, {0, corpus_.rows().rows()}, nullptr, full, undecided);
    asked.clear();
    for (const ScanQuery* query : full)
      (goes_on(*query, round + 1) ? asked : undecided).push_back(query);
  }
  std::ranges::sort(undecided);
  rank_by_all_scores(request_, undecided, rankings_, job_);
}

}  // namespace gemmine::cuda
