// mutualNeighbours(queries, corpus, options, control)
#include "mining/mutual_neighbours.h"

#include <utility>

#include "binding/entry_points.h"
#include "binding/found_rows.h"
#include "binding/job.h"
#include "binding/search.h"

namespace gemmine::binding {

Napi::Value MutualNeighbours(const Napi::CallbackInfo& info) {
  Borrowed borrowed;
  const Search search = read_search(info, borrowed);
  const Index k = read_k(read_object(info[2], "options"));
  return run_found_job(
      info.Env(), info[3], std::move(borrowed), [=](const Job& job, FoundRows& found) {
        const CanonicalLists excluded = checked_exclusions(search, job);
        const TopKOptions options{.k = k, .self = search.self, .exclude = excluded.view()};
        return search.corpus.scan_live(job, [&](Scans& scans, const CorpusHandle& rows,
                                                LiveView& view) {
          const bool changed = view.is_changed();
          found = mutual_neighbours(scans, *search.queries->rows, rows,
                                    changed ? view.placed(options, search.count()) : options, job);
          if (changed)
            for (std::int32_t& row : found.rows) row = view.numbers()[row];
        });
      });
}

}  // namespace gemmine::binding
