// reverseTopK(queries, corpus, options, indices, scores, control)
#include "mining/reverse_top_k.h"

#include "binding/corpus.h"
#include "binding/entry_points.h"
#include "binding/job.h"
#include "binding/proven.h"
#include "binding/read.h"
#include "binding/row_lists.h"

namespace gemmine::binding {

Napi::Value ReverseTopK(const Napi::CallbackInfo& info) {
  Borrowed borrowed;
  const auto queries = read_dense_source(info[0], borrowed);
  const Napi::Object given = read_object(info[2], "options");
  const CorpusArgument corpus(info[1], given, borrowed);
  check_columns(info.Env(), *queries, corpus.cols());
  const Index count = queries->rows->rows();
  const auto k = read<Index>(given, "k");
  if (k < 1) refuse(info.Env(), "a positive integer", "k");
  const GivenLists exclude = read_row_lists(given.Get("exclude"), "exclude", count, borrowed);
  const SelfRows self = read_self_rows(given, count, corpus.rows(), borrowed);
  auto* const indices = read_array<std::int32_t>(info[3], "indices", corpus.rows(), k, borrowed);
  auto* const scores = read_array<float>(info[4], "scores", corpus.rows(), k, borrowed);
  return run_job(
      info.Env(), info[5], std::move(borrowed),
      [=](const Job& job) {
        const CanonicalLists excluded(exclude, corpus.rows(), job);
        check_self_rows(self, count, corpus.rows());
        const TopKOptions options{.k = k, .self = self, .exclude = excluded.view()};
        Proven answered{};
        answered.seconds = corpus.look_at_rows(job, [&](Scans& scans, const RowSource& rows) {
          answered.proof = reverse_top_k(scans, *queries->rows, rows, corpus.metric(), options,
                                         indices, scores, job);
        });
        return answered;
      },
      proven_object);
}

}  // namespace gemmine::binding
