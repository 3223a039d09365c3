#pragma once

#include <span>

#include "backend/cuda/scan_corpus.h"

namespace gemmine::cuda {

// Canonical scores of rows of a corpus with other rows, on the device. Rows that do not stay there
// are gathered on the host.
class PairScorer {
 public:
  PairScorer(const CudaCorpus& corpus, const RowSource& queries)
      : corpus_(corpus), queries_(queries) {}

  // The rows of list i are scored with row asked[i] of the queries; parallel to lists.indices.
  void score(std::span<const std::int32_t> asked, const RowLists& lists, double* scores,
             const Job& job) const;

 private:
  struct Slice;

  Index most_rows() const;
  void run(const Slice& slice, double* scores) const;

  const CudaCorpus& corpus_;
  const RowSource& queries_;
};

}  // namespace gemmine::cuda
