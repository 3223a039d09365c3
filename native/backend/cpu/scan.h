#pragma once

#include "backend/scans.h"

namespace gemmine::cpu {

// The CPU's implementations of the scan operations.
std::unique_ptr<CorpusHandle> prepare_corpus(const RowSource& rows, Metric metric, bool keep_panels,
                                             const Job& job);
std::unique_ptr<CorpusHandle> unpack_corpus(const RowSource& rows, Metric metric,
                                            const Packing& packing, const std::byte* packed,
                                            const Job& job);
std::unique_ptr<CorpusHandle> change_corpus(const RowSource& rows, const CorpusChange& change,
                                            const Job& job);
std::unique_ptr<QueryHandle> prepare_queries(const RowSource& rows, const CorpusHandle& corpus,
                                             const Job& job);
std::vector<std::uint64_t> checksums(const RowSource& rows, const Job& job);
void score_pairs(const QueryHandle& queries, const RowLists& lists, double* scores, const Job& job);
void score_rows(const CorpusHandle& corpus, std::span<const std::int32_t> asked,
                const RowLists& lists, double* scores, const Job& job);
std::vector<Ranking> scan(const ScanRequest& request, const Job& job);

}  // namespace gemmine::cpu
