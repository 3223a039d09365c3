#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "backend/scan.h"
#include "core/job.h"
#include "core/row_source.h"

namespace gemmine {

// What a device must provide for scans. Nothing above this line knows which device it is.
class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::string name() const = 0;

  // ---- Scans: the exact best rows of a corpus for each query (scan.h). ----

  // Takes the corpus's rows, then reads it once or twice; throws InvalidEntry at the first entry
  // (in row order) that is not finite. The handle refers to `rows`.
  virtual std::unique_ptr<CorpusHandle> prepare_corpus(const RowSource& rows, Metric metric,
                                                       bool keep_panels, const Job& job) = 0;
  // The same check for queries. The handle refers to both arguments.
  virtual std::unique_ptr<QueryHandle> prepare_queries(const RowSource& rows,
                                                       const CorpusHandle& corpus,
                                                       const Job& job) = 0;
  // Of each checksum_rows rows (checksum.h); reads all of them.
  virtual std::vector<std::uint64_t> checksums(const RowSource& rows, const Job& job) = 0;
  // Calls `visit` for every query, in parallel.
  virtual void visit_queries(const QueryHandle& queries, const QueryVisitor& visit,
                             const Job& job) = 0;
  // Filters the whole corpus for the queries asked about, then calls `visit` for each, in parallel.
  virtual void scan(const ScanRequest& request, const ScanVisitor& visit, const Job& job) = 0;
};

}  // namespace gemmine
