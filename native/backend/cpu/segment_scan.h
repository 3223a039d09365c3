#pragma once

#include <memory>
#include <vector>

#include "backend/cpu/segment_scorer.h"

namespace gemmine::cpu {

// Walks the corpus in one format for some query segments of a request. Query segments share blocks
// of whole tiles, and documents (the corpus's segments) are cut into groups, and those into parts
// with lists of their own; the cut depends on shapes only, and so do the counts of the proof.
//
// With float64 sums in the order of the query's rows, a sum of upper bounds is an upper bound of
// the canonical sum: rounding is monotone.
class SegmentScan {
 public:
  // `asked` are query segments; `last` tells that no scan in a finer format follows.
  SegmentScan(const SegmentMaxRequest& request, const ScanPanels& panels,
              const std::vector<Index>& asked, bool last, const Job& job);

  // Returns false where most query segments are undecided before the end, so that the finer scan
  // has to look at them anyway.
  bool run();
  // Ranks the query segments that it decided; returns the others.
  std::vector<Index> rank(std::vector<BestSegments>& answers);

 private:
  struct Query {
    Index first_lane;  // in all tiles
    Index tokens;
    double unit;  // of its candidates' bounds: a power of two
    bool usable;
  };
  struct Block {
    Index first;  // of `asked`
    Index end;
    Index first_tile;
    Index end_tile;
  };
  struct Stretch {  // of documents
    Index first;
    Index end;
  };
  // Of the documents that a task goes through.
  struct Bounds {
    std::vector<float> upper, lower;      // [lanes × 32]: of a panel
    std::vector<float> highest, reached;  // [lanes × maxima_lanes]: of the document's maximum
  };

  std::vector<Index> lay_out();
  void describe_queries();
  Stretch next_group(Index first) const;
  Stretch part_of(const Stretch& group, Index part) const;
  void walk(const float* panels, Index first_panel, const Stretch& documents, Index block,
            Index part);
  void score(const float* panel, const Block& block, Bounds& bounds) const;
  void finish(const Block& block, Index part, Index document, const Bounds& bounds);
  CandidateList& list(Index part, Index query) {
    return lists_[part * static_cast<Index>(asked_.size()) + query];
  }
  bool is_hopeless();
  void report(Index documents_done) const;

  const SegmentMaxRequest& request_;
  const CpuQueries& queries_;
  const ScanPanels& panels_;
  const std::vector<Index>& asked_;
  const bool last_;
  const Job& job_;
  std::vector<Query> layout_;  // [asked]
  std::vector<Block> blocks_;
  std::unique_ptr<QueryTiles> tiles_;
  Index group_panels_;
  Index parts_;                       // of a group
  std::vector<CandidateList> lists_;  // [parts × asked]
};

}  // namespace gemmine::cpu
