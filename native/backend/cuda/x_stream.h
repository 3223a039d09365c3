#pragma once

#include <optional>

#include "backend/cuda/row_stream.h"
#include "backend/cuda/sparse_stream.h"
#include "backend/entries.h"
#include "core/matrix.h"

namespace gemmine::cuda {

// Some rows of X in memory of the device.
struct BlockOfX {
  Index count;
  Index d;
  In dense;  // data is null for a sparse X
  SparseRows sparse;
  const float* values;  // of the entries of a sparse X

  bool is_sparse() const { return dense.data == nullptr; }
  BackendView<const float> dense_rows() const { return {dense.data, count, d, dense.stride}; }
};

// The rows of a range in blocks, of a dense or sparse X.
class XStream {
 public:
  XStream(const std::shared_ptr<Device>& device, const RowSource& X, RowRange range, const Job& job)
      : d_(X.cols()) {
    if (X.sparse())
      sparse_.emplace(device, X, range, job);
    else
      dense_.emplace(device, X, range, job);
  }

  bool is_sparse() const { return sparse_.has_value(); }
  Index blocks() const { return dense_ ? dense_->blocks() : sparse_->blocks(); }
  Index first(Index block) const { return dense_ ? dense_->first(block) : sparse_->first(block); }
  Index count(Index block) const { return dense_ ? dense_->count(block) : sparse_->count(block); }
  Index most() const { return dense_ ? dense_->most() : sparse_->most(); }
  Index most_entries() const { return dense_ ? 0 : sparse_->most_entries(); }

  // Calls use(block, rows) for each block in order; `use` queues work on device.compute().
  template <class Use>
  void each_block(const Use& use) {
    if (dense_)
      return dense_->each_block([&](Index block, In rows) {
        use(block,
            BlockOfX{
                .count = count(block), .d = d_, .dense = rows, .sparse = {}, .values = nullptr});
      });
    sparse_->each_block([&](Index block, const SparseRows& rows, const float* values) {
      use(block, BlockOfX{.count = rows.rows,
                          .d = d_,
                          .dense = {nullptr, 0},
                          .sparse = rows,
                          .values = values});
    });
  }

 private:
  const Index d_;
  std::optional<RowStream> dense_;
  std::optional<SparseStream> sparse_;
};

// to [count×k] = X·B
void multiply_rows(const Device& device, const BlockOfX& X, BackendView<const float> B,
                   BackendView<float> to);
// to [d×k] = Xᵀ·F
void multiply_columns(const Device& device, const BlockOfX& X, BackendView<const float> F,
                      float* to);
// X with noise in the given memory; `first` is the row of X of the first one.
BlockOfX with_noise(const Device& device, const BlockOfX& X, const Noise& noise, Index first,
                    const Array<float>& memory);
// Elements of the memory that noise needs.
Index noise_elements(const XStream& rows, Index d);
// The rows begin .. begin + count − 1 of a block. Arrays of entries stay those of the block.
BlockOfX rows_within(const BlockOfX& X, Index begin, Index count);

}  // namespace gemmine::cuda
