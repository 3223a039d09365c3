#pragma once

#include <algorithm>
#include <vector>

#include "backend/backend.h"
#include "backend/cpu/scan.h"
#include "backend/cpu/scan_corpus.h"

namespace test {

using gemmine::Index;

// The CPU's scan with what a test wants to see: another bound or format, requests cut into pieces.
// Factorization is not its business.
class ScanBackend : public gemmine::Backend {
 public:
  double bound_factor = 1.0;
  Index piece = 0;  // queries in a request; 0: as they come
  const gemmine::cpu::ScanFormat* format = &gemmine::cpu::first_format();

  std::string name() const override { return "scan"; }

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
  void visit_queries(const gemmine::QueryHandle& queries, const gemmine::QueryVisitor& visit,
                     const gemmine::Job& job) override {
    gemmine::cpu::visit_queries(queries, visit, job);
  }
  void scan(const gemmine::ScanRequest& request, const gemmine::ScanVisitor& visit,
            const gemmine::Job& job) override {
    const auto all = static_cast<Index>(request.asked.size());
    const Index step = piece > 0 ? piece : std::max<Index>(all, 1);
    for (Index begin = 0; begin < all; begin += step) {
      gemmine::ScanRequest part = request;
      part.asked = request.asked.subspan(begin, std::min(step, all - begin));
      part.bound_factor = bound_factor;
      gemmine::cpu::scan(part, visit, job);
    }
  }
};

}  // namespace test
