#pragma once

#include <cstdint>

namespace gemmine {

// Streams of counter-based random numbers (core/random.h) within one job.
enum RandomStream : std::uint32_t {
  start_W,
  start_H,
  svd_basis,
  sample_rows,
  seeding,
  raised_W,
  raised_H,
  least_component,
  lacking_basis,
  other_sample_rows,
  far_rows,
  survey_restart,
  start_rows,
};

}  // namespace gemmine
