#pragma once

#include <cstdint>

#include "core/row_source.h"

namespace gemmine {

// A number of the entries of some rows as float32, and of where they stand. Those of consecutive
// blocks, combined in order, tell one X from another, whatever holds it.
std::uint64_t fingerprint_of(const RowBlock& block);
std::uint64_t combine(std::uint64_t fingerprint, std::uint64_t next);

}  // namespace gemmine
