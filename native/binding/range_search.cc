// rangeSearch(queries, corpus, options, control)
#include "mining/range_search.h"

#include <utility>

#include "binding/corpus.h"
#include "binding/entry_points.h"
#include "binding/job.h"
#include "binding/pending_copies.h"
#include "binding/read.h"
#include "binding/row_lists.h"
#include "binding/to_js.h"

namespace gemmine::binding {
namespace {

struct Answered {
  FoundRows found;
  double seconds;
};

Napi::Value answered_object(Napi::Env env, const std::shared_ptr<const Answered>& answered,
                            const Napi::Object& control) {
  const FoundRows& found = answered->found;
  PendingCopies copies;
  Napi::Object object = Napi::Object::New(env);
  object["indptr"] = copies.array_for(env, found.indptr);
  object["indices"] = copies.array_for(env, found.rows);
  object["scores"] = copies.array_for(env, found.scores);
  object["certified"] = number(env, found.proof.certified);
  object["fallback"] = number(env, found.proof.fallback);
  object["zeroQueries"] = number(env, found.proof.zero_queries);
  object["zeroRows"] = number(env, found.proof.zero_rows);
  object["seconds"] = answered->seconds;
  return after_copies(env, control, object, answered, std::move(copies));
}

}  // namespace

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
  const Napi::Object control = read_object(info[3], "control");
  const auto kept_control =
      std::make_shared<const Napi::ObjectReference>(Napi::Persistent(control));
  return run_job(
      info.Env(), control, std::move(borrowed),
      [=](const Job& job) {
        const CanonicalLists excluded(exclude, corpus.rows(), job);
        check_self_rows(self, count, corpus.rows());
        const RangeOptions options{
            .threshold = threshold, .limit = limit, .self = self, .exclude = excluded.view()};
        const auto answered = std::make_shared<Answered>();
        answered->seconds = corpus.scan(job, [&](Scans& scans, const CorpusHandle& rows) {
          answered->found = range_search(scans, *queries->rows, rows, options, job);
        });
        return std::shared_ptr<const Answered>(answered);
      },
      [kept_control](Napi::Env env, const std::shared_ptr<const Answered>& answered) {
        return answered_object(env, answered, kept_control->Value());
      });
}

}  // namespace gemmine::binding
