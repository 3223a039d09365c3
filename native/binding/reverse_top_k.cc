// reverseTopK(queries, corpus, options, indices, scores, control)
#include "mining/reverse_top_k.h"

#include <utility>

#include "binding/entry_points.h"
#include "binding/job.h"
#include "binding/proven.h"
#include "binding/search.h"

namespace gemmine::binding {
Napi::Value ReverseTopK(const Napi::CallbackInfo& info) {
  Borrowed borrowed;
  const Search search = read_search(info, borrowed);
  const Index k = read_k(read_object(info[2], "options"));
  const Index answers = search.corpus.rows();
  auto* const indices = read_array<std::int32_t>(info[3], "indices", answers, k, borrowed);
  auto* const scores = read_array<float>(info[4], "scores", answers, k, borrowed);
  return run_job(
      info.Env(), info[5], std::move(borrowed),
      [=](const Job& job) {
        const CanonicalLists excluded = checked_exclusions(search, job);
        const CheckedChoice choice = checked_choice(search, job);
        const TopKOptions options{
            .k = k, .self = search.self, .exclude = excluded.view(), .choice = choice.view()};
        Proven answered{};
        const auto look = [&](Scans& scans, const RowSource& rows) {
          answered.proof = reverse_top_k(scans, *search.queries->rows, rows, search.corpus.live(),
                                         search.corpus.metric(), options, indices, scores, job);
          answered.proof.zero_rows = search.corpus.zero_rows(answered.proof.zero_rows);
        };
        answered.seconds = search.corpus.look_at_rows(job, look);
        return answered;
      },
      proven_object);
}

}  // namespace gemmine::binding
