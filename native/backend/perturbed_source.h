#pragma once

#include <memory>

#include "backend/entries.h"
#include "core/row_source.h"

namespace gemmine {

// Another source, which is borrowed, with noise on its stored entries, computed again at every
// read: the matrix that a pass reads for a Group with this noise.
std::unique_ptr<RowSource> perturbed_source(const RowSource& source, const Noise& noise);

}  // namespace gemmine
