#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/row_source.h"

namespace test {

using gemmine::Index;

// The entries of a dense matrix that are not 0, as a sparse source.
struct Csr {
  template <class Entries>
  explicit Csr(const Entries& X) : rows(X.rows), cols(X.cols), indptr{0} {
    for (Index i = 0; i < rows; ++i) {
      for (Index j = 0; j < cols; ++j)
        if (X(i, j) != 0) {
          indices.push_back(static_cast<std::int32_t>(j));
          values.push_back(static_cast<float>(X(i, j)));
        }
      indptr.push_back(static_cast<double>(values.size()));
    }
  }
  std::unique_ptr<gemmine::RowSource> source() const {
    return gemmine::sparse_source(indptr.data(), indices.data(), values.data(), rows, cols);
  }
  Index rows;
  Index cols;
  std::vector<double> indptr;
  std::vector<std::int32_t> indices;
  std::vector<float> values;
};

}  // namespace test
