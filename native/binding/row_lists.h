#pragma once

#include <napi.h>

#include <span>
#include <string>
#include <vector>

#include "binding/borrowed.h"
#include "core/job.h"
#include "mining/mine.h"

// Rows that a query must or must not get, as callers list them. There may be as many as the corpus
// has rows for every query: what is proportional to them runs on the job's thread.
namespace gemmine::binding {

// A NativeRowLists of lib/native.ts: in any order, with repeats, not checked.
struct GivenLists {
  std::string name;
  std::span<const std::int32_t> starts;  // [queries + 1]; empty: no lists
  std::span<const std::int32_t> rows;
};

// No lists for undefined.
GivenLists read_row_lists(const Napi::Value& value, const std::string& name, Index queries,
                          Borrowed& borrowed);

// Lists as jobs take them: ascending, each row once.
class CanonicalLists {
 public:
  // Borrows lists that are so already. Throws InvalidElement for what is no row or no start.
  CanonicalLists(const GivenLists& given, Index corpus, const Job& job);

  const RowLists& view() const { return view_; }

 private:
  RowLists view_;
  std::vector<std::int32_t> starts_, rows_;
};

// The same, written to arrays as long as the given ones.
RowLists write_canonical(const GivenLists& given, Index corpus, const Job& job,
                         std::int32_t* starts, std::int32_t* rows);

// `excludeSelf`: true, where query i is row i of the corpus, which must be there; or an array of
// the row that each query is, −1 for none.
SelfRows read_self_rows(const Napi::Object& from, Index queries, Index corpus, Borrowed& borrowed);

// Throws InvalidElement; on the job's thread.
void check_self_rows(const SelfRows& self, Index queries, Index corpus);

}  // namespace gemmine::binding
