#include "backend/cuda/scan_ladder.h"

#include <algorithm>
#include <numeric>

#include "backend/cuda/pair_scorer.h"
#include "backend/proof/ranking.h"

namespace gemmine::cuda {
namespace {

constexpr Index open_capacity = 4096;  // of a list whose length nobody knows
constexpr Index spare_capacity = 256;
constexpr int widening = 8;                // times the capacity in the next round
constexpr int rounds = 2;                  // of lists that a depth limits
constexpr Index ranked_at_once = 1 << 16;  // rows

bool is_open(const ScanQuery& query) { return query.depth == every_row || query.draw.count > 0; }

}  // namespace

ScanLadder::ScanLadder(const ScanRequest& request, const Job& job)
    : request_(request),
      queries_(dynamic_cast<const CudaQueries&>(request.queries)),
      corpus_(queries_.corpus()),
      job_(job),
      rows_(corpus_.device(), request, corpus_.rows().rows()),
      rankings_(request.asked.size()) {}

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
  const ScanSizes& sizes = corpus_.sizes();
  const Index budget = std::min(sizes.lists, job_.buffer_bytes);
  const Index lane_bytes = corpus_.rows().cols() * Index{sizeof(float) + sizeof(std::uint16_t)} +
                           32 * Index{sizeof(float)};
  const Index lanes_at_most =
      std::clamp<Index>(std::min(sizes.rows, sizes.scores) / lane_bytes, 1, sizes.lanes);
  Index lanes = 0;
  most = 0;
  std::size_t end = begin;
  for (; end < asked.size(); ++end) {
    const bool is_new = end == begin || asked[end]->query != asked[end - 1]->query;
    const Index longest = std::max(most, capacity(*asked[end], round));
    const Index lists = static_cast<Index>(end - begin + 1) * longest * Index{sizeof(Found)};
    if (end > begin && (lanes + is_new > lanes_at_most || lists > budget)) break;
    lanes += is_new;
    most = longest;
  }
  return end;
}

void ScanLadder::scan(const Asked& asked, int round, Asked& full, Asked& undecided) {
  for (std::size_t begin = 0; begin < asked.size();) {
    Index longest = 0;
    const std::size_t end = batch_end(asked, begin, round, longest);
    BatchScan batch(request_, rows_, std::span(asked).subspan(begin, end - begin), longest,
                    round > 0, job_);
    batch.run(round == 0 ? "scan" : "rescan");
    batch.rank(rankings_, full, undecided);
    begin = end;
  }
}

std::vector<Ranking> ScanLadder::answer() {
  Asked asked, undecided;
  for (const ScanQuery& query : request_.asked) asked.push_back(&query);
  for (int round = 0; !asked.empty(); ++round) {
    Asked full;
    scan(asked, round, full, undecided);
    asked.clear();
    for (const ScanQuery* query : full)
      (goes_on(*query, round + 1) ? asked : undecided).push_back(query);
  }
  std::ranges::sort(undecided);
  scan_canonically(undecided);
  return std::move(rankings_);
}

void ScanLadder::scan_canonically(const Asked& asked) {
  for (std::size_t begin = 0, end = 0; begin < asked.size(); begin = end) {
    while (end < asked.size() && asked[end]->query == asked[begin]->query) ++end;
    job_.progress("settle", asked[begin]->query, queries_.rows().rows());
    rank_all_rows(std::span(asked).subspan(begin, end - begin));
  }
}

void ScanLadder::rank_all_rows(std::span<const ScanQuery* const> about_one) {
  const Index all = corpus_.rows().rows();
  std::vector<RankingCollector> collectors;
  for (const ScanQuery* query : about_one) collectors.emplace_back(request_, *query);
  const PairScorer scorer(corpus_, queries_.rows());
  const auto row = static_cast<std::int32_t>(about_one.front()->query);
  std::vector<std::int32_t> rows(static_cast<std::size_t>(std::min(all, ranked_at_once)));
  std::vector<double> scores(rows.size());
  for (Index first = 0; first < all; first += ranked_at_once) {
    const auto count = static_cast<std::int32_t>(std::min(ranked_at_once, all - first));
    std::iota(rows.begin(), rows.begin() + count, static_cast<std::int32_t>(first));
    const std::int32_t indptr[] = {0, count};
    scorer.score({&row, 1}, {indptr, rows.data()}, scores.data(), job_);
    for (RankingCollector& each : collectors)
      each.take(first, std::span(scores).first(static_cast<std::size_t>(count)));
  }
  for (std::size_t i = 0; i < collectors.size(); ++i)
    rankings_[about_one[i] - request_.asked.data()] = collectors[i].ranking();
}

}  // namespace gemmine::cuda
