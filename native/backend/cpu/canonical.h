#pragma once

#include <memory>
#include <vector>

#include "backend/cpu/panel_pages.h"
#include "backend/proof/rescoring.h"
#include "core/row_block.h"

namespace gemmine::cpu {

// Canonical norms √(x·x) of `count` rows; `rows` are `stride` apart.
void canonical_norms(const float* rows, Index stride, Index count, Index d, double* norms);

// `query_norms` and `corpus_norms` are not read unless the metric has unit rows.
class CanonicalScorer : public RowScorer {
 public:
  CanonicalScorer(const RowSource& queries, RowNorms query_norms, const RowSource& corpus,
                  RowNorms corpus_norms, Metric metric);

  void begin(Index query);
  void score(const std::int32_t* rows, Index count, double* scores) override;
  // Scores the rows first, first + 1, ..., given as stored in the corpus.
  void score_rows(HostView<const float> rows, Index first, double* scores) const;

 private:
  void score_four(const float* const rows[4], const Index ids[4], double scores[4]) const;
  double finish(double sum, Index row) const;

  const RowSource& queries_;
  RowNorms query_norms_;
  const RowSource& corpus_;
  RowNorms corpus_norms_;
  Metric metric_;
  double query_norm_ = 0;
  std::vector<double> query_;  // padded with zeros to a multiple of 8
  RowScratch scratch_[8];
};

}  // namespace gemmine::cpu
