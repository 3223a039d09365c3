// rangeSearch(queries, corpus, options, control)
#include "mining/range_search.h"

#include <utility>

#include "binding/entry_points.h"
#include "binding/found_rows.h"
#include "binding/job.h"
#include "binding/search.h"

namespace gemmine::binding {

Napi::Value RangeSearch(const Napi::CallbackInfo& info) {
  Borrowed borrowed;
  const Search search = read_search(info, borrowed);
  const Napi::Object given = read_object(info[2], "options");
  const auto threshold = read<double>(given, "threshold");
  const auto limit = read_optional<Index>(given, "limit");
  if (limit && *limit < 1) refuse(info.Env(), "a positive integer", "limit");
  return run_found_job(
      info.Env(), info[3], std::move(borrowed), [=](const Job& job, FoundRows& found) {
        const CanonicalLists excluded = checked_exclusions(search, job);
        const CheckedChoice choice = checked_choice(search, job);
        const RangeOptions options{.threshold = threshold,
                                   .limit = limit,
                                   .self = search.self,
                                   .exclude = excluded.view(),
                                   .choice = choice.view()};
        return search.corpus.scan(job, [&](Scans& scans, const CorpusHandle& rows) {
          found = range_search(scans, *search.queries->rows, rows, options, job);
        });
      });
}

}  // namespace gemmine::binding
