#pragma once

#include <memory>
#include <span>
#include <vector>

#include "backend/cuda/scan_corpus.h"
#include "backend/proof/candidates.h"

namespace gemmine::cuda {

class CudaQueries : public QueryHandle {
 public:
  // `host` are the same queries on the CPU, for the corpus's host().
  CudaQueries(const RowSource& rows, const CudaCorpus& corpus, std::unique_ptr<QueryHandle> host)
      : rows_(rows), corpus_(corpus), host_(std::move(host)) {}

  const RowSource& rows() const override { return rows_; }
  const CudaCorpus& corpus() const override { return corpus_; }
  Index zero_rows() const override { return host_->zero_rows(); }
  const QueryHandle& host() const { return *host_; }

 private:
  const RowSource& rows_;
  const CudaCorpus& corpus_;
  std::unique_ptr<QueryHandle> host_;
};

// A query in the scan's format. Its scores are scale times those of the stored rows.
struct QueryLane {
  ScanBound bound;
  float scale;  // a power of two
  float norm;   // factors of a row's norm and residual in its bound
  float residual;
};

// Of products: float16 by tensor cores, or float32 by a kernel whose sums have a fixed order.
enum class LaneFormat { float16, float32 };

// Some queries as rows of a product, with the bounds of their scores.
struct QueryLanes {
  QueryLanes(const CudaQueries& queries, std::span<const std::int32_t> rows, LaneFormat format,
             double bound_factor, const Job& job);

  std::vector<std::uint16_t> halves;  // [rows×stored_cols], or empty
  std::vector<float> scaled;          // [rows×cols], or empty: as float32
  std::vector<float> values;          // [rows×cols], as the caller gave them
  std::vector<QueryLane> lanes;
};

}  // namespace gemmine::cuda
