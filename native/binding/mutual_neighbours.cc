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
        const CheckedChoice choice = checked_choice(search, job);
        const TopKOptions options{
            .k = k, .self = search.self, .exclude = excluded.view(), .choice = choice.view()};
        return search.corpus.scan(job, [&](Scans& scans, const CorpusHandle& rows) {
          found = mutual_neighbours(scans, *search.queries->rows, rows, options, job);
        });
      });
}

}  // namespace gemmine::binding
