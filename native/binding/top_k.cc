// topK(queries, corpus, options, indices, scores, control)
#include <utility>

#include "binding/entry_points.h"
#include "binding/job.h"
#include "binding/proven.h"
#include "binding/search.h"
#include "mining/mine.h"

namespace gemmine::binding {

Napi::Value TopK(const Napi::CallbackInfo& info) {
  Borrowed borrowed;
  const Search search = read_search(info, borrowed);
  const Index k = read_k(read_object(info[2], "options"));
  auto* const indices = read_array<std::int32_t>(info[3], "indices", search.count(), k, borrowed);
  auto* const scores = read_array<float>(info[4], "scores", search.count(), k, borrowed);
  return run_job(
      info.Env(), info[5], std::move(borrowed),
      [=](const Job& job) {
        const CanonicalLists excluded = checked_exclusions(search, job);
        const TopKOptions options{.k = k, .self = search.self, .exclude = excluded.view()};
        Proven answered{};
        answered.seconds = search.corpus.scan(job, [&](Scans& scans, const CorpusHandle& rows) {
          answered.proof = top_k(scans, *search.queries->rows, rows, options, indices, scores, job);
        });
        return answered;
      },
      proven_object, search.place(k));
}

}  // namespace gemmine::binding
