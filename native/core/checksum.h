#pragma once

#include <cstdint>

#include "core/matrix.h"

namespace gemmine {

inline constexpr Index checksum_rows = 32;  // corpus rows per checksum

// A multilinear hash of the bits of all elements. A change of one element always changes the hash;
// any other change goes undetected with probability about 2^-32. No protection against forgery.
std::uint64_t checksum(HostView<const float> rows);

}  // namespace gemmine
