#include "mining/row_choice.h"

namespace gemmine {

std::vector<std::uint32_t> rows_of_both(RowFilter a, RowFilter b, Index rows) {
  std::vector<std::uint32_t> words;
  for (Index first = 0; first < rows; first += 32) words.push_back(a.from(first) & b.from(first));
  if (rows % 32 != 0) words.back() &= (1u << (rows % 32)) - 1;
  return words;
}

RowFilters::Words RowFilters::combined(const std::uint32_t* allow,
                                       const std::uint32_t* exclude) const {
  Words words((rows_ + 31) / 32);
  for (std::size_t w = 0; w < words.size(); ++w)
    words[w] = (allow != nullptr ? allow[w] : ~0u) & ~(exclude != nullptr ? exclude[w] : 0u);
  if (rows_ % 32 != 0) words.back() &= (1u << (rows_ % 32)) - 1;
  return words;
}

RowFilter RowFilters::of(Index query) {
  const std::uint32_t* const allow = choice_.allow.set_of(query);
  const std::uint32_t* const exclude = choice_.exclude.set_of(query);
  if (allow == nullptr && exclude == nullptr && !choice_.is_listed()) return {};
  const auto [at, is_new] = shared_.try_emplace({allow, exclude});
  if (is_new) at->second = combined(allow, exclude);
  const Words& sets = at->second;
  if (!choice_.is_listed()) return {.words = sets.data()};
  Words& own = own_.emplace_back();
  if (choice_.listed.indptr == nullptr) {
    own = sets;
  } else {
    own.resize(sets.size());
    for (const std::int32_t row : list_of(choice_.listed, query))
      own[row / 32] |= sets[row / 32] & 1u << (row % 32);
  }
  for (const std::int32_t row : list_of(choice_.barred, query))
    own[row / 32] &= ~(1u << (row % 32));
  return {.words = own.data()};
}

Index RowFilters::bytes() const {
  return choice_.is_common() ? 0 : (rows_ + 31) / 32 * Index{sizeof(std::uint32_t)};
}

}  // namespace gemmine
