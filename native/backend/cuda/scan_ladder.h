#pragma once

#include "backend/cuda/batch_scan.h"

namespace gemmine::cuda {

// Answers the questions of a request: in batches, then with longer lists, then by canonical scores
// of all rows.
class ScanLadder {
 public:
  ScanLadder(const ScanRequest& request, std::vector<Ranking>& rankings, const Job& job);

  void answer();
  // Answers questions whose first lists were full, and by canonical scores those in `undecided`.
  void settle(Asked full, Asked undecided);

  // Scans rows of the corpus for some questions; every tile is shown to `columns` too, unless it is
  // null. Adds to `full` and `undecided` what remains.
  void scan(const Asked& asked, int round, RowSpan span, ColumnLists* columns, Asked& full,
            Asked& undecided);

 private:
  Index capacity(const ScanQuery& query, int round) const;
  void answer_from(int round, Asked asked, Asked undecided);
  bool goes_on(const ScanQuery& query, int round) const;
  std::size_t batch_end(const Asked& asked, std::size_t begin, int round, Index& capacity) const;

  const ScanRequest& request_;
  const CudaQueries& queries_;
  const CudaCorpus& corpus_;
  std::vector<Ranking>& rankings_;
  const Job& job_;
  const RequestRows rows_;
};

}  // namespace gemmine::cuda
