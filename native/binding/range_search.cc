// rangeSearch(queries, corpus, options, control)
#include "mining/range_search.h"

#include "binding/corpus.h"
#include "binding/entry_points.h"
#include "binding/found_rows.h"
#include "binding/job.h"
#include "binding/read.h"
#include "binding/row_lists.h"

namespace gemmine::binding {

Napi::Value RangeSearch(const Napi::CallbackInfo& info) {
  Borrowed borrowed;
  const auto queries = read_dense_source(info[0], borrowed);
  const Napi::Object given = read_object(info[2], "options");
  const CorpusArgument corpus(info[1], given, borrowed);
  check_columns(info.Env(), *queries, corpus.cols());
  const Index count = queries->rows->rows();
  const GivenLists exclude = read_row_lists(given.Get("exclude"), "exclude", count, borrowed);
  const SelfRows self = read_self_rows(given, count, corpus.rows(), borrowed);
  const auto threshold = read<double>(given, "threshold");
  const auto limit = read_optional<Index>(given, "limit");
  if (limit && *limit < 1) refuse(info.Env(), "a positive integer", "limit");
  return run_found_job(
      info.Env(), info[3], std::move(borrowed), [=](const Job& job, FoundRows& found) {
        const CanonicalLists excluded(exclude, corpus.rows(), job);
        check_self_rows(self, count, corpus.rows());
        const RangeOptions options{
            .threshold = threshold, .limit = limit, .self = self, .exclude = excluded.view()};
        return corpus.scan(job, [&](Scans& scans, const CorpusHandle& rows) {
          found = range_search(scans, *queries->rows, rows, options, job);
        });
      });
}

}  // namespace gemmine::binding
