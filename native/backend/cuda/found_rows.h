#pragma once

#include <span>
#include <utility>
#include <vector>

#include "backend/cuda/scan_table.h"
#include "backend/proof/candidates.h"
#include "backend/proof/rescoring.h"

namespace gemmine::cuda {

// Gives the rows of a list to a collector, stretch by stretch, in ascending order.
void collect_rows(std::span<const Found> found, Collector& collector);

using KnownScores = std::vector<std::pair<std::int32_t, double>>;  // row and canonical score

// Canonical scores of one query that the device has computed before. Throws Unscored for any other
// row: a thread of the pool must not wait for the device.
class KnownScorer : public RowScorer {
 public:
  struct Unscored {};

  KnownScorer(std::span<const Found> found, std::span<const double> scores,
              const KnownScores& more);
  void score(const std::int32_t* rows, Index count, double* scores) override;

 private:
  KnownScores known_;  // ascending
};

}  // namespace gemmine::cuda
