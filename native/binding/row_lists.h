#pragma once

#include <napi.h>

#include <span>
#include <string>
#include <vector>

#include "binding/borrowed.h"
#include "core/job.h"
#include "mining/mine.h"

// Lists of corpus rows per query, such as positives or exclusions. A list may be as long as the
// corpus, so work proportional to the lists runs on the job's thread.
namespace gemmine::binding {

// A NativeRowLists of lib/native.ts: in any order, with repeats, unchecked.
struct GivenLists {
  std::string name;
  std::span<const std::int32_t> starts;  // [queries + 1]; empty: no lists
  std::span<const std::int32_t> rows;
};

// Empty for undefined.
GivenLists read_row_lists(const Napi::Value& value, const std::string& name, Index queries,
                          Borrowed& borrowed);

// Lists in canonical form: ascending, each row once.
class CanonicalLists {
 public:
  // Borrows lists that are already canonical. Throws InvalidElement for an invalid row or start.
  CanonicalLists(const GivenLists& given, Index corpus, const Job& job);
  CanonicalLists(CanonicalLists&&) = default;  // the view refers to memory that moves along
  CanonicalLists& operator=(CanonicalLists&&) = delete;

  const RowLists& view() const { return view_; }

 private:
  RowLists view_;
  std::vector<std::int32_t> starts_, rows_;
};

// Writes canonical lists to arrays as long as the given ones.
RowLists write_canonical(const GivenLists& given, Index corpus, const Job& job,
                         std::int32_t* starts, std::int32_t* rows);

// Writes the numbers of given rows, parallel to given.rows, to `to`, parallel to the rows of
// `canonical`; a row that is given several times has its first number.
void take_first_numbers(const GivenLists& given, const double* numbers, const RowLists& canonical,
                        double* to);

// Reads `excludeSelf`: true means that query i is row i of the corpus, which must exist; an array
// holds the corpus row of each query, −1 for none.
SelfRows read_self_rows(const Napi::Object& from, Index queries, Index corpus, Borrowed& borrowed);

// Throws InvalidElement. Called on the job's thread.
void check_self_rows(const SelfRows& self, Index queries, Index corpus);

}  // namespace gemmine::binding
