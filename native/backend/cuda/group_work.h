#pragma once

#include <memory>

#include "backend/cuda/residuals.h"
#include "backend/cuda/x_stream.h"
#include "backend/passes.h"

namespace gemmine::cuda {

// Memory that the groups of a pass share.
struct SharedMemory {
  explicit SharedMemory(const std::shared_ptr<Device>& device)
      : residual(device), perturbed(device), row_diagonal(device), row_weights(device) {}
  ResidualMemory residual;
  Array<float> perturbed;     // X with noise [block×d], or its entries
  Array<float> row_diagonal;  // of a row addend [block]
  Array<float> row_weights;   // of the rows of the pass
};

// The work of one group on the blocks of X, in their order.
class GroupWork {
 public:
  virtual ~GroupWork() = default;
  // The rows of X from `first` on.
  virtual void block(Index index, Index first, const BlockOfX& X) = 0;
  virtual void finish(Index blocks) = 0;
};

// Losses by entries, but the squared and the logistic one.
std::unique_ptr<GroupWork> entry_group(const std::shared_ptr<Device>& device, Passes& host,
                                       const Pass& pass, const Group& group, const XStream& rows,
                                       SharedMemory& shared, const Job& job);
std::unique_ptr<GroupWork> logistic_group(const std::shared_ptr<Device>& device, Passes& host,
                                          const Pass& pass, const Group& group, const XStream& rows,
                                          SharedMemory& shared, const Job& job);

}  // namespace gemmine::cuda
