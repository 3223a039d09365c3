#include "backend/cpu/scan.h"

#include <algorithm>
#include <cmath>

#include "backend/cpu/canonical_scan.h"
#include "backend/cpu/ladder.h"
#include "core/checksum.h"
#include "core/pool.h"
#include "core/row_block.h"

namespace gemmine::cpu {
namespace {

constexpr Index score_at_once = 8;  // queries

const CpuQueries& cpu(const QueryHandle& queries) {
  return dynamic_cast<const CpuQueries&>(queries);
}

}  // namespace

std::unique_ptr<CorpusHandle> prepare_corpus(const RowSource& rows, Metric metric, bool keep_panels,
                                             const Job& job) {
  return std::make_unique<CpuCorpus>(rows, metric, first_format(), keep_panels, job);
}

std::unique_ptr<CorpusHandle> unpack_corpus(const RowSource& rows, Metric metric,
                                            const Packing& packing, const std::byte* packed,
                                            const Job& job) {
  const ScanFormat& format = first_format();
  const bool fits = packing.format == format.name && std::ssize(packing.centre) == rows.cols() &&
                    packing.page_bytes == ScanPanels::panel_bytes(format, rows.cols());
  if (!fits) return prepare_corpus(rows, metric, true, job);
  return std::make_unique<CpuCorpus>(rows, metric, packing, packed, format, job);
}

std::unique_ptr<CorpusHandle> change_corpus(const RowSource& rows, const CorpusChange& change,
                                            const Job& job) {
  return std::make_unique<CpuCorpus>(rows, change, job);
}

std::unique_ptr<QueryHandle> prepare_queries(const RowSource& rows, const CorpusHandle& corpus,
                                             const Job& job) {
  return std::make_unique<CpuQueries>(rows, dynamic_cast<const CpuCorpus&>(corpus), job);
}

std::vector<std::uint64_t> checksums(const RowSource& rows, const Job& job) {
  const Index n = rows.rows();
  std::vector<std::uint64_t> sums((n + checksum_rows - 1) / checksum_rows);
  std::vector<RowScratch> scratch(worker_count(job));
  parallel_for(job, static_cast<Index>(sums.size()), [&](Index part, Index worker) {
    const Index begin = part * checksum_rows;
    const Index count = std::min(checksum_rows, n - begin);
    sums[part] = checksum(rows.block(begin, count, scratch[worker]).dense);
  });
  return sums;
}

void score_pairs(const QueryHandle& queries, const RowLists& lists, double* scores,
                 const Job& job) {
  if (lists.indptr == nullptr) return;
  std::vector<CanonicalScorer> scorers(worker_count(job), scorer_of(cpu(queries)));
  const Index rows = queries.rows().rows();
  parallel_for(job, (rows + score_at_once - 1) / score_at_once, [&](Index chunk, Index worker) {
    const Index end = std::min((chunk + 1) * score_at_once, rows);
    for (Index query = chunk * score_at_once; query < end; ++query) {
      const auto listed = list_of(lists, query);
      if (listed.empty()) continue;
      scorers[worker].begin(query);
      scorers[worker].score(listed.data(), static_cast<Index>(listed.size()),
                            scores + lists.indptr[query]);
    }
  });
}

void score_rows(const CorpusHandle& corpus, std::span<const std::int32_t> asked,
                const RowLists& lists, double* scores, const Job& job) {
  const auto& own = dynamic_cast<const CpuCorpus&>(corpus);
  const RowNorms norms = own.centred().norms();
  std::vector<CanonicalScorer> scorers(
      worker_count(job), CanonicalScorer(own.rows(), norms, own.rows(), norms, own.metric()));
  const auto count = static_cast<Index>(asked.size());
  parallel_for(job, (count + score_at_once - 1) / score_at_once, [&](Index chunk, Index worker) {
    const Index end = std::min((chunk + 1) * score_at_once, count);
    for (Index i = chunk * score_at_once; i < end; ++i) {
      const auto listed = list_of(lists, i);
      if (listed.empty()) continue;
      scorers[worker].begin(asked[i]);
      scorers[worker].score(listed.data(), static_cast<Index>(listed.size()),
                            scores + lists.indptr[i]);
    }
  });
}

std::vector<Ranking> scan(const ScanRequest& asked_for, const Job& job) {
  const LiveRequest live(asked_for);
  const ScanRequest& request = live.get();
  std::vector<Ranking> rankings(request.asked.size());
  Asked asked;
  for (const ScanQuery& query : request.asked) asked.push_back(&query);
  Ladder(request, rankings, job).answer(asked);
  return rankings;
}

}  // namespace gemmine::cpu
