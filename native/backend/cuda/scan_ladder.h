#pragma once

#include "backend/cuda/batch_scan.h"

namespace gemmine::cuda {

// Answers the questions of a request: in batches, then with longer lists, then by canonical scores
// of all rows.
class ScanLadder {
 public:
  ScanLadder(const ScanRequest& request, const Job& job);

  std::vector<Ranking> answer();

 private:
  Index capacity(const ScanQuery& query, int round) const;
  bool goes_on(const ScanQuery& query, int round) const;
  // Adds to `full` and `undecided` what remains.
  void scan(const Asked& asked, int round, Asked& full, Asked& undecided);
  std::size_t batch_end(const Asked& asked, std::size_t begin, int round, Index& capacity) const;
  void scan_canonically(const Asked& asked);
  void rank_all_rows(std::span<const ScanQuery* const> about_one);

  const ScanRequest& request_;
  const CudaQueries& queries_;
  const CudaCorpus& corpus_;
  const Job& job_;
  const RequestRows rows_;
  std::vector<Ranking> rankings_;
};

}  // namespace gemmine::cuda
