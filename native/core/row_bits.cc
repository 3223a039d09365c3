#include "core/row_bits.h"

#include "core/unshared.h"

namespace gemmine {

std::vector<std::uint32_t> RowBits::words() const {
  std::vector<std::uint32_t> all(static_cast<std::size_t>((rows_ + 31) / 32));
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = word(static_cast<Index>(i));
  return all;
}

std::uint32_t& RowBits::own(Index word) {
  return unshared(chunks_[word / chunk_words])[word % chunk_words];
}

// Chunks of rows that are all in the set are one.
void RowBits::grow(Index rows) {
  constexpr Index chunk_rows = 32 * chunk_words;
  std::shared_ptr<Chunk> full;
  while (rows_ < rows) {
    if (rows_ % chunk_rows == 0 && rows - rows_ >= chunk_rows) {
      if (!full) {
        full = std::make_shared<Chunk>();
        full->fill(~0u);
      }
      chunks_.push_back(full);
      rows_ += chunk_rows;
      continue;
    }
    if (rows_ % chunk_rows == 0) chunks_.push_back(std::make_shared<Chunk>());
    own(rows_ / 32) |= 1u << (rows_ % 32);
    ++rows_;
  }
}

}  // namespace gemmine
