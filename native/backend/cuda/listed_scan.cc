#include "backend/cuda/listed_scan.h"

#include <algorithm>
#include <span>

#include "backend/cuda/pair_scorer.h"
#include "backend/proof/ranking.h"

namespace gemmine::cuda {
namespace {

constexpr Index scored_at_once = 1 << 16;  // pairs

// Questions with the same list of rows to score.
struct Group {
  std::span<const ScanQuery* const> asked;
  std::vector<RankingCollector> collectors;  // [asked]
};

bool share_scores(const ScanQuery& a, const ScanQuery& b) {
  return a.query == b.query && a.filter == b.filter;
}

class ListedScan {
 public:
  ListedScan(const ScanRequest& request, std::vector<Ranking>& rankings, const Job& job)
      : request_(request),
        queries_(dynamic_cast<const CudaQueries&>(request.queries)),
        rankings_(rankings),
        job_(job) {}

  void add(std::span<const ScanQuery* const> asked) {
    if (rows_.empty()) rank();
    Group& group = groups_.emplace_back(asked, std::vector<RankingCollector>());
    for (const ScanQuery* query : asked) group.collectors.emplace_back(request_, *query);
    const Index all = queries_.corpus().rows().rows();
    std::vector<std::int32_t> listed;
    for (Index first = 0; first < all; first += scored_at_once) {
      list_filtered(request_, *asked.front(), first, std::min(first + scored_at_once, all), listed);
      if (listed.empty()) continue;
      rows_.insert(rows_.end(), listed.begin(), listed.end());
      indptr_.push_back(static_cast<std::int32_t>(rows_.size()));
      of_query_.push_back(static_cast<std::int32_t>(asked.front()->query));
      of_group_.push_back(groups_.size() - 1);
      if (static_cast<Index>(rows_.size()) >= scored_at_once) score();
    }
  }
  void finish() {
    score();
    rank();
  }

 private:
  void score() {
    std::vector<double> scores(rows_.size());
    PairScorer(queries_.corpus(), queries_.rows())
        .score(of_query_, {indptr_.data(), rows_.data()}, scores.data(), job_);
    for (std::size_t i = 0; i < of_group_.size(); ++i) {
      const auto begin = static_cast<std::size_t>(indptr_[i]);
      const auto count = static_cast<std::size_t>(indptr_[i + 1]) - begin;
      for (RankingCollector& each : groups_[of_group_[i]].collectors)
        each.take(std::span(rows_).subspan(begin, count), std::span(scores).subspan(begin, count));
    }
    rows_.clear();
    indptr_.assign(1, 0);
    of_query_.clear();
    of_group_.clear();
  }
  void rank() {
    for (Group& group : groups_)
      for (std::size_t i = 0; i < group.asked.size(); ++i)
        rankings_[group.asked[i] - request_.asked.data()] = group.collectors[i].ranking();
    groups_.clear();
  }

  const ScanRequest& request_;
  const CudaQueries& queries_;
  std::vector<Ranking>& rankings_;
  const Job& job_;
  std::vector<Group> groups_;
  // Lists of rows that wait for their scores.
  std::vector<std::int32_t> rows_, indptr_{0};
  std::vector<std::int32_t> of_query_;  // [lists]
  std::vector<std::size_t> of_group_;   // [lists]
};

}  // namespace

void rank_by_all_scores(const ScanRequest& request, const Asked& asked,
                        std::vector<Ranking>& rankings, const Job& job) {
  ListedScan scan(request, rankings, job);
  for (std::size_t begin = 0, end = 0; begin < asked.size(); begin = end) {
    while (end < asked.size() && share_scores(*asked[begin], *asked[end])) ++end;
    job.progress("settle", asked[begin]->query, request.queries.rows().rows());
    scan.add(std::span(asked).subspan(begin, end - begin));
  }
  scan.finish();
}

}  // namespace gemmine::cuda
