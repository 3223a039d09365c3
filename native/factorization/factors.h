#pragma once

#include <memory>
#include <vector>

#include "backend/passes.h"

namespace gemmine {

// A matrix in the backend's memory, freed with this object. Initially zeros.
class BackendMatrix {
 public:
  BackendMatrix(Passes& backend, Index rows, Index cols)
      : memory_(backend.allocate(rows * cols)), rows_(rows), cols_(cols) {}

  BackendView<float> view() const { return {memory_.get(), rows_, cols_, cols_}; }

 private:
  std::shared_ptr<float[]> memory_;
  Index rows_;
  Index cols_;
};

// A matrix in host memory, freed with this object. Initially zeros.
template <class T>
class HostMatrix {
 public:
  HostMatrix(Index rows, Index cols)
      : values_(static_cast<std::size_t>(rows * cols)), rows_(rows), cols_(cols) {}

  Index rows() const { return rows_; }
  Index cols() const { return cols_; }
  HostView<T> view() { return {values_.data(), rows_, cols_, cols_}; }
  HostView<const T> view() const { return {values_.data(), rows_, cols_, cols_}; }
  T* row(Index i) { return values_.data() + i * cols_; }
  const T* row(Index i) const { return values_.data() + i * cols_; }
  T& operator()(Index i, Index j) { return values_[i * cols_ + j]; }
  T operator()(Index i, Index j) const { return values_[i * cols_ + j]; }

 private:
  std::vector<T> values_;
  Index rows_;
  Index cols_;
};

inline HostMatrix<float> downloaded(Passes& backend, BackendView<const float> matrix) {
  HostMatrix<float> copy(matrix.rows, matrix.cols);
  backend.download(matrix, copy.view());
  return copy;
}

}  // namespace gemmine
