#pragma once

#include <concepts>
#include <cstdint>
#include <type_traits>

namespace gemmine {

using Index = std::int64_t;

// Rows begin .. begin + count - 1.
struct RowRange {
  Index begin;
  Index count;
};

// Where the elements are stored. Solvers hold only backend views, so they cannot loop over elements
// by accident; passing host memory to a device operation does not compile.
enum class Space { host, backend };

// A borrowed row-major matrix.
template <class T, Space S>
struct MatrixView {
  T* data;
  Index rows;
  Index cols;
  Index stride;  // elements from one row to the next, >= cols

  T* row(Index i) const { return data + i * stride; }
  T& operator()(Index i, Index j) const
    requires(S == Space::host)
  {
    return data[i * stride + j];
  }
  MatrixView row_block(Index begin, Index count) const {
    return {data + begin * stride, count, cols, stride};
  }
  MatrixView column_block(Index begin, Index count) const {
    return {data + begin, rows, count, stride};
  }
  template <std::same_as<const T> U>
  operator MatrixView<U, S>() const
    requires(!std::is_const_v<T>)
  {
    return {data, rows, cols, stride};
  }
};

template <class T>
using HostView = MatrixView<T, Space::host>;
template <class T>
using BackendView = MatrixView<T, Space::backend>;

}  // namespace gemmine
