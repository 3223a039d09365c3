#include "backend/cuda/cuda_scans.h"

#include <numeric>
#include <optional>

#include "backend/cuda/column_top.h"
#include "backend/cuda/document_scan.h"
#include "backend/cuda/log_sum_scan.h"
#include "backend/cuda/pair_scorer.h"
#include "backend/cuda/scan_ladder.h"

namespace gemmine::cuda {
namespace {

const CudaQueries& own(const QueryHandle& queries) {
  return dynamic_cast<const CudaQueries&>(queries);
}

class CudaScans : public Scans {
 public:
  CudaScans(std::shared_ptr<Device> device, Scans& host, std::optional<ScanSizes> sizes)
      : device_(std::move(device)), host_(host), sizes_(sizes) {}

  std::unique_ptr<CorpusHandle> prepare_corpus(const RowSource& rows, Metric metric, bool,
                                               const Job& job) override {
    return prepared(rows, metric, job);
  }
  // Prepares all rows again. Scans among the rows that were not removed have a filter.
  std::unique_ptr<CorpusHandle> change_corpus(const RowSource& rows, const CorpusChange& change,
                                              const Job& job) override {
    auto corpus = prepared(rows, change.before.metric(), job);
    if (change.live_rows < rows.rows()) corpus->set_live(change.live);
    return corpus;
  }
  std::unique_ptr<QueryHandle> prepare_queries(const RowSource& rows, const CorpusHandle& corpus,
                                               const Job& job) override {
    const auto& searched = dynamic_cast<const CudaCorpus&>(corpus);
    return std::make_unique<CudaQueries>(rows, searched,
                                         host_.prepare_queries(rows, searched.host(), job));
  }
  std::vector<std::uint64_t> checksums(const RowSource& rows, const Job& job) override {
    return host_.checksums(rows, job);
  }
  void score_pairs(const QueryHandle& queries, const RowLists& lists, double* scores,
                   const Job& job) override {
    if (lists.indptr == nullptr) return;
    std::vector<std::int32_t> asked(static_cast<std::size_t>(queries.rows().rows()));
    std::iota(asked.begin(), asked.end(), 0);
    PairScorer(own(queries).corpus(), queries.rows()).score(asked, lists, scores, job);
  }
  void score_rows(const CorpusHandle& corpus, std::span<const std::int32_t> asked,
                  const RowLists& lists, double* scores, const Job& job) override {
    PairScorer(dynamic_cast<const CudaCorpus&>(corpus), corpus.rows())
        .score(asked, lists, scores, job);
  }
  std::vector<Ranking> scan(const ScanRequest& request, const Job& job) override {
    const LiveRequest live(request);
    std::vector<Ranking> rankings(request.asked.size());
    ScanLadder(live.get(), rankings, job).answer();
    return rankings;
  }
  BothWays column_top(const ScanRequest& request, const ScanRequest& reverse,
                      const Job& job) override {
    if (shares_tiles(request, reverse)) return cuda::column_top(request, reverse, job);
    return Scans::column_top(request, reverse, job);
  }
  std::vector<BestSegments> segment_max(const SegmentMaxRequest& request, const Job& job) override {
    if (!request.rows.is_set() && request.of_query.empty()) return cuda::segment_max(request, job);
    const SegmentMaxRequest on_host{.queries = own(request.queries).host(),
                                    .query_segments = request.query_segments,
                                    .corpus_segments = request.corpus_segments,
                                    .begin = request.begin,
                                    .count = request.count,
                                    .depth = request.depth,
                                    .bound_factor = request.bound_factor,
                                    .more = request.more,
                                    .rows = request.rows,
                                    .of_query = request.of_query};
    return host_.segment_max(on_host, job);
  }
  std::vector<BoundedValue> log_sum_exp(const LogSumExpRequest& request, const Job& job) override {
    if (request.of_query.empty()) return cuda::log_sum_exp(request, job);
    return host_.log_sum_exp({.queries = own(request.queries).host(),
                              .begin = request.begin,
                              .count = request.count,
                              .temperature = request.temperature,
                              .more = request.more,
                              .filter = request.filter,
                              .of_query = request.of_query},
                             job);
  }

 private:
  std::unique_ptr<CudaCorpus> prepared(const RowSource& rows, Metric metric, const Job& job) {
    auto host = host_.prepare_corpus(rows, metric, false, job);
    const ScanSizes sizes = sizes_ ? *sizes_ : scan_sizes(device_->describe().free);
    return std::make_unique<CudaCorpus>(device_, rows, std::move(host), sizes, job);
  }

  std::shared_ptr<Device> device_;
  Scans& host_;
  std::optional<ScanSizes> sizes_;
};

}  // namespace

std::unique_ptr<Scans> make_scans(std::shared_ptr<Device> device, Scans& host) {
  return std::make_unique<CudaScans>(std::move(device), host, std::nullopt);
}

std::unique_ptr<Scans> make_scans(std::shared_ptr<Device> device, Scans& host,
                                  const ScanSizes& sizes) {
  return std::make_unique<CudaScans>(std::move(device), host, sizes);
}

}  // namespace gemmine::cuda
