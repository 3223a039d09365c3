#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <vector>

#include "backend/cpu/scan_corpus.h"
#include "backend/proof/candidates.h"
#include "core/row_block.h"

namespace gemmine::cpu {

class CpuQueries : public QueryHandle {
 public:
  CpuQueries(const RowSource& rows, const CpuCorpus& corpus, const Job& job)
      : rows_(rows),
        corpus_(corpus),
        norms_(measure_rows(rows, "measure", job)),
        panels_(std::make_unique<ScanPanels>(corpus.panels())),
        finest_(&panels_->format() == &finest_format()
                    ? nullptr
                    : std::make_unique<ScanPanels>(corpus.centred(), finest_format(), nullptr)) {}

  const RowSource& rows() const override { return rows_; }
  const CpuCorpus& corpus() const override { return corpus_; }
  const std::vector<double>& norms() const { return norms_; }  // canonical
  Index zero_rows() const override {
    if (!has_unit_rows(corpus_.metric())) return 0;
    return std::count(norms_.begin(), norms_.end(), 0.0);
  }

  // Panels of the corpus, for the requests of this call: in the first format of its scans and in
  // the finest one.
  ScanPanels& panels() const { return *panels_; }
  ScanPanels& finest_panels() const { return finest_ ? *finest_ : *panels_; }
  bool finest_is_first() const { return !finest_; }
  // For a request that is followed by others: up to the job's buffer_bytes in each format.
  void keep_panels(const Job& job) const {
    panels_->keep(job.buffer_bytes);
    finest_panels().keep(job.buffer_bytes);
  }

 private:
  const RowSource& rows_;
  const CpuCorpus& corpus_;
  std::vector<double> norms_;
  const std::unique_ptr<ScanPanels> panels_;
  const std::unique_ptr<ScanPanels> finest_;  // null if `panels_` has the finest format
};

// The queries of a scan as tiles of 12 in the format of the panels, with the bounds of their
// scores.
class QueryTiles {
 public:
  QueryTiles(const CpuQueries& queries, const ScanPanels& panels,
             std::span<const ScanQuery* const> asked, double bound_factor, const Job& job);

  Index count() const { return static_cast<Index>(factors_.size()); }
  const float* tile(Index i) const { return values_.get() + i * panels_.words() * tile_queries; }
  const RowFactors& factors(Index i) const { return factors_[i]; }
  const ScanBound& bound(Index asked) const { return bounds_[asked]; }

 private:
  struct Scratch {
    RowScratch rows;
    std::vector<float> query;  // [d]
    std::vector<float> words;
  };

  // Sizes for the bound of a query, in its own units.
  struct Size {
    double norm;      // at least the norms of the float32 query and of its words
    double squared;   // ‖q‖² of the float32 query
    double residual;  // at least the distance of the words from the float32 query
  };

  void pack_tile(const CpuQueries& queries, std::span<const ScanQuery* const> asked, Index tile,
                 Scratch& scratch);
  ScanBound pack_query(const CpuQueries& queries, Index query, int lane, RowFactors& factors,
                       Scratch& scratch) const;
  double set_error(const Size& size, int lane, RowFactors& factors) const;

  const ScanPanels& panels_;
  double bound_factor_;
  std::vector<double> wide_centre_;  // padded with zeros to a multiple of 8
  std::vector<float> no_centre_;
  AlignedFloats values_;
  std::vector<RowFactors> factors_;
  std::vector<ScanBound> bounds_;
};

}  // namespace gemmine::cpu
