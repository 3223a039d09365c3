#include "backend/cuda/wide_products.h"

#include <algorithm>

#include "backend/cuda/products.h"

// Products in float64 of factors in float32, which are widened a block of rows at a time.
namespace gemmine::cuda {
namespace {

constexpr Index block_elements = Index{1} << 22;  // 32 MiB in float64

Index rows_at_once(Index rows, Index cols) {
  return std::clamp<Index>(block_elements / std::max<Index>(1, cols), 1, std::max<Index>(1, rows));
}

void widen(const Device& device, BackendView<const float> from, const float* weights,
           const Array<double>& to) {
  const Widened request{.rows = from.rows,
                        .cols = from.cols,
                        .from = {from.data, from.stride},
                        .weights = weights,
                        .to = to.data()};
  device.require(device.table().passes.widen(device.compute(), &request));
}

}  // namespace

std::vector<double> wide_gram(const std::shared_ptr<Device>& device, BackendView<const float> A,
                              BackendView<const float> B, std::span<const float> weights,
                              const Job& job) {
  const auto turn = device->turn();
  const Index height = rows_at_once(A.rows, std::max(A.cols, B.cols));
  const bool same = A.data == B.data && A.cols == B.cols && weights.empty();
  const Array<double> left(device, height * A.cols);
  const Array<double> right(device, same ? 0 : height * B.cols);
  const Array<float> weights_there(device, {weights.begin(), weights.end()});
  const Array<double> sums(device, A.cols * B.cols);
  sums.clear(A.cols * B.cols);
  for (Index begin = 0; begin < A.rows; begin += height) {
    job.cancellation.check();
    const Index count = std::min(height, A.rows - begin);
    const float* weights_here = weights.empty() ? nullptr : weights_there.data() + begin;
    widen(*device, A.row_block(begin, count), weights_here, left);
    if (!same) widen(*device, B.row_block(begin, count), nullptr, right);
    const double* second = same ? left.data() : right.data();
    multiply<double>(*device, Transposed::first, {left.data(), count, A.cols, A.cols},
                     {second, count, B.cols, B.cols}, {sums.data(), A.cols, B.cols, B.cols}, 1, 1);
  }
  return sums.download(A.cols * B.cols);
}

void wide_multiply(const std::shared_ptr<Device>& device, BackendView<const float> A,
                   HostView<const double> B, BackendView<float> to, const Job& job) {
  const auto turn = device->turn();
  std::vector<double> packed(static_cast<std::size_t>(B.rows * B.cols));
  for (Index i = 0; i < B.rows; ++i)
    std::copy_n(B.row(i), static_cast<std::size_t>(B.cols), packed.data() + i * B.cols);
  const Index height = rows_at_once(A.rows, std::max(A.cols, B.cols));
  const Array<double> right(device, packed);
  const Array<double> left(device, height * A.cols), result(device, height * B.cols);
  for (Index begin = 0; begin < A.rows; begin += height) {
    job.cancellation.check();
    const Index count = std::min(height, A.rows - begin);
    widen(*device, A.row_block(begin, count), nullptr, left);
    multiply<double>(*device, Transposed::none, {left.data(), count, A.cols, A.cols},
                     {right.data(), A.cols, B.cols, B.cols},
                     {result.data(), count, B.cols, B.cols});
    const BackendView<float> rows = to.row_block(begin, count);
    const Narrowed request{
        .rows = count, .cols = B.cols, .from = result.data(), .to = {rows.data, rows.stride}};
    device->require(device->table().passes.narrow(device->compute(), &request));
  }
}

}  // namespace gemmine::cuda
