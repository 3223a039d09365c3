#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/row_block.h"
#include "core/row_source.h"

namespace gemmine {

// A hash of the entries of some rows as float32 and of their positions. The hashes of consecutive
// blocks, combined in order, identify X, however X is stored.
std::uint64_t fingerprint_of(const RowBlock& block);
std::uint64_t combine(std::uint64_t fingerprint, std::uint64_t next);

// A hash of bytes and of their number, on machines of one byte order.
std::uint64_t fingerprint_of(std::span<const std::byte> bytes);

}  // namespace gemmine
