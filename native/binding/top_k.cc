// topK(queries, corpus, options, indices, scores, control)
// topKSync(queries, corpus, options, indices, scores)
#include <utility>

#include "binding/entry_points.h"
#include "binding/failure.h"
#include "binding/job.h"
#include "binding/proven.h"
#include "binding/search.h"
#include "core/pool.h"
#include "mining/mine.h"

namespace gemmine::binding {
namespace {

struct TopKCall {
  TopKCall(const Napi::CallbackInfo& info, Borrowed& borrowed)
      : search(read_search(info, borrowed)) {
    const Napi::Object options = read_object(info[2], "options");
    k = read_k(options);
    min_score = read_optional<double>(options, "minScore");
    indices = read_array<std::int32_t>(info[3], "indices", search.count(), k, borrowed);
    scores = read_array<float>(info[4], "scores", search.count(), k, borrowed);
  }

  Proven answer(const Job& job) const {
    const CanonicalLists excluded = checked_exclusions(search, job);
    const CheckedChoice choice = checked_choice(search, job);
    const TopKOptions options{.k = k,
                              .self = search.self,
                              .exclude = excluded.view(),
                              .choice = choice.view(),
                              .min_score = min_score};
    Proven answered{};
    answered.seconds = search.corpus.scan(job, [&](Scans& scans, const CorpusHandle& rows) {
      answered.proof = top_k(scans, *search.queries->rows, rows, options, indices, scores, job);
    });
    return answered;
  }

  Search search;
  Index k;
  std::optional<double> min_score;
  std::int32_t* indices;
  float* scores;
};

}  // namespace

Napi::Value TopK(const Napi::CallbackInfo& info) {
  Borrowed borrowed;
  const TopKCall call(info, borrowed);
  return run_job(
      info.Env(), info[5], std::move(borrowed), [call](const Job& job) { return call.answer(job); },
      proven_object, call.search.place(call.k));
}

Napi::Value TopKSync(const Napi::CallbackInfo& info) {
  Borrowed borrowed = Borrowed::for_this_call();
  const TopKCall call(info, borrowed);
  const Job job{.cancellation = {}, .report = nullptr, .threads = 1};
  Proven answered{};
  try {
    on_this_thread([&] { answered = call.answer(job); });
  } catch (const std::exception&) {
    throw Napi::Error(info.Env(), to_js_error(info.Env(), std::current_exception()));
  }
  return proven_object(info.Env(), answered);
}

}  // namespace gemmine::binding
