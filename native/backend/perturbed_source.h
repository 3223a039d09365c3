#pragma once

#include <memory>

#include "backend/entries.h"
#include "core/job.h"
#include "core/row_source.h"

namespace gemmine {

// Another source, which is borrowed, with noise on its stored entries, computed again at every
// read: the matrix that a pass reads for a Group with this noise.
std::unique_ptr<RowSource> perturbed_source(const RowSource& source, const Noise& noise);

// The same with its stored entries computed once, as float32 in memory of its own.
std::unique_ptr<RowSource> perturbed_copy(const RowSource& source, const Noise& noise,
                                          const Job& job);

}  // namespace gemmine
