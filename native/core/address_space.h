#pragma once

#include <cstddef>

namespace gemmine {

// Returns whether this many bytes could be mapped now. Limits of the process (ulimit -v) and strict
// overcommit refuse mappings long before memory is touched.
bool has_address_space(std::size_t bytes);

}  // namespace gemmine
