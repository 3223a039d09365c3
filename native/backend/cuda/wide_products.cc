#include "backend/cuda/wide_products.h"

#include <algorithm>

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
    const Product product{.number = Number::float64,
                          .transpose_a = 1,
                          .transpose_b = 0,
                          .m = A.cols,
                          .n = B.cols,
                          .k = count,
                          .alpha = 1,
                          .A = left.data(),
                          .stride_a = A.cols,
                          .B = same ? left.data() : right.data(),
                          .stride_b = B.cols,
                          .beta = 1,
                          .C = sums.data(),
                          .stride_c = B.cols};
    device->require(device->runtime().multiply(device->compute(), &product));
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
    const Product product{.number = Number::float64,
                          .transpose_a = 0,
                          .transpose_b = 0,
                          .m = count,
                          .n = B.cols,
                          .k = A.cols,
                          .alpha = 1,
                          .A = left.data(),
                          .stride_a = A.cols,
                          .B = right.data(),
                          .stride_b = B.cols,
                          .beta = 0,
                          .C = result.data(),
                          .stride_c = B.cols};
    device->require(device->runtime().multiply(device->compute(), &product));
    const BackendView<float> rows = to.row_block(begin, count);
    const Narrowed request{
        .rows = count, .cols = B.cols, .from = result.data(), .to = {rows.data, rows.stride}};
    device->require(device->table().passes.narrow(device->compute(), &request));
  }
}

}  // namespace gemmine::cuda
