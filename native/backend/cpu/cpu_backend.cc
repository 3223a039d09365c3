#include "backend/cpu/cpu_backend.h"

#include "backend/cpu/scan.h"

namespace gemmine::cpu {
namespace {

class CpuBackend : public Backend {
 public:
  std::string name() const override { return "cpu"; }

  std::unique_ptr<CorpusHandle> prepare_corpus(const RowSource& rows, Metric metric,
                                               bool keep_panels, const Job& job) override {
    return cpu::prepare_corpus(rows, metric, keep_panels, job);
  }
  std::unique_ptr<QueryHandle> prepare_queries(const RowSource& rows, const CorpusHandle& corpus,
                                               const Job& job) override {
    return cpu::prepare_queries(rows, corpus, job);
  }
  std::vector<std::uint64_t> checksums(const RowSource& rows, const Job& job) override {
    return cpu::checksums(rows, job);
  }
  void visit_queries(const QueryHandle& queries, const QueryVisitor& visit,
                     const Job& job) override {
    cpu::visit_queries(queries, visit, job);
  }
  void scan(const ScanRequest& request, const ScanVisitor& visit, const Job& job) override {
    cpu::scan(request, visit, job);
  }
};

}  // namespace

std::unique_ptr<Backend> make_backend() { return std::make_unique<CpuBackend>(); }

}  // namespace gemmine::cpu
