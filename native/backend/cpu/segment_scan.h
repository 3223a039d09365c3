#pragma once

#include <memory>
#include <vector>

#include "backend/cpu/segment_scorer.h"

namespace gemmine::cpu {

// Scans the corpus in one format for some query segments of a request. Blocks of whole tiles hold
// several query segments. Documents (the segments of the corpus) are cut into groups, and groups
// into parts with separate lists; the cut depends on shapes only, and so do the counts of the
// proof.
//
// All sums are in float64, in the order of the query's rows. A sum of upper bounds is then an upper
// bound of the canonical sum, because rounding is monotone.
class SegmentScan {
 public:
  // `asked` are query segments; `last`: no scan in a finer format follows.
  SegmentScan(const SegmentMaxRequest& request, ScanPanels& panels, const std::vector<Index>& asked,
              bool last, const Job& job);

  // Returns false if most query segments are undecided before the end: they need the finer scan
  // anyway.
  bool run();
  // Ranks the decided query segments; returns the others.
  std::vector<Index> rank(std::vector<BestSegments>& answers);

 private:
  struct Query {
    Index first_lane;  // counted over all tiles
    Index tokens;
    double unit;  // unit of its candidates' bounds: a power of two
    bool usable;
  };
  struct Block {
    Index first;  // first index in `asked`
    Index end;
    Index first_tile;
    Index end_tile;
  };
  struct Stretch {  // consecutive documents
    Index first;
    Index end;
  };
  // Bounds of the documents of a task.
  struct Bounds {
    std::vector<float> upper, lower;      // [lanes × 32], for a panel
    std::vector<float> highest, reached;  // [lanes × maxima_lanes], of the document's maximum
  };

  std::vector<Index> lay_out();
  void describe_queries();
  Stretch next_group(Index first) const;
  Stretch part_of(const Stretch& group, Index part) const;
  void walk(const PanelRun& panels, Index first_panel, const Stretch& documents, Index block,
            Index part);
  bool is_needed(const Block& block, Index document) const;
  void score(const float* panel, const Block& block, Bounds& bounds) const;
  void finish(const Block& block, Index part, Index document, const Bounds& bounds);
  CandidateList& list(Index part, Index query) {
    return lists_[part * static_cast<Index>(asked_.size()) + query];
  }
  bool is_hopeless();
  void report(Index documents_done) const;

  const SegmentMaxRequest& request_;
  const CpuQueries& queries_;
  ScanPanels& panels_;
  const std::vector<Index>& asked_;
  const bool last_;
  const Job& job_;
  std::vector<Query> layout_;  // [asked]
  std::vector<Block> blocks_;
  std::unique_ptr<QueryTiles> tiles_;
  Index group_panels_;
  Index parts_;                       // number per group
  std::vector<CandidateList> lists_;  // [parts × asked]
};

}  // namespace gemmine::cpu
