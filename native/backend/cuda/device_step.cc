#include "backend/cuda/device_step.h"

#include <algorithm>

#include "backend/cuda/host_path.h"
#include "backend/cuda/products.h"
#include "backend/scaled_normal.h"

namespace gemmine::cuda {
namespace {

// Components up to which a tile of 32 rows is in shared memory: one, two or three tiles.
constexpr Index most_of_one_tile = 740;
constexpr Index most_of_two_tiles = 370;
constexpr Index most_of_three_tiles = 240;

struct Kernel {
  RowStepKind kind;
  Index most;  // components
};

std::optional<Kernel> kernel_of(StepKind kind) {
  switch (kind) {
    case StepKind::nonnegative_sweep:
      return Kernel{RowStepKind::nonnegative_sweep, most_of_one_tile};
    case StepKind::signed_sweep:
      return Kernel{RowStepKind::signed_sweep, most_of_one_tile};
    case StepKind::projected_gradient:
      return Kernel{RowStepKind::projected_gradient, most_of_three_tiles};
    case StepKind::multiplicative:
      return Kernel{RowStepKind::multiplicative, most_of_two_tiles};
    case StepKind::sign_split:
      return Kernel{RowStepKind::sign_split, most_of_two_tiles};
    case StepKind::product:
      return Kernel{RowStepKind::product, most_of_one_tile};
    case StepKind::project:
      return Kernel{RowStepKind::project, most_of_one_tile};
    case StepKind::shifted_ascent:
      return Kernel{RowStepKind::shifted_ascent, most_of_one_tile};
    case StepKind::one_component:
      return Kernel{RowStepKind::one_component, most_of_one_tile};
    default:
      return std::nullopt;
  }
}

// off(N_ij) beside the diagonal, on(N_jj) on it.
template <class Off, class On>
std::vector<float> matrix_of(const NormalMatrix& normal, Off off, On on) {
  const Index k = normal.size();
  std::vector<float> values(static_cast<std::size_t>(k * k));
  std::ranges::transform(normal.gram32(), values.begin(), off);
  for (Index j = 0; j < k; ++j)
    values[j * (k + 1)] = static_cast<float>(on(normal.gram()[j * (k + 1)]));
  return values;
}

std::vector<std::int32_t> narrowed(const std::vector<Index>& from) {
  return {from.begin(), from.end()};
}

}  // namespace

bool DeviceStep::has_kernel(StepKind kind, Index k) {
  if (kind == StepKind::solve) return true;
  const std::optional<Kernel> kernel = kernel_of(kind);
  return kernel && k <= kernel->most;
}

DeviceStep::DeviceStep(std::shared_ptr<Device> device, Passes& host, const Step& step,
                       const NormalMatrix& normal)
    : device_(std::move(device)),
      host_(host),
      step_(step),
      normal_(normal),
      has_kernel_(has_kernel(step.kind, normal.size())),
      positive_(device_),
      negative_(device_),
      inverse_(device_),
      diagonal_(device_),
      gram_(device_),
      inverse64_(device_),
      right_(device_),
      solution_(device_),
      independent_(device_),
      dependent_(device_) {
  if (!has_kernel_) return;
  const auto itself = [](float x) { return x; };
  const auto raised = [&](double x) { return x + step_.l2; };
  const auto zero = [](double) { return 0.0; };
  switch (step_.kind) {
    case StepKind::nonnegative_sweep:
    case StepKind::signed_sweep:
      positive_.upload(matrix_of(normal_, itself, zero));
      inverse_.upload(inverse_diagonal(normal_, step_.l2));
      break;
    case StepKind::projected_gradient:
      positive_.upload(matrix_of(normal_, itself, raised));
      inverse_.upload(gradient_lengths(normal_, step_.l2));
      break;
    case StepKind::multiplicative:
      positive_.upload(matrix_of(normal_, itself, raised));
      break;
    case StepKind::sign_split:
      positive_.upload(matrix_of(normal_, [](float x) { return std::max(x, 0.0f); }, raised));
      negative_.upload(matrix_of(normal_, [](float x) { return std::max(-x, 0.0f); }, zero));
      break;
    case StepKind::solve:
      gram_.upload(normal_.gram());
      inverse64_.upload(inverse_of_independent(normal_));
      independent_.upload(narrowed(normal_.independent()));
      dependent_.upload(narrowed(normal_.dependent()));
      break;
    default: {
      const Index k = normal_.size();
      std::vector<double> diagonal(static_cast<std::size_t>(k));
      for (Index j = 0; j < k; ++j) diagonal[j] = normal_.gram()[j * (k + 1)];
      diagonal_.upload(diagonal);
      positive_.upload(normal_.gram32());
    }
  }
}

void DeviceStep::improve(BackendView<const float> cross, BackendView<float> factor,
                         const float* row_diagonal, const Job& job) {
  if (!has_kernel_) {
    expect(row_diagonal == nullptr, "a step of the CPU takes no row addend");
    const OnHost C(*device_, host_, cross), F(*device_, host_, factor);
    host_.improve(step_, C.view(), normal_, F.view(), job);
    return F.store(factor);
  }
  if (step_.kind == StepKind::solve) return solve(cross, factor);
  const RowStep request{.kind = kernel_of(step_.kind)->kind,
                        .sweeps = static_cast<std::int32_t>(step_.sweeps),
                        .rows = factor.rows,
                        .k = factor.cols,
                        .half_l1 = static_cast<float>(step_.l1 / 2),
                        .relaxation = static_cast<float>(step_.relaxation),
                        .upper = step_.upper,
                        .wide_half_l1 = step_.l1 / 2,
                        .l2 = step_.l2,
                        .positive = positive_.data(),
                        .negative = negative_.data(),
                        .inverse = inverse_.data(),
                        .diagonal = diagonal_.data(),
                        .cross = {cross.data, cross.stride},
                        .row_diagonal = row_diagonal,
                        .factor = {factor.data, factor.stride}};
  device_->require(device_->table().passes.row_step(device_->compute(), &request));
}

void DeviceStep::solve(BackendView<const float> cross, BackendView<float> factor) {
  const Index rows = factor.rows, k = factor.cols, m = independent_.size();
  if (m == 0) return;
  right_.reserve(rows * m);
  solution_.reserve(rows * m);
  const PassTable& passes = device_->table().passes;
  const Independent gather{.rows = rows,
                           .k = k,
                           .m = m,
                           .cross = {cross.data, cross.stride},
                           .factor = {factor.data, factor.stride},
                           .gram = gram_.data(),
                           .independent = independent_.data(),
                           .dependent = dependent_.data(),
                           .to = right_.data()};
  device_->require(passes.independent(device_->compute(), &gather));
  multiply<double>(*device_, Transposed::none, {right_.data(), rows, m, m},
                   {inverse64_.data(), m, m, m}, {solution_.data(), rows, m, m});
  const Scatter back{.rows = rows,
                     .m = m,
                     .from = solution_.data(),
                     .independent = independent_.data(),
                     .factor = {factor.data, factor.stride}};
  device_->require(passes.scatter(device_->compute(), &back));
}

}  // namespace gemmine::cuda
