#pragma once

#include <napi.h>

#include <memory>
#include <utility>

#include "binding/job.h"
#include "binding/pending_copies.h"
#include "binding/read.h"
#include "binding/to_js.h"
#include "mining/range_search.h"

namespace gemmine::binding {

// What a search that finds any number of rows tells: NativeFoundRows of lib/native-types.ts.
struct Answered {
  FoundRows found;
  double seconds;
};

inline Napi::Value answered_object(Napi::Env env, const std::shared_ptr<const Answered>& answered,
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

// Has a job's thread run `search(const Job&, FoundRows&)`, which gives its seconds, and gives the
// promise of what it found.
template <class Search>
Napi::Value run_found_job(Napi::Env env, const Napi::Value& control, Borrowed borrowed,
                          Search search) {
  const Napi::Object given = read_object(control, "control");
  const auto kept = std::make_shared<const Napi::ObjectReference>(Napi::Persistent(given));
  return run_job(
      env, given, std::move(borrowed),
      [search](const Job& job) {
        const auto answered = std::make_shared<Answered>();
        answered->seconds = search(job, answered->found);
        return std::shared_ptr<const Answered>(answered);
      },
      [kept](Napi::Env env, const std::shared_ptr<const Answered>& answered) {
        return answered_object(env, answered, kept->Value());
      });
}

}  // namespace gemmine::binding
