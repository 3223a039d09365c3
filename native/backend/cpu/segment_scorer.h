#pragma once

#include <vector>

#include "backend/cpu/canonical.h"
#include "backend/cpu/scan_queries.h"
#include "core/row_block.h"

namespace gemmine::cpu {

// Canonical scores of one query segment with segments of the corpus.
class SegmentScorer : public RowScorer {
 public:
  explicit SegmentScorer(const SegmentMaxRequest& request);

  void begin(Index query_segment);
  void score(const std::int32_t* segments, Index count, double* scores) override;

 private:
  double score_segment(Index segment);

  const SegmentMaxRequest& request_;
  const CpuQueries& queries_;
  Index tokens_ = 0;                      // rows of the query segment
  std::vector<CanonicalScorer> scorers_;  // at least [tokens]
  std::vector<double> highest_;           // [tokens]
  std::vector<double> scores_;
  RowScratch scratch_;
};

}  // namespace gemmine::cpu
