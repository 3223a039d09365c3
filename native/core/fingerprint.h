#pragma once

#include <cstdint>

#include "core/row_block.h"
#include "core/row_source.h"

namespace gemmine {

// A hash of the entries of some rows as float32 and of their positions. The hashes of consecutive
// blocks, combined in order, identify X, however X is stored.
std::uint64_t fingerprint_of(const RowBlock& block);
std::uint64_t combine(std::uint64_t fingerprint, std::uint64_t next);

}  // namespace gemmine
