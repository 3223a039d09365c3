#include "backend/cpu/segment_max.h"

#include <algorithm>

#include "backend/cpu/segment_scan.h"
#include "backend/proof/ranking.h"
#include "core/pool.h"

namespace gemmine::cpu {
namespace {

constexpr Index wanted_tasks = 64;  // so that threads finish together

// Scores every document, for query segments that no scan decided.
void scan_canonically(const SegmentMaxRequest& request, const std::vector<Index>& asked,
                      std::vector<BestSegments>& answers, const Job& job) {
  const Segments& documents = request.corpus_segments;
  std::vector<SegmentScorer> scorers;
  for (Index i = 0; i < worker_count(job); ++i) scorers.emplace_back(request);
  const Index tasks = std::min(wanted_tasks, documents.count);
  for (std::size_t i = 0; i < asked.size(); ++i) {
    job.progress("settle", static_cast<Index>(i), static_cast<Index>(asked.size()));
    std::vector<BestRows> best(tasks, BestRows(request.depth));
    parallel_for(job, tasks, [&](Index task, Index worker) {
      scorers[worker].begin(asked[i]);
      const Index end = (task + 1) * documents.count / tasks;
      for (Index at = task * documents.count / tasks; at < end; ++at) {
        job.cancellation.check();
        if (!request.allows(asked[i], at) ||
            !holds_any(request.rows, documents.starts[at], documents.starts[at + 1]))
          continue;
        Scored scored{.score = 0, .row = static_cast<std::int32_t>(at)};
        scorers[worker].score(&scored.row, 1, &scored.score);
        best[task].push(scored);
      }
    });
    for (Index task = 1; task < tasks; ++task) best[0].merge(best[task]);
    answers[asked[i] - request.begin] = {best[0].take(), true};
  }
}

std::vector<Index> scan_in(ScanPanels& panels, bool last, const SegmentMaxRequest& request,
                           const std::vector<Index>& asked, std::vector<BestSegments>& answers,
                           const Job& job) {
  if (asked.empty()) return {};
  SegmentScan scan(request, panels, asked, last, job);
  return scan.run() ? scan.rank(answers) : asked;
}

}  // namespace

std::vector<BestSegments> segment_max(const SegmentMaxRequest& request, const Job& job) {
  const auto& queries = dynamic_cast<const CpuQueries&>(request.queries);
  const bool finest = queries.finest_is_first();
  if (request.more) queries.keep_panels(job);
  std::vector<BestSegments> answers(request.count);
  std::vector<Index> asked;
  for (Index i = 0; i < request.count; ++i) asked.push_back(request.begin + i);
  asked = scan_in(queries.panels(), finest, request, asked, answers, job);
  if (!finest) asked = scan_in(queries.finest_panels(), true, request, asked, answers, job);
  scan_canonically(request, asked, answers, job);
  return answers;
}

}  // namespace gemmine::cpu
