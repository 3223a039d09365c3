#pragma once

#include <optional>
#include <vector>

#include "backend/cuda/found_lists.h"
#include "backend/cuda/score_tiles.h"
#include "backend/proof/questions.h"

namespace gemmine::cuda {

// Lists of the best queries of consecutive rows of the corpus, from the tiles that scans of the
// queries make. The questions are those of the reverse request: their queries are these rows.
class ColumnLists {
 public:
  // `corpus` is the one of the tiles. Lists hold `capacity` queries.
  ColumnLists(const ScanRequest& reverse, const Asked& asked, const CudaCorpus& corpus,
              Index capacity);
  // Work that is under way when something throws uses this memory.
  ~ColumnLists() { device_->runtime().synchronize(device_->compute()); }
  ColumnLists(const ColumnLists&) = delete;
  ColumnLists& operator=(const ColumnLists&) = delete;

  void look(const ScoreTile& tile) const;
  // The next tiles are of other queries.
  void end_of_batch(Index queries) { looked_ += queries; }

  // Ranks the rows. Those whose lists were full are added to `full`.
  void rank(std::vector<Ranking>& rankings, Asked& full, const Job& job) const;

 private:
  const ScanRequest& reverse_;
  const Asked& asked_;
  const std::shared_ptr<Device> device_;
  const double unit_;  // of the bounds in the lists
  std::optional<FoundLists> lists_;
  Array<std::int32_t> barred_;
  Index looked_ = 0;  // queries that every row has seen
};

}  // namespace gemmine::cuda
