#pragma once

#include <memory>
#include <optional>

#include "backend/cuda/device.h"
#include "backend/normal_matrix.h"
#include "backend/passes.h"
#include "backend/step.h"

namespace gemmine::cuda {

// A step of rows with its small matrices in memory of the device, used for every block.
class DeviceStep {
 public:
  // Whether the step of k components has a kernel. Others run on the CPU, block by block.
  static bool has_kernel(StepKind kind, Index k);

  DeviceStep(std::shared_ptr<Device> device, Passes& host, const Step& step,
             const NormalMatrix& normal);

  // cross, factor [b×k]; row_diagonal [b]: see RowAddend; null: none. Queues the work, or waits for
  // that of the CPU.
  void improve(BackendView<const float> cross, BackendView<float> factor, const float* row_diagonal,
               const Job& job);

 private:
  void solve(BackendView<const float> cross, BackendView<float> factor);

  const std::shared_ptr<Device> device_;
  Passes& host_;
  const Step step_;
  const NormalMatrix& normal_;
  const bool has_kernel_;
  Array<float> positive_, negative_, inverse_;
  Array<double> diagonal_;
  // Of StepKind::solve.
  Array<double> gram_, inverse64_, right_, solution_;
  Array<std::int32_t> independent_, dependent_;
};

}  // namespace gemmine::cuda
