#pragma once

#include <vector>

#include "backend/candidates.h"
#include "backend/cpu/scan_corpus.h"

namespace gemmine::cpu {

class CpuQueries : public QueryHandle {
 public:
  CpuQueries(const RowSource& rows, const CpuCorpus& corpus, const Job& job)
      : rows_(rows), corpus_(corpus), norms_(measure_rows(rows, job)) {}

  const RowSource& rows() const override { return rows_; }
  const CpuCorpus& corpus() const override { return corpus_; }
  const std::vector<double>& norms() const { return norms_; }  // canonical

 private:
  const RowSource& rows_;
  const CpuCorpus& corpus_;
  std::vector<double> norms_;
};

// The queries of a request as tiles of 12, each [d][12], with the bounds of their scores.
class QueryTiles {
 public:
  QueryTiles(const CpuQueries& queries, std::span<const ScanQuery> asked, double bound_factor,
             const Job& job);

  Index count() const { return tiles_; }
  const float* tile(Index i) const { return values_.get() + i * d_ * tile_queries; }
  const float* alphas(Index i) const { return alphas_.data() + i * tile_queries; }
  const ScanBound& bound(Index asked) const { return bounds_[asked]; }

 private:
  struct Scratch {
    RowScratch rows;
    std::vector<float> query;  // [d]
  };

  void pack_tile(const CpuQueries& queries, std::span<const ScanQuery> asked, Index tile,
                 Scratch& scratch);
  ScanBound pack_query(const CpuQueries& queries, Index query, Scratch& scratch) const;

  Index d_;
  Index tiles_;
  double bound_factor_;
  std::vector<double> wide_centre_;  // padded with zeros to a multiple of 8
  std::vector<float> no_centre_;
  AlignedFloats values_;
  std::vector<float> alphas_;
  std::vector<ScanBound> bounds_;
};

}  // namespace gemmine::cpu
