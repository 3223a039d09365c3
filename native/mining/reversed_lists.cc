#include "mining/reversed_lists.h"

#include <limits>

#include "core/error.h"
#include "mining/batches.h"

namespace gemmine {

ReversedLists::ReversedLists(const RowLists& exclude, const SelfRows& self, Index queries,
                             Index rows) {
  if (exclude.indptr == nullptr && self.rows == nullptr) return;
  // Each pair is copied and checked at the same time, because the lists are in the caller's memory
  // and may change.
  struct Pair {
    std::int32_t query, row;
  };
  std::vector<Pair> pairs;
  const SelfRows listed{.same = false, .rows = self.rows};  // `same` is its own reverse
  for (Index query = 0; query < queries; ++query)
    for (const std::int32_t row : barred_rows(exclude, listed, query))
      if (row >= 0 && row < rows) pairs.push_back({static_cast<std::int32_t>(query), row});
  if (pairs.size() > std::numeric_limits<std::int32_t>::max())
    throw Error(ErrorCode::out_of_memory,
                "exclude and excludeSelf name more than 2147483647 pairs together");
  starts_.resize(rows + 1);
  for (const Pair& pair : pairs) ++starts_[pair.row + 1];
  for (Index row = 0; row < rows; ++row) starts_[row + 1] += starts_[row];
  std::vector<std::int32_t> next(starts_.begin(), starts_.end() - 1);
  queries_.resize(pairs.size());
  for (const Pair& pair : pairs) queries_[next[pair.row]++] = pair.query;
  view_ = {.indptr = starts_.data(), .indices = queries_.data()};
}

ReversedFilters::ReversedFilters(const RowChoice& choice, RowFilter live, Index queries, Index rows)
    : choice_(choice),
      live_(live),
      queries_(queries),
      listed_(choice.listed, {.same = false, .rows = nullptr}, queries, rows) {}

bool ReversedFilters::allows(Index query, Index row) const {
  const auto holds = [&](const std::uint32_t* words) {
    return RowFilter{.words = words}.holds(row);
  };
  const std::uint32_t* const exclude = choice_.exclude.set_of(query);
  return holds(choice_.allow.set_of(query)) && (exclude == nullptr || !holds(exclude));
}

RowFilter ReversedFilters::of(Index row) {
  if (choice_.is_common()) return {};
  auto& words = words_.emplace_back((queries_ + 31) / 32);
  const auto take = [&](Index query) {
    if (allows(query, row)) words[query / 32] |= 1u << (query % 32);
  };
  if (choice_.listed.indptr != nullptr)
    for (const std::int32_t query : list_of(listed_.lists(), row)) take(query);
  else
    for (Index query = 0; query < queries_; ++query) take(query);
  return {.words = words.data()};
}

}  // namespace gemmine
