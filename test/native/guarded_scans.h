#pragma once

#include "guarded_memory.h"
#include "naive_scans.h"

namespace test {

// The naive scans over memory that host code cannot touch: as with a GPU, an access to prepared
// rows by other code ends the process, and so does a scan of rows that another device prepared.
class GuardedScans : public NaiveScans {
 public:
  std::unique_ptr<gemmine::CorpusHandle> prepare_corpus(const RowSource& rows, Metric metric,
                                                        bool keep_panels,
                                                        const gemmine::Job& job) override {
    const DeviceAccess access(memory_);
    return NaiveScans::prepare_corpus(rows, metric, keep_panels, job);
  }
  std::unique_ptr<gemmine::QueryHandle> prepare_queries(const RowSource& rows,
                                                        const gemmine::CorpusHandle& corpus,
                                                        const gemmine::Job& job) override {
    const DeviceAccess access(memory_);
    return NaiveScans::prepare_queries(rows, corpus, job);
  }
  void score_pairs(const gemmine::QueryHandle& queries, const gemmine::RowLists& lists,
                   double* scores, const gemmine::Job& job) override {
    const DeviceAccess access = open(queries);
    NaiveScans::score_pairs(queries, lists, scores, job);
  }
  void score_rows(const gemmine::CorpusHandle& corpus, std::span<const std::int32_t> asked,
                  const gemmine::RowLists& lists, double* scores,
                  const gemmine::Job& job) override {
    const PreparedRows& rows = dynamic_cast<const NaiveCorpus&>(corpus).values;
    expect(memory_.holds(rows.row(0), rows.row(rows.rows)), "rows in the device's memory");
    const DeviceAccess access(memory_);
    NaiveScans::score_rows(corpus, asked, lists, scores, job);
  }
  std::vector<Ranking> scan(const ScanRequest& request, const gemmine::Job& job) override {
    const DeviceAccess access = open(request.queries);
    return NaiveScans::scan(request, job);
  }
  std::vector<gemmine::BestSegments> segment_max(const gemmine::SegmentMaxRequest& request,
                                                 const gemmine::Job& job) override {
    const DeviceAccess access = open(request.queries);
    return NaiveScans::segment_max(request, job);
  }
  std::vector<gemmine::BoundedValue> log_sum_exp(const gemmine::LogSumExpRequest& request,
                                                 const gemmine::Job& job) override {
    const DeviceAccess access = open(request.queries);
    return NaiveScans::log_sum_exp(request, job);
  }

 protected:
  std::shared_ptr<float[]> allocate(Index count) override { return memory_.allocate(count); }

 private:
  // Opens the memory. The rows of the handle must be in this memory.
  DeviceAccess open(const gemmine::QueryHandle& handle) {
    const NaiveQueries& queries = naive(handle);
    for (const PreparedRows* rows : {&queries.values, &queries.asked_corpus->values})
      expect(memory_.holds(rows->row(0), rows->row(rows->rows)), "rows in the device's memory");
    return DeviceAccess(memory_);
  }

  DeviceMemory memory_;
};

}  // namespace test
