#include "backend/cuda/x_products.h"

#include <algorithm>
#include <cmath>

#include "backend/cuda/products.h"
#include "backend/cuda/x_stream.h"

// Products of X in float64; the rows of a dense X are widened a tile at a time.
namespace gemmine::cuda {
namespace {

constexpr Index tile_elements = Index{1} << 22;  // 32 MiB in float64

class WideProducts {
 public:
  // B is multiplied by 2^-exponent, which is exact.
  WideProducts(const std::shared_ptr<Device>& device, int exponent, HostView<const double> B,
               Index most_rows)
      : device_(*device),
        d_(B.rows),
        cols_(B.cols),
        B_(device),
        widened_(device),
        product_(device) {
    std::vector<double> scaled;
    for (Index t = 0; t < d_; ++t)
      for (Index j = 0; j < cols_; ++j) scaled.push_back(std::ldexp(B(t, j), -exponent));
    B_.upload(scaled);
    tile_ = std::clamp<Index>(tile_elements / std::max<Index>(1, std::max(d_, cols_)), 1,
                              std::max<Index>(1, most_rows));
    product_.reserve(tile_ * cols_);
  }

  // Calls use(first row, number, their products [number×c]) for tiles of a block.
  template <class Use>
  void each(const BlockOfX& X, const Use& use) {
    for (Index begin = 0; begin < X.count; begin += tile_) {
      const Index count = std::min(tile_, X.count - begin);
      multiply(rows_within(X, begin, count));
      use(begin, count, product_.data());
    }
  }

 private:
  void multiply(const BlockOfX& X) {
    if (X.is_sparse()) {
      const WideSparseProduct request{
          .X = X.sparse, .values = X.values, .k = cols_, .B = B_.data(), .to = product_.data()};
      return device_.require(
          device_.table().entries.wide_sparse_product(device_.compute(), &request));
    }
    widened_.reserve(tile_ * d_);
    const Widened widened{
        .rows = X.count, .cols = d_, .from = X.dense, .weights = nullptr, .to = widened_.data()};
    device_.require(device_.table().passes.widen(device_.compute(), &widened));
    cuda::multiply<double>(device_, Transposed::none, {widened_.data(), X.count, d_, d_},
                           {B_.data(), d_, cols_, cols_}, {product_.data(), X.count, cols_, cols_});
  }

  const Device& device_;
  const Index d_, cols_;
  Index tile_;
  Array<double> B_;        // [d×c]
  Array<double> widened_;  // X [tile×d]
  Array<double> product_;  // [tile×c]
};

RowSquares squares_of(const BlockOfX& X, double scale, double* to) {
  const bool sparse = X.is_sparse();
  return {.rows = X.count,
          .cols = X.d,
          .wide = nullptr,
          .x = sparse ? X.values : X.dense.data,
          .stride = sparse ? 0 : X.dense.stride,
          .starts = sparse ? X.sparse.starts : nullptr,
          .first_entry = sparse ? X.sparse.first_entry : 0,
          .scale = scale,
          .to = to};
}

}  // namespace

void x_times(const std::shared_ptr<Device>& device, const RowSource& X, int exponent,
             HostView<const double> B, BackendView<float> to, const Job& job) {
  const auto turn = device->turn();
  XStream rows(device, X, {.begin = 0, .count = X.rows()}, job);
  WideProducts products(device, exponent, B, rows.most());
  rows.each_block([&](Index block, const BlockOfX& here) {
    products.each(here, [&](Index begin, Index count, const double* product) {
      const BackendView<float> part = to.row_block(rows.first(block) + begin, count);
      const Narrowed request{
          .rows = count, .cols = B.cols, .from = product, .to = {part.data, part.stride}};
      device->require(device->table().passes.narrow(device->compute(), &request));
    });
  });
}

std::vector<double> x_squared_products(const std::shared_ptr<Device>& device, const RowSource& X,
                                       int exponent, HostView<const double> B, const Job& job) {
  const auto turn = device->turn();
  XStream rows(device, X, {.begin = 0, .count = X.rows()}, job);
  const Array<double> squares(device, X.rows());
  const auto sum = [&](const RowSquares& request) {
    device->require(device->table().entries.row_squares(device->compute(), &request));
  };
  if (B.cols == 0) {
    rows.each_block([&](Index block, const BlockOfX& here) {
      sum(squares_of(here, std::ldexp(1.0, -exponent), squares.data() + rows.first(block)));
    });
    return squares.download();
  }
  WideProducts products(device, exponent, B, rows.most());
  rows.each_block([&](Index block, const BlockOfX& here) {
    products.each(here, [&](Index begin, Index count, const double* product) {
      sum({.rows = count,
           .cols = B.cols,
           .wide = product,
           .x = nullptr,
           .stride = 0,
           .starts = nullptr,
           .first_entry = 0,
           .scale = 1,
           .to = squares.data() + rows.first(block) + begin});
    });
  });
  return squares.download();
}

}  // namespace gemmine::cuda
