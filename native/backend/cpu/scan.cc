#include "backend/cpu/scan.h"

#include <algorithm>
#include <cmath>

#include "backend/cpu/canonical_scan.h"
#include "backend/cpu/pool.h"
#include "backend/cpu/scan_queries.h"
#include "backend/cpu/self_join.h"
#include "core/checksum.h"

namespace gemmine::cpu {
namespace {

constexpr Index score_at_once = 8;  // queries
// Fewer than this are settled canonically in less time of the CPU than panels in another format are
// prepared.
constexpr Index fewest_rescanned = 16;

const CpuQueries& cpu(const QueryHandle& queries) {
  return dynamic_cast<const CpuQueries&>(queries);
}

// The queries of one request through the formats of a scan, from the first to the canonical one.
class Ladder {
 public:
  Ladder(const ScanRequest& request, std::vector<Ranking>& rankings, const Job& job)
      : request_(request),
        queries_(cpu(request.queries)),
        first_(queries_.corpus().panels()),
        rankings_(rankings),
        job_(job) {}

  void answer(const Asked& all) {
    const bool finest = &first_.format() == &finest_format();
    const bool joins = SelfJoin::answers(request_);
    Asked left = joins ? join_in(first_, all, all, finest) : scan_in(first_, all, finest);
    if (!finest && static_cast<Index>(left.size()) >= fewest_rescanned) {
      const ScanPanels panels(first_.rows(), finest_format(), false, job_);
      const bool most = 2 * left.size() > all.size();
      left = joins && most ? join_in(panels, all, left, true) : scan_in(panels, left, true);
    }
    scan_canonically(request_, queries_, left, rankings_, job_);
  }

 private:
  // The same as scan_in for a corpus against itself, of which the rows in `open` are asked about.
  Asked join_in(const ScanPanels& panels, const Asked& all, const Asked& open, bool last) {
    SelfJoin join(request_, panels, all, open, last, job_);
    const ScanEnd end = join.run();
    if (end == ScanEnd::complete) return join.rank(rankings_);
    return end == ScanEnd::full || last ? scan_in(panels, open, last) : open;
  }

  // Returns the queries that are left undecided.
  Asked scan_in(const ScanPanels& panels, const Asked& asked, bool last) {
    if (asked.empty()) return {};
    TileScan scan(request_, panels, asked, last, job_);
    switch (scan.run()) {
      case ScanEnd::complete:
        return scan.rank(rankings_);
      case ScanEnd::full:
        return scan_in_parts(panels, asked, last, scan.progress());
      default:
        return asked;
    }
  }

  // `progress` tells how much of the corpus filled the memory.
  Asked scan_in_parts(const ScanPanels& panels, const Asked& asked, bool last, double progress) {
    const auto all = static_cast<Index>(asked.size());
    const auto size = static_cast<Index>(static_cast<double>(all) * progress * 0.75);
    const Index step = std::clamp<Index>(size, std::min<Index>(tile_queries, all / 2), all / 2);
    Asked left;
    for (Index begin = 0; begin < all; begin += step) {
      const Index end = std::min(begin + step, all);
      for (const ScanQuery* each :
           scan_in(panels, Asked(asked.begin() + begin, asked.begin() + end), last))
        left.push_back(each);
    }
    return left;
  }

  const ScanRequest& request_;
  const CpuQueries& queries_;
  const ScanPanels& first_;
  std::vector<Ranking>& rankings_;
  const Job& job_;
};

}  // namespace

std::unique_ptr<CorpusHandle> prepare_corpus(const RowSource& rows, Metric metric, bool keep_panels,
                                             const Job& job) {
  return std::make_unique<CpuCorpus>(rows, metric, first_format(), keep_panels, job);
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

std::vector<Ranking> scan(const ScanRequest& request, const Job& job) {
  std::vector<Ranking> rankings(request.asked.size());
  Asked asked;
  for (const ScanQuery& query : request.asked) asked.push_back(&query);
  Ladder(request, rankings, job).answer(asked);
  return rankings;
}

}  // namespace gemmine::cpu
