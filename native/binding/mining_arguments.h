#pragma once

#include <napi.h>

#include "binding/borrowed.h"
#include "binding/pending_copies.h"
#include "binding/read.h"
#include "binding/row_choice.h"
#include "binding/row_lists.h"
#include "mining/mine.h"

// Arguments and answers that several mining jobs have.
namespace gemmine::binding {

struct Sizes {
  Index queries;
  Index corpus;
};

// The range of queries to mine.
RowRange read_range(const Napi::Object& from, Index queries);

// Some numbers for each row; null for undefined.
template <class T>
T* read_optional_rows(const Napi::Object& from, const char* name, Index rows, Index cols,
                      Borrowed& borrowed) {
  const Napi::Value value = from.Get(name);
  return value.IsUndefined() ? nullptr : read_array<T>(value, name, rows, cols, borrowed);
}

// Reads the options that a sweep may change.
void read_swept(const Napi::Object& from, MineOptions& options);
// Reads all other options except the lists, which are made on the job's thread.
MineOptions read_shared(const Napi::Object& from, const Sizes& sizes, Borrowed& borrowed);
// positive_scores is not read. The array of counts tells for how many lists there is room.
MinedArrays read_arrays(const Napi::Object& from, Index num_negatives, Borrowed& borrowed);
// The lists of a part of a corpus, of which `references` tells the number; their queries are not
// checked.
QueryLists read_lists(const Napi::Object& from, Index lists, Borrowed& borrowed);

// The lists of a mining job as they were given.
struct MiningLists {
  MiningLists(const Napi::Object& given, const Sizes& sizes, Borrowed& borrowed);

  GivenLists positives;
  GivenLists exclude;
  GivenLists candidates;
  GivenChoice choice;  // sets for all queries
};

// Exclusions and candidates in canonical form, to which options refer. Made on the job's thread.
class CanonicalMiningLists {
 public:
  // Also checks the rows that queries are themselves.
  CanonicalMiningLists(const MiningLists& given, const Sizes& sizes, MineOptions& options,
                       const Job& job);
  CanonicalMiningLists(const CanonicalMiningLists&) = delete;

 private:
  CanonicalLists exclude_;
  CanonicalLists candidates_;
  std::vector<std::uint32_t> filter_;
};

// A NativeMined of lib/native-types.ts, with arrays to be filled by `copies`.
Napi::Object mined_object(Napi::Env env, const MinedCounts& counts, double seconds,
                          PendingCopies& copies);

}  // namespace gemmine::binding
