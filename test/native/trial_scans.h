#pragma once

#include <algorithm>
#include <vector>

#include "backend/cpu/column_top.h"
#include "backend/cpu/log_sum_exp.h"
#include "backend/cpu/scan.h"
#include "backend/cpu/scan_corpus.h"
#include "backend/cpu/segment_max.h"

namespace test {

using gemmine::Index;

// The CPU's scans with what a test wants to see: another bound or format, requests cut into pieces.
class TrialScans : public gemmine::Scans {
 public:
  double bound_factor = 1.0;
  Index piece = 0;  // queries in a request; 0: as they come
  const gemmine::cpu::ScanFormat* format = &gemmine::cpu::first_format();

  std::unique_ptr<gemmine::CorpusHandle> prepare_corpus(const gemmine::RowSource& rows,
                                                        gemmine::Metric metric, bool keep_panels,
                                                        const gemmine::Job& job) override {
    return std::make_unique<gemmine::cpu::CpuCorpus>(rows, metric, *format, keep_panels, job);
  }
  std::unique_ptr<gemmine::QueryHandle> prepare_queries(const gemmine::RowSource& rows,
                                                        const gemmine::CorpusHandle& corpus,
                                                        const gemmine::Job& job) override {
    return gemmine::cpu::prepare_queries(rows, corpus, job);
  }
  std::vector<std::uint64_t> checksums(const gemmine::RowSource& rows,
                                       const gemmine::Job& job) override {
    return gemmine::cpu::checksums(rows, job);
  }
  void score_pairs(const gemmine::QueryHandle& queries, const gemmine::RowLists& lists,
                   double* scores, const gemmine::Job& job) override {
    gemmine::cpu::score_pairs(queries, lists, scores, job);
  }
  void score_rows(const gemmine::CorpusHandle& corpus, std::span<const std::int32_t> asked,
                  const gemmine::RowLists& lists, double* scores,
                  const gemmine::Job& job) override {
    gemmine::cpu::score_rows(corpus, asked, lists, scores, job);
  }
  std::vector<gemmine::Ranking> scan(const gemmine::ScanRequest& request,
                                     const gemmine::Job& job) override {
    std::vector<gemmine::Ranking> rankings;
    const auto all = static_cast<Index>(request.asked.size());
    const Index step = piece > 0 ? piece : std::max<Index>(all, 1);
    for (Index begin = 0; begin < all; begin += step) {
      gemmine::ScanRequest part = request;
      part.asked = request.asked.subspan(begin, std::min(step, all - begin));
      part.bound_factor = bound_factor;
      part.more = request.more || begin + step < all;
      for (auto& each : gemmine::cpu::scan(part, job)) rankings.push_back(std::move(each));
    }
    return rankings;
  }
  gemmine::BothWays column_top(const gemmine::ScanRequest& request,
                               const gemmine::ScanRequest& reverse,
                               const gemmine::Job& job) override {
    gemmine::ScanRequest forth = request, back = reverse;
    forth.bound_factor = back.bound_factor = bound_factor;
    if (gemmine::cpu::is_join(forth, back, job)) return gemmine::cpu::column_top(forth, back, job);
    return Scans::column_top(forth, back, job);
  }
  std::vector<gemmine::BestSegments> segment_max(const gemmine::SegmentMaxRequest& request,
                                                 const gemmine::Job& job) override {
    gemmine::SegmentMaxRequest trial = request;
    trial.bound_factor = bound_factor;
    return gemmine::cpu::segment_max(trial, job);
  }
  std::vector<gemmine::BoundedValue> log_sum_exp(const gemmine::LogSumExpRequest& request,
                                                 const gemmine::Job& job) override {
    return gemmine::cpu::log_sum_exp(request, job);
  }
};

}  // namespace test
