#pragma once

#include <napi.h>

#include <span>
#include <vector>

#include "binding/borrowed.h"
#include "binding/row_lists.h"
#include "mining/row_choice.h"

namespace gemmine::binding {

// The options `allow`, `allowSets`, `allowOf`, `excludeSets` and `excludeOf` of a search.
struct GivenChoice {
  RowSets allow;
  RowSets exclude;
  GivenLists listed;
};

GivenChoice read_choice_of_rows(const Napi::Object& options, Index queries, Index corpus,
                                Borrowed& borrowed);

// The choice, checked on the job's thread; refers to the given one.
class CheckedChoice {
 public:
  CheckedChoice(const GivenChoice& given, Index queries, Index corpus, const Job& job);
  // The same without the rows in `barred`, which are canonical.
  CheckedChoice(const GivenChoice& given, const RowLists& barred, Index queries, Index corpus,
                const Job& job)
      : CheckedChoice(given, queries, corpus, job) {
    view_.barred = barred;
  }

  const RowChoice& view() const { return view_; }

 private:
  CanonicalLists listed_;
  RowChoice view_;
};

}  // namespace gemmine::binding
