#include "core/owned_rows.h"

#include <cstring>

namespace gemmine {

OwnedRows::OwnedRows(const DenseElements& from, const char* name)
    : from_(from),
      row_bytes_(from.cols * size_of(from.type)),
      memory_(static_cast<std::byte*>(aligned_bytes(static_cast<std::size_t>(bytes())))),
      view_(dense_source(memory_.get(), from.type, from.rows, from.cols, from.cols)) {
  argument = view_->argument = name;
}

Index OwnedRows::bytes() const { return from_.rows * row_bytes_; }

void OwnedRows::take(Index begin, Index count) const {
  if (from_.data == nullptr) return;
  const Index stride = from_.stride * size_of(from_.type);
  const auto* rows = static_cast<const std::byte*>(from_.data) + begin * stride;
  std::byte* to = memory_.get() + begin * row_bytes_;
  if (stride == row_bytes_) {
    std::memcpy(to, rows, static_cast<std::size_t>(count * row_bytes_));
    return;
  }
  for (Index i = 0; i < count; ++i)
    std::memcpy(to + i * row_bytes_, rows + i * stride, static_cast<std::size_t>(row_bytes_));
}

}  // namespace gemmine
