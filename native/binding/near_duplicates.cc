// nearDuplicates(rows, options, control)
#include "mining/near_duplicates.h"

#include <utility>

#include "binding/corpus.h"
#include "binding/entry_points.h"
#include "binding/found_rows.h"
#include "binding/read.h"

namespace gemmine::binding {

Napi::Value NearDuplicates(const Napi::CallbackInfo& info) {
  Borrowed borrowed;
  const Napi::Object given = read_object(info[1], "options");
  const CorpusArgument corpus(info[0], given, borrowed);
  const auto threshold = read<double>(given, "threshold");
  return run_found_job(info.Env(), info[2], std::move(borrowed),
                       [=](const Job& job, FoundRows& found) {
                         return corpus.look_at_rows(job, [&](Scans& scans, const RowSource& rows) {
                           found = near_duplicates(scans, rows, corpus.metric(), threshold, job);
                         });
                       });
}

}  // namespace gemmine::binding
