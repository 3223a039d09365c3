#pragma once

#include <memory>

#include "backend/cuda/device.h"
#include "backend/cuda/x_stream.h"
#include "backend/passes.h"

namespace gemmine::cuda {

// Memory of residuals, which the groups of a pass share.
struct ResidualMemory {
  explicit ResidualMemory(const std::shared_ptr<Device>& device)
      : dense(device), model(device), of_rows(device) {}
  Array<float> dense;     // X − W Htᵀ, or X with its zeros [tile×d]
  Array<float> model;     // W Htᵀ at the entries of a sparse block
  Array<double> of_rows;  // [block]
};

// ‖X·scale − W Htᵀ‖² over the blocks of a pass, rows weighted: Measure::direct and exact.
class Residuals {
 public:
  Residuals(const std::shared_ptr<Device>& device, const Group& group, double scale,
            const XStream& rows, ResidualMemory& memory);

  // W [block×k] before its step; weights of its rows, or null.
  void add(const BlockOfX& X, BackendView<const float> W, const float* weights);
  double total() const;

 private:
  bool exact() const { return group_.measure == Measure::exact; }
  void add_dense(In X, BackendView<const float> W, const float* weights);
  void add_exact(In X, BackendView<const float> W, const float* weights);
  void add_exact_sparse(const BlockOfX& X, BackendView<const float> W, const float* weights);
  void add_sparse(const BlockOfX& X, BackendView<const float> W, const float* weights);
  double* next_partial();

  const Device& device_;
  const Group& group_;
  const double scale_;
  const Index d_, k_, tile_;
  ResidualMemory& memory_;
  Array<double> gram_;     // HtᵀHt [k×k], for a sparse X
  Array<double> partial_;  // [tiles×sum_blocks]
  Index used_ = 0;         // tiles
};

}  // namespace gemmine::cuda
