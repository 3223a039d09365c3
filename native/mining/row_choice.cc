#include "mining/row_choice.h"

namespace gemmine {

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
  const bool is_listed = choice_.listed.indptr != nullptr;
  if (allow == nullptr && exclude == nullptr && !is_listed) return {};
  const Words* sets = nullptr;
  if (allow != nullptr || exclude != nullptr) {
    const auto [at, is_new] = shared_.try_emplace({allow, exclude});
    if (is_new) at->second = combined(allow, exclude);
    sets = &at->second;
  }
  if (!is_listed) return {sets->data()};
  Words& own = own_.emplace_back((rows_ + 31) / 32);
  for (const std::int32_t row : list_of(choice_.listed, query))
    if (sets == nullptr || ((*sets)[row / 32] >> (row % 32) & 1u) != 0)
      own[row / 32] |= 1u << (row % 32);
  return {own.data()};
}

Index RowFilters::bytes() const {
  const bool differ = choice_.allow.of != nullptr || choice_.exclude.of != nullptr ||
                      choice_.listed.indptr != nullptr;
  return differ ? (rows_ + 31) / 32 * Index{sizeof(std::uint32_t)} : 0;
}

}  // namespace gemmine
