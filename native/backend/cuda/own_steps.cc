#include "backend/cuda/own_steps.h"

#include <numeric>

#include "backend/cuda/entry_table.h"
#include "backend/cuda/host_path.h"

namespace gemmine::cuda {
namespace {

constexpr Index most_components = 4096;  // of a sweep: shared memory of a row

std::vector<double> widened(const Device& device, const float* from, Index rows, Index cols) {
  std::vector<float> values(static_cast<std::size_t>(rows * cols));
  download(device, {from, rows, cols, cols}, {values.data(), rows, cols, cols});
  return {values.begin(), values.end()};
}

// By the CPU, on copies.
void own_steps_of_host(const Device& device, Passes& host, const Step& step,
                       const std::vector<double>& cross, const std::vector<double>& triangles,
                       double pull, BackendView<float> factor, const Job& job) {
  const OnHost copy(device, host, factor);
  host.improve_rows_by_own_normals(
      step, {cross.data(), factor.rows, factor.cols, factor.cols},
      {triangles.data(), factor.rows, triangle(factor.cols), triangle(factor.cols)}, pull,
      copy.view(), job);
  copy.store(factor);
}

OwnSweep sweep_of(const Step& step, double pull, BackendView<float> factor) {
  return {.rows = factor.rows,
          .k = factor.cols,
          .cross = nullptr,
          .triangles = nullptr,
          .wide_cross = nullptr,
          .wide_triangles = nullptr,
          .pull = pull,
          .sweeps = step.sweeps,
          .half_l1 = static_cast<float>(step.l1 / 2),
          .l2 = static_cast<float>(step.l2),
          .relaxation = static_cast<float>(step.relaxation),
          .signed_factor = step.kind == StepKind::signed_sweep,
          .upper = step.upper,
          .factor = {factor.data, factor.stride}};
}

}  // namespace

void form_pairs(const Device& device, BackendView<const float> F, double beside, float* to) {
  const Pairs request{
      .rows = F.rows, .k = F.cols, .from = {F.data, F.stride}, .beside = beside, .to = to};
  device.require(device.table().entries.pairs(device.compute(), &request));
}

bool sweeps_on_device(const Step& step, Index k) {
  return k <= most_components &&
         (step.kind == StepKind::nonnegative_sweep || step.kind == StepKind::signed_sweep);
}

void own_steps(const std::shared_ptr<Device>& device, Passes& host, const Step& step,
               const float* cross, const float* triangles, BackendView<float> factor,
               const Job& job) {
  const Index k = factor.cols;
  if (!sweeps_on_device(step, k))
    return own_steps_of_host(*device, host, step, widened(*device, cross, factor.rows, k),
                             widened(*device, triangles, factor.rows, triangle(k)), 0, factor, job);
  OwnSweep request = sweep_of(step, 0, factor);
  request.cross = cross;
  request.triangles = triangles;
  device->require(device->table().entries.own_sweep(device->compute(), &request));
}

void own_steps(const std::shared_ptr<Device>& device, Passes& host, const Step& step,
               const Array<double>& cross, const Array<double>& triangles, double pull,
               BackendView<float> factor, const Job& job) {
  const Index k = factor.cols;
  const auto turn = device->turn();
  if (!sweeps_on_device(step, k))
    return own_steps_of_host(*device, host, step, cross.download(factor.rows * k),
                             triangles.download(factor.rows * triangle(k)), pull, factor, job);
  OwnSweep request = sweep_of(step, pull, factor);
  request.wide_cross = cross.data();
  request.wide_triangles = triangles.data();
  device->require(device->table().entries.own_sweep(device->compute(), &request));
}

double own_curvature(const std::shared_ptr<Device>& device, const Array<double>& triangles,
                     BackendView<const float> Ht) {
  const auto turn = device->turn();
  const Index cols = triangle(Ht.cols);
  const Array<float> pairs(device, Ht.rows * cols);
  const Array<double> partial(device, sum_blocks);
  form_pairs(*device, Ht, 2, pairs.data());
  const Sum request{.term = Term::wide_products,
                    .rows = Ht.rows,
                    .cols = cols,
                    .a = {nullptr, 0},
                    .b = {pairs.data(), cols},
                    .wide = triangles.data(),
                    .weights = {nullptr, 0},
                    .partial = partial.data()};
  device->require(device->table().passes.sum(device->compute(), &request));
  const std::vector<double> parts = partial.download();
  return std::accumulate(parts.begin(), parts.end(), 0.0);
}

}  // namespace gemmine::cuda
