#include "backend/cpu/cpu_scans.h"

#include "backend/cpu/column_top.h"
#include "backend/cpu/log_sum_exp.h"
#include "backend/cpu/scan.h"
#include "backend/cpu/segment_max.h"

namespace gemmine::cpu {
namespace {

class CpuScans : public Scans {
 public:
  std::unique_ptr<CorpusHandle> prepare_corpus(const RowSource& rows, Metric metric,
                                               bool keep_panels, const Job& job) override {
    return cpu::prepare_corpus(rows, metric, keep_panels, job);
  }
  std::unique_ptr<CorpusHandle> unpack_corpus(const RowSource& rows, Metric metric,
                                              const Packing& packing, const std::byte* packed,
                                              const Job& job) override {
    return cpu::unpack_corpus(rows, metric, packing, packed, job);
  }
  std::unique_ptr<CorpusHandle> change_corpus(const RowSource& rows, const CorpusChange& change,
                                              const Job& job) override {
    return cpu::change_corpus(rows, change, job);
  }
  std::unique_ptr<QueryHandle> prepare_queries(const RowSource& rows, const CorpusHandle& corpus,
                                               const Job& job) override {
    return cpu::prepare_queries(rows, corpus, job);
  }
  std::vector<std::uint64_t> checksums(const RowSource& rows, const Job& job) override {
    return cpu::checksums(rows, job);
  }
  void score_pairs(const QueryHandle& queries, const RowLists& lists, double* scores,
                   const Job& job) override {
    cpu::score_pairs(queries, lists, scores, job);
  }
  void score_rows(const CorpusHandle& corpus, std::span<const std::int32_t> asked,
                  const RowLists& lists, double* scores, const Job& job) override {
    cpu::score_rows(corpus, asked, lists, scores, job);
  }
  std::vector<Ranking> scan(const ScanRequest& request, const Job& job) override {
    return cpu::scan(request, job);
  }
  BothWays column_top(const ScanRequest& request, const ScanRequest& reverse,
                      const Job& job) override {
    if (is_join(request, reverse, job)) return cpu::column_top(request, reverse, job);
    return Scans::column_top(request, reverse, job);
  }
  std::vector<BestSegments> segment_max(const SegmentMaxRequest& request, const Job& job) override {
    return cpu::segment_max(request, job);
  }
  std::vector<BoundedValue> log_sum_exp(const LogSumExpRequest& request, const Job& job) override {
    return cpu::log_sum_exp(request, job);
  }
};

}  // namespace

std::unique_ptr<Scans> make_scans() { return std::make_unique<CpuScans>(); }

}  // namespace gemmine::cpu
