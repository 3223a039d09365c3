#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "backend/cpu/cpu_scans.h"
#include "backend/cuda/cuda_scans.h"
#include "check.h"
#ifdef GEMMINE_CUDA_EMULATION
#include "cuda/emulated.h"
#endif

namespace test {

// Sizes of memory that lead through every path on small scenes: all rows on the device, only their
// float16 copies, none; whole lists or short ones, several batches and pieces.
inline gemmine::cuda::ScanSizes emulated_sizes(gemmine::Index variant) {
  constexpr gemmine::Index all = gemmine::Index{1} << 30;
  const gemmine::cuda::ScanSizes variants[] = {
      {.kept = all, .scores = 1 << 22, .lists = 1 << 22, .rows = 1 << 20, .lanes = 64},
      {.kept = all, .scores = 1 << 13, .lists = 1 << 16, .rows = 1 << 14, .lanes = 7},
      {.kept = 0, .scores = 1 << 15, .lists = 1 << 17, .rows = 1 << 14, .lanes = 16},
  };
  return variants[variant % 3];
}

// The CUDA backend over the emulated GPU, each corpus with other sizes of memory.
class EmulatedScans : public gemmine::Scans {
 public:
  double bound_factor = 1;

  explicit EmulatedScans(std::shared_ptr<gemmine::cuda::Device> device)
      : host_(gemmine::cpu::make_scans()) {
    for (gemmine::Index variant = 0; variant < 3; ++variant)
      scans_.push_back(gemmine::cuda::make_scans(device, *host_, emulated_sizes(variant)));
  }

  std::unique_ptr<gemmine::CorpusHandle> prepare_corpus(const gemmine::RowSource& rows,
                                                        gemmine::Metric metric, bool keep_panels,
                                                        const gemmine::Job& job) override {
    return scans_[prepared_++ % 3]->prepare_corpus(rows, metric, keep_panels, job);
  }
  std::unique_ptr<gemmine::QueryHandle> prepare_queries(const gemmine::RowSource& rows,
                                                        const gemmine::CorpusHandle& corpus,
                                                        const gemmine::Job& job) override {
    return scans_[0]->prepare_queries(rows, corpus, job);
  }
  std::vector<std::uint64_t> checksums(const gemmine::RowSource& rows,
                                       const gemmine::Job& job) override {
    return scans_[0]->checksums(rows, job);
  }
  void score_pairs(const gemmine::QueryHandle& queries, const gemmine::RowLists& lists,
                   double* scores, const gemmine::Job& job) override {
    scans_[0]->score_pairs(queries, lists, scores, job);
  }
  void score_rows(const gemmine::CorpusHandle& corpus, std::span<const std::int32_t> asked,
                  const gemmine::RowLists& lists, double* scores,
                  const gemmine::Job& job) override {
    scans_[0]->score_rows(corpus, asked, lists, scores, job);
  }
  std::vector<gemmine::Ranking> scan(const gemmine::ScanRequest& request,
                                     const gemmine::Job& job) override {
    gemmine::ScanRequest trial = request;
    trial.bound_factor = request.bound_factor * bound_factor;
    return scans_[0]->scan(trial, job);
  }
  gemmine::BothWays column_top(const gemmine::ScanRequest& request,
                               const gemmine::ScanRequest& reverse,
                               const gemmine::Job& job) override {
    gemmine::ScanRequest forth = request, back = reverse;
    forth.bound_factor *= bound_factor;
    back.bound_factor *= bound_factor;
    return scans_[0]->column_top(forth, back, job);
  }
  std::vector<gemmine::BestSegments> segment_max(const gemmine::SegmentMaxRequest& request,
                                                 const gemmine::Job& job) override {
    gemmine::SegmentMaxRequest trial = request;
    trial.bound_factor *= bound_factor;
    return scans_[0]->segment_max(trial, job);
  }
  std::vector<gemmine::BoundedValue> log_sum_exp(const gemmine::LogSumExpRequest& request,
                                                 const gemmine::Job& job) override {
    return scans_[0]->log_sum_exp(request, job);
  }

 private:
  std::unique_ptr<gemmine::Scans> host_;
  std::vector<std::unique_ptr<gemmine::Scans>> scans_;
  gemmine::Index prepared_ = 0;
};

// Runs a suite of random scenes on the sources of the CUDA backend over an emulated GPU; on fewer
// scenes, because it has one thread. Under sanitizers test/native/cuda does it.
template <class Suite>
void on_emulated_scans([[maybe_unused]] gemmine::Index scenes,
                       [[maybe_unused]] const Suite& suite) {
#ifdef GEMMINE_CUDA_EMULATION
  if (thread_sanitizer || address_sanitizer) return;
  std::printf("cuda:0 (host emulation): scenes 0 to %ld of %ld\n",
              static_cast<long>((scenes + 3) / 4) - 1, static_cast<long>(scenes));
  {
    EmulatedScans scans(emulated_device());
    suite(scans, std::string("cuda:0 (host emulation)"), (scenes + 3) / 4);
  }
  check_emulation("the emulated GPU");
#else
  std::printf("emulated GPU: skipped, its emulation is for Linux on x86-64\n");
#endif
}

}  // namespace test
