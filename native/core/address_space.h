#pragma once

#include <cstddef>

namespace gemmine {

// Whether so many bytes could be mapped right now: limits of the process (ulimit -v) and strict
// overcommit refuse mappings long before memory is touched.
bool has_address_space(std::size_t bytes);

}  // namespace gemmine
