#pragma once

#include <array>
#include <memory>
#include <utility>
#include <vector>

#include "core/matrix.h"
#include "core/unshared.h"

namespace gemmine {

// Values by number, which several versions of a table share. A copy of a table copies one pointer
// for each 256 values; then set() copies the 256 pointers beside the value, once.
template <class T>
class SharedTable {
 public:
  // Null for a value that was never set.
  const T* at(Index i) const {
    const auto chunk = static_cast<std::size_t>(i / chunk_size);
    if (chunk >= chunks_.size() || !chunks_[chunk]) return nullptr;
    return (*chunks_[chunk])[i % chunk_size].get();
  }

  void set(Index i, std::shared_ptr<const T> value) {
    const auto chunk = static_cast<std::size_t>(i / chunk_size);
    if (chunk >= chunks_.size()) chunks_.resize(chunk + 1);
    std::shared_ptr<Chunk>& own = chunks_[chunk];
    if (!own) own = std::make_shared<Chunk>();
    unshared(own)[i % chunk_size] = std::move(value);
  }

  bool empty() const { return chunks_.empty(); }

 private:
  static constexpr Index chunk_size = 256;
  using Chunk = std::array<std::shared_ptr<const T>, chunk_size>;

  std::vector<std::shared_ptr<Chunk>> chunks_;
};

}  // namespace gemmine
