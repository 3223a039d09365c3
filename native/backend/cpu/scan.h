#pragma once

#include "backend/scan.h"

namespace gemmine::cpu {

// The bodies of the CPU backend's scan operations.
std::unique_ptr<CorpusHandle> prepare_corpus(const RowSource& rows, Metric metric, bool keep_panels,
                                             const Job& job);
std::unique_ptr<QueryHandle> prepare_queries(const RowSource& rows, const CorpusHandle& corpus,
                                             const Job& job);
std::vector<std::uint64_t> checksums(const RowSource& rows, const Job& job);
void visit_queries(const QueryHandle& queries, const QueryVisitor& visit, const Job& job);
void scan(const ScanRequest& request, const ScanVisitor& visit, const Job& job);

}  // namespace gemmine::cpu
