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

  using In = gemmine::BackendView<const float>;
  using Out = gemmine::BackendView<float>;
  using Normal = gemmine::NormalMatrix;
  using Options = gemmine::StepOptions;
  std::shared_ptr<float[]> allocate(Index) override { return {}; }
  void upload(gemmine::HostView<const float>, Out) override {}
  void download(In, gemmine::HostView<float>) override {}
  gemmine::SourceNorm examine(const gemmine::RowSource&, bool, const gemmine::Job&) override {
    return {};
  }
  void pass(const gemmine::Pass&, gemmine::PassSums&, const gemmine::Job&) override {}
  void apply(const gemmine::Step&, In, const Normal&, const Options&, Out,
             const gemmine::Job&) override {}
  std::vector<double> gram(In, const gemmine::Job&) override { return {}; }
  void nonnegative_sweep(In, const Normal&, const Options&, Out) override {}
  void signed_sweep(In, const Normal&, const Options&, Out) override {}
  void multiplicative_update(In, const Normal&, const Options&, Out) override {}
  void sign_split_update(In, const Normal&, const Options&, Out) override {}
  void solve_normal(In, const Normal&, Out) override {}
  void nearest_component(In, const Normal&, Out) override {}
  void copy(In, Out) override {}
  std::vector<double> symmetric_eigen(gemmine::HostView<double>) override { return {}; }
  void orthonormalise_rows(gemmine::HostView<double>) override {}
};

}  // namespace test
