#pragma once

#include <napi.h>

#include <memory>

#include "binding/borrowed.h"
#include "binding/corpus.h"
#include "binding/job.h"
#include "binding/read.h"
#include "binding/row_choice.h"
#include "binding/row_lists.h"

namespace gemmine::binding {

// The arguments that searches have in common: (queries, corpus, options, ...).
struct Search {
  std::shared_ptr<const Source> queries;
  CorpusArgument corpus;
  GivenLists exclude;
  SelfRows self;
  GivenChoice choice;

  Index count() const { return queries->rows->rows(); }
  // Where the answer to k places for each query is found.
  Place place(Index k) const;
};

Search read_search(const Napi::CallbackInfo& info, Borrowed& borrowed);

// `k` of the options, at least 1.
Index read_k(const Napi::Object& options);

// The exclusions in canonical form. Called on the job's thread; throws InvalidElement for these and
// for `excludeSelf`.
CanonicalLists checked_exclusions(const Search& search, const Job& job);
// The same for the rows that queries may get.
CheckedChoice checked_choice(const Search& search, const Job& job);

}  // namespace gemmine::binding
