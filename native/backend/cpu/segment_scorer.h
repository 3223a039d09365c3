#pragma once

#include <vector>

#include "backend/cpu/canonical.h"
#include "backend/cpu/scan_queries.h"
#include "core/row_block.h"

namespace gemmine::cpu {

// Canonical scores of one query segment with segments of the corpus.
class SegmentScorer : public RowScorer {
 public:
  SegmentScorer(const CpuQueries& queries, Segments query_segments, Segments corpus_segments);

  void begin(Index query_segment);
  void score(const std::int32_t* segments, Index count, double* scores) override;

 private:
  double score_segment(Index segment);

  const CpuQueries& queries_;
  Segments query_segments_;
  Segments corpus_segments_;
  Index tokens_ = 0;                      // rows of the query segment
  std::vector<CanonicalScorer> scorers_;  // at least [tokens]
  std::vector<double> highest_;           // [tokens]
  std::vector<double> scores_;
  RowScratch scratch_;
};

}  // namespace gemmine::cpu
