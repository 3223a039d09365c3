#pragma once

#include <optional>
#include <span>
#include <vector>

#include "backend/cuda/found_lists.h"
#include "backend/cuda/score_tiles.h"

namespace gemmine::cuda {

// Scans the documents of a corpus for some query segments. Their rows are the lanes of tiles; each
// segment has a list of documents on the device.
class DocumentBatch {
 public:
  // `asked` are query segments with rows. Lists hold `capacity` documents; `careful` as in
  // BatchScan. `starts` are those of the documents, on the device.
  DocumentBatch(const SegmentMaxRequest& request, const Array<std::int32_t>& starts,
                std::span<const Index> asked, Index capacity, bool careful, const Job& job);

  void run(const char* phase);
  // Ranks the decided segments. Adds the others to `full`, or to `undecided` if their scores could
  // overflow.
  void rank(std::vector<BestSegments>& answers, std::vector<Index>& full,
            std::vector<Index>& undecided);

 private:
  struct DocumentSpan {  // consecutive documents
    Index first;
    Index end;
  };

  void add_segment(Index segment);
  DocumentSpan next_group(Index first, Index looked, Index rows) const;
  void look(ScoreTiles& tiles, const FoundLists& lists, const Array<AskedDocuments>& asked,
            const Array<Highest>& highest, const DocumentSpan& group) const;
  void report(const char* phase, Index documents_done) const;

  const SegmentMaxRequest& request_;
  const CudaQueries& queries_;
  const CudaCorpus& corpus_;
  const Array<std::int32_t>& starts_;
  const std::span<const Index> asked_;
  const Index capacity_;
  const bool careful_;
  const Job& job_;
  std::vector<std::int32_t> rows_;  // of the lanes
  std::optional<QueryLanes> lanes_;
  std::vector<AskedDocuments> segments_;  // [asked]
  std::vector<char> usable_;              // [asked]
  ListedRows listed_;
};

}  // namespace gemmine::cuda
