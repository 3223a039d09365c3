#pragma once

#include <limits>
#include <memory>
#include <vector>

#include "csr.h"
#include "fixtures.h"

namespace test {

// One matrix of entries >= 0 in the forms that passes by entries take, with a mask and weights.
struct Data {
  Matrix X;
  std::vector<float> floats;
  std::vector<float> with_nan;
  std::vector<std::uint8_t> seen;
  std::vector<float> weights;
  std::unique_ptr<RowSource> dense;
  std::unique_ptr<RowSource> missing;
  std::unique_ptr<Csr> csr;
  std::unique_ptr<RowSource> sparse;

  Data(Index n, Index d) : X(oracle::random(n, d, 1, true)), seen(n * d), weights(n) {
    const Matrix draw = oracle::random(n, d, 9);
    floats = X.floats();
    with_nan = floats;
    for (Index i = 0; i < n * d; ++i) {
      seen[i] = draw.data[i] > -0.5;
      if (seen[i] == 0) with_nan[i] = std::numeric_limits<float>::quiet_NaN();
    }
    for (Index i = 0; i < n; ++i) weights[i] = static_cast<float>(i % 4) / 2;
    dense = dense_source(floats.data(), ElementType::float32, n, d, d);
    missing = dense_source(with_nan.data(), ElementType::float32, n, d, d);
    Matrix holes = X;
    for (double& x : holes.data) x = x < 1 ? 0 : x;
    csr = std::make_unique<Csr>(holes);
    sparse = csr->source();
  }
};

}  // namespace test
