#pragma once

#include <cstdint>

#include "core/matrix.h"

namespace gemmine {

inline constexpr Index checksum_rows = 32;  // that share one, of a corpus

// A multilinear hash of the bits of all elements: the change of a single element always changes it,
// any other change but for a chance of about 2^-32. Nothing against somebody who forges data.
std::uint64_t checksum(HostView<const float> rows);

}  // namespace gemmine
