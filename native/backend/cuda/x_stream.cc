#include "backend/cuda/x_stream.h"

#include "backend/cuda/products.h"

namespace gemmine::cuda {
void multiply_rows(const Device& device, const BlockOfX& X, BackendView<const float> B,
                   BackendView<float> to) {
  if (X.is_sparse()) {
    const SparseProduct request{.X = X.sparse,
                                .values = X.values,
                                .k = B.cols,
                                .B = {B.data, B.stride},
                                .to = {to.data, to.stride}};
    return device.require(device.table().entries.sparse_product(device.compute(), &request));
  }
  multiply<float>(device, Transposed::none, X.dense_rows(), B, to);
}

void multiply_columns(const Device& device, const BlockOfX& X, BackendView<const float> F,
                      float* to) {
  if (X.is_sparse()) {
    const SparseColumns request{
        .X = X.sparse, .values = X.values, .k = F.cols, .F = {F.data, F.stride}, .to = to};
    return device.require(device.table().entries.sparse_columns(device.compute(), &request));
  }
  multiply<float>(device, Transposed::first, X.dense_rows(), F, {to, X.d, F.cols, F.cols});
}

BlockOfX with_noise(const Device& device, const BlockOfX& X, const Noise& noise, Index first,
                    const Array<float>& memory) {
  if (noise.amplitude == 0) return X;
  BlockOfX noisy = X;
  if (X.is_sparse()) {
    const SparsePerturb request{.X = X.sparse,
                                .values = X.values,
                                .amplitude = noise.amplitude,
                                .seed = noise.seed,
                                .stream = noise_stream,
                                .first_row = first,
                                .to = memory.data()};
    device.require(device.table().entries.sparse_perturb(device.compute(), &request));
    noisy.values = memory.data();
    return noisy;
  }
  const Perturb request{.rows = X.count,
                        .cols = X.d,
                        .from = X.dense,
                        .amplitude = noise.amplitude,
                        .seed = noise.seed,
                        .stream = noise_stream,
                        .first_row = first,
                        .to = {memory.data(), X.d}};
  device.require(device.table().passes.perturb(device.compute(), &request));
  noisy.dense = {memory.data(), X.d};
  return noisy;
}

Index noise_elements(const XStream& rows, Index d) {
  return rows.is_sparse() ? rows.most_entries() : rows.most() * d;
}

BlockOfX rows_within(const BlockOfX& X, Index begin, Index count) {
  BlockOfX rows = X;
  rows.count = count;
  if (X.is_sparse()) {
    rows.sparse.rows = count;
    rows.sparse.starts += begin;
    rows.sparse.first_row += begin;
  } else {
    rows.dense.data += begin * X.dense.stride;
  }
  return rows;
}

}  // namespace gemmine::cuda
