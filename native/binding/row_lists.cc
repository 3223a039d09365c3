#include "binding/row_lists.h"

#include <algorithm>

#include "binding/read.h"
#include "core/error.h"

namespace gemmine::binding {
namespace {

std::string row_in(Index corpus) { return "a corpus row in 0.." + std::to_string(corpus - 1); }

std::string place(const std::string& name, std::size_t at) {
  return name + "[" + std::to_string(at) + "]";
}

void check_starts(const GivenLists& given) {
  const auto& [name, starts, rows] = given;
  const auto all = static_cast<std::int32_t>(rows.size());
  for (std::size_t q = 0; q < starts.size(); ++q) {
    const std::int32_t low = q == 0 ? 0 : starts[q - 1];
    const std::int32_t high = q == 0 ? 0 : all;
    if (starts[q] < low || starts[q] > high)
      throw InvalidElement(place(name + ".indptr", q), starts[q],
                           "an integer in " + std::to_string(low) + ".." + std::to_string(high));
  }
  if (starts.back() != all)
    throw InvalidElement(place(name + ".indptr", starts.size() - 1), starts.back(),
                         std::to_string(all) + ", the number of indices");
}

// Returns whether every list ascends.
bool check_rows(const GivenLists& given, Index corpus, const Job& job) {
  const auto& [name, starts, rows] = given;
  bool ascending = true;
  for (std::size_t q = 0; q + 1 < starts.size(); ++q) {
    job.cancellation.check();
    for (std::int32_t t = starts[q]; t < starts[q + 1]; ++t) {
      if (rows[t] < 0 || rows[t] >= corpus)
        throw InvalidElement(place(name + ".indices", t), rows[t], row_in(corpus));
      ascending = ascending && (t == starts[q] || rows[t - 1] < rows[t]);
    }
  }
  return ascending;
}

void write_sorted(const GivenLists& given, const Job& job, std::int32_t* starts,
                  std::int32_t* rows) {
  std::int32_t* end = rows;
  starts[0] = 0;
  for (std::size_t q = 0; q + 1 < given.starts.size(); ++q) {
    job.cancellation.check();
    const auto list = given.rows.subspan(given.starts[q], given.starts[q + 1] - given.starts[q]);
    std::int32_t* const first = end;
    end = std::copy(list.begin(), list.end(), first);
    if (!std::is_sorted(first, end)) std::sort(first, end);
    end = std::unique(first, end);
    starts[q + 1] = static_cast<std::int32_t>(end - rows);
  }
}

}  // namespace

GivenLists read_row_lists(const Napi::Value& value, const std::string& name, Index queries,
                          Borrowed& borrowed) {
  if (value.IsUndefined()) return {.name = name, .starts = {}, .rows = {}};
  const Napi::Object from = read_object(value, name.c_str());
  const auto starts = read_span<std::int32_t>(from.Get("indptr"), name + ".indptr", borrowed);
  check_length(value.Env(), name + ".indptr", starts.size(), queries + 1, 1);
  const auto rows = read_span<std::int32_t>(from.Get("indices"), name + ".indices", borrowed);
  if (rows.size() > INT32_MAX) refuse(value.Env(), "at most 2^31 - 1 rows", name + ".indices");
  return {.name = name, .starts = starts, .rows = rows};
}

CanonicalLists::CanonicalLists(const GivenLists& given, Index corpus, const Job& job)
    : view_{.indptr = nullptr, .indices = nullptr} {
  if (given.starts.empty()) return;
  check_starts(given);
  if (check_rows(given, corpus, job)) {
    view_ = {.indptr = given.starts.data(), .indices = given.rows.data()};
    return;
  }
  starts_.resize(given.starts.size());
  rows_.resize(given.rows.size());
  write_sorted(given, job, starts_.data(), rows_.data());
  view_ = {.indptr = starts_.data(), .indices = rows_.data()};
}

RowLists write_canonical(const GivenLists& given, Index corpus, const Job& job,
                         std::int32_t* starts, std::int32_t* rows) {
  check_starts(given);
  check_rows(given, corpus, job);
  write_sorted(given, job, starts, rows);
  return {.indptr = starts, .indices = rows};
}

void take_first_numbers(const GivenLists& given, const double* numbers, const RowLists& canonical,
                        double* to) {
  std::vector<std::pair<std::int32_t, std::int32_t>> places;  // row, place
  for (std::size_t q = 0; q + 1 < given.starts.size(); ++q) {
    places.clear();
    for (std::int32_t t = given.starts[q]; t < given.starts[q + 1]; ++t)
      places.emplace_back(given.rows[t], t);
    std::sort(places.begin(), places.end());
    std::int32_t at = canonical.indptr[q];
    for (std::size_t i = 0; i < places.size(); ++i)
      if (i == 0 || places[i].first != places[i - 1].first) to[at++] = numbers[places[i].second];
  }
}

SelfRows read_self_rows(const Napi::Object& from, Index queries, Index corpus, Borrowed& borrowed) {
  const Napi::Value value = from.Get("excludeSelf");
  if (value.IsTypedArray())
    return {.same = false,
            .rows = read_array<std::int32_t>(value, "excludeSelf", queries, 1, borrowed)};
  const bool same = read<bool>(from, "excludeSelf");
  if (same && queries != corpus)
    refuse(from.Env(), "as many queries as corpus rows", "excludeSelf");
  return {.same = same, .rows = nullptr};
}

void check_self_rows(const SelfRows& self, Index queries, Index corpus) {
  if (self.rows == nullptr) return;
  for (Index query = 0; query < queries; ++query)
    if (self.rows[query] < -1 || self.rows[query] >= corpus)
      throw InvalidElement(place("excludeSelf", query), self.rows[query],
                           row_in(corpus) + ", or -1 for none");
}

}  // namespace gemmine::binding
