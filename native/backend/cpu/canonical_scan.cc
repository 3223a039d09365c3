#include "backend/cpu/canonical_scan.h"

#include <algorithm>

#include "backend/proof/ranking.h"
#include "core/pool.h"
#include "core/row_block.h"

namespace gemmine::cpu {
namespace {

constexpr Index group_size = 8;         // queries that use a block of rows while it is in cache
constexpr Index block_bytes = 1 << 18;  // of rows
constexpr Index largest_block = 1024;   // rows
constexpr Index filtered_block = 4096;  // rows that filters are asked about at a time
constexpr Index largest_batch = 64;     // queries
constexpr Index wanted_tasks = 64;      // so that threads finish together

// Scores a batch of queries (in groups) with the corpus (in segments).
class CanonicalScan {
 public:
  CanonicalScan(const ScanRequest& request, const CpuQueries& queries,
                std::span<const ScanQuery* const> asked, const Job& job);

  void run();
  void rank(std::vector<Ranking>& rankings);

 private:
  struct Worker {
    Worker(const CpuQueries& queries, Index block)
        : scorers(group_size, scorer_of(queries)), scores(std::max(block, filtered_block)) {}
    RowScratch rows;
    std::vector<CanonicalScorer> scorers;  // [group_size]
    std::vector<double> scores;            // [block, or filtered_block]
    std::vector<std::int32_t> listed;      // rows
  };

  void walk(Index group, Index segment, Worker& worker);
  void score_filtered(Index i, Index segment, Index begin, Index end, CanonicalScorer& scorer,
                      Worker& worker);
  RankingCollector& collector(Index segment, Index i) { return collectors_[segment * size_ + i]; }

  const ScanRequest& request_;
  const RowSource& corpus_;
  std::span<const ScanQuery* const> asked_;
  const Job& job_;
  Index size_;  // queries
  Index groups_;
  Index block_;                               // rows
  Index segments_;                            // of whole blocks
  std::vector<RankingCollector> collectors_;  // [segments × queries]
  std::vector<Worker> workers_;
};

CanonicalScan::CanonicalScan(const ScanRequest& request, const CpuQueries& queries,
                             std::span<const ScanQuery* const> asked, const Job& job)
    : request_(request),
      corpus_(queries.corpus().rows()),
      asked_(asked),
      job_(job),
      size_(static_cast<Index>(asked.size())),
      groups_((size_ + group_size - 1) / group_size) {
  const Index row_bytes = corpus_.cols() * static_cast<Index>(sizeof(float));
  block_ = std::clamp<Index>(block_bytes / row_bytes / 4 * 4, 4, largest_block);
  const Index blocks = (corpus_.rows() + block_ - 1) / block_;
  segments_ = std::clamp<Index>(wanted_tasks / groups_, 1, blocks);
  for (Index segment = 0; segment < segments_; ++segment)
    for (const ScanQuery* query : asked) collectors_.emplace_back(request, *query);
  for (Index i = 0; i < worker_count(job); ++i) workers_.emplace_back(queries, block_);
}

void CanonicalScan::run() {
  parallel_for(job_, groups_ * segments_, [&](Index task, Index worker) {
    walk(task % groups_, task / groups_, workers_[worker]);
  });
}

void CanonicalScan::walk(Index group, Index segment, Worker& worker) {
  const Index first = group * group_size;
  const Index count = std::min(group_size, size_ - first);
  for (Index i = 0; i < count; ++i) worker.scorers[i].begin(asked_[first + i]->query);
  const Index blocks = (corpus_.rows() + block_ - 1) / block_;
  const Index from = segment * blocks / segments_ * block_;
  const Index to = std::min((segment + 1) * blocks / segments_ * block_, corpus_.rows());
  std::vector<Index> filtered, others;
  for (Index i = 0; i < count; ++i)
    (is_filtered(request_, *asked_[first + i]) ? filtered : others).push_back(i);
  for (Index begin = from; begin < to && !others.empty(); begin += block_) {
    const HostView<const float> block =
        corpus_.block(begin, std::min(block_, to - begin), worker.rows).dense;
    Index scored = -1;  // the query of the scores
    for (const Index i : others) {
      const Index query = asked_[first + i]->query;
      if (query != scored) worker.scorers[i].score_rows(block, begin, worker.scores.data());
      scored = query;
      collector(segment, first + i).take(begin, std::span(worker.scores).first(block.rows));
    }
  }
  for (Index begin = from; begin < to && !filtered.empty(); begin += filtered_block)
    for (const Index i : filtered)
      score_filtered(first + i, segment, begin, std::min(begin + filtered_block, to),
                     worker.scorers[i], worker);
}

// Scores the rows begin .. end − 1 that pass the filters of question i.
void CanonicalScan::score_filtered(Index i, Index segment, Index begin, Index end,
                                   CanonicalScorer& scorer, Worker& worker) {
  list_filtered(request_, *asked_[i], begin, end, worker.listed);
  scorer.score(worker.listed.data(), static_cast<Index>(worker.listed.size()),
               worker.scores.data());
  collector(segment, i).take(worker.listed, std::span(worker.scores).first(worker.listed.size()));
}

void CanonicalScan::rank(std::vector<Ranking>& rankings) {
  parallel_for(job_, size_, [&](Index i, Index) {
    RankingCollector& whole = collector(0, i);
    for (Index segment = 1; segment < segments_; ++segment) whole.merge(collector(segment, i));
    rankings[asked_[i] - request_.asked.data()] = whole.ranking();
  });
}

// Number of queries to rank at a time. All segments together hold each row at most twice, and at
// most the rows of their depths and the rows with a class.
std::size_t batch_of(std::span<const ScanQuery* const> asked, Index rows, const RowClasses& classes,
                     const Job& job) {
  const Index classed = classes.count == 0 ? 0 : classes.starts[classes.count];
  Index most = 1;
  for (const ScanQuery* query : asked)
    most = std::max(most,
                    std::min(query->depth, rows) + query->rejected_depth + 4 * query->draw.count);
  const Index held = std::min(2 * rows, wanted_tasks * (2 * most + 128)) + 2 * classed;
  const Index bytes = held * static_cast<Index>(sizeof(Scored));
  return static_cast<std::size_t>(std::clamp<Index>(job.buffer_bytes / bytes, 1, largest_batch));
}

}  // namespace

CanonicalScorer scorer_of(const CpuQueries& queries) {
  const CpuCorpus& corpus = queries.corpus();
  return CanonicalScorer(queries.rows(), queries.norms().data(), corpus.rows(),
                         corpus.centred().norms().data(), corpus.metric());
}

void scan_canonically(const ScanRequest& request, const CpuQueries& queries,
                      std::span<const ScanQuery* const> asked, std::vector<Ranking>& rankings,
                      const Job& job) {
  const std::size_t batch = batch_of(asked, queries.corpus().rows().rows(), request.classes, job);
  for (std::size_t begin = 0; begin < asked.size(); begin += batch) {
    job.progress("settle", asked[begin]->query, queries.rows().rows());
    const std::size_t count = std::min(batch, asked.size() - begin);
    CanonicalScan scan(request, queries, asked.subspan(begin, count), job);
    scan.run();
    scan.rank(rankings);
  }
}

}  // namespace gemmine::cpu
