#pragma once

#include <algorithm>
#include <vector>

#include "backend/cpu/kernels.h"

namespace gemmine::cpu {

// Operands of Kernels::multiply_panels.

// `cols` rounded up to whole panels.
constexpr Index whole_panels(Index cols, Index width) { return (cols + width - 1) / width * width; }

// Columns of a panel of B with `cols` columns: a single panel is as narrow as whole vectors allow.
inline Index width_of_panels(Index cols, const Kernels& kernels) {
  return std::min(kernels.panel_width, whole_panels(cols, kernels.lanes));
}

// `cols` rounded up to the whole panels, or vectors, of a product with as many columns.
inline Index padded_columns(Index cols, const Kernels& kernels) {
  return whole_panels(cols, width_of_panels(cols, kernels));
}

// B [depth×cols], element(t, j), in panels: [panels][depth][width].
template <class Element>
void pack_panels(Index depth, Index cols, const Kernels& kernels, Element element,
                 std::vector<float>& to) {
  const Index width = width_of_panels(cols, kernels);
  to.assign(static_cast<std::size_t>(depth * whole_panels(cols, width)), 0.0f);
  float* out = to.data();
  for (Index j = 0; j < cols; j += width)
    for (Index t = 0; t < depth; ++t, out += width)
      for (Index c = 0; c < std::min(width, cols - j); ++c) out[c] = element(t, j + c);
}

// The rows of B [depth×cols] in panels as a right operand of sparse products.
inline RightRows panel_rows(const float* panels, Index depth, Index cols, const Kernels& kernels) {
  const Index width = width_of_panels(cols, kernels);
  return {panels, width, depth * width};
}

// The same rows one after the other, padded with zeros to whole vectors: they fill fewer lines of a
// cache if cols is far below the width of a panel.
template <class Element>
RightRows pack_rows(Index depth, Index cols, const Kernels& kernels, Element element,
                    std::vector<float>& to) {
  const Index stride = whole_panels(cols, kernels.lanes);
  to.assign(static_cast<std::size_t>(depth * stride), 0.0f);
  for (Index t = 0; t < depth; ++t)
    for (Index j = 0; j < cols; ++j) to[t * stride + j] = element(t, j);
  return {to.data(), stride, kernels.panel_width};
}

// A and Aᵀ as left operands.
inline LeftOperand rows_of(HostView<const float> A) {
  return {A.data, A.rows, A.cols, A.stride, 1};
}
inline LeftOperand columns_of(HostView<const float> A) {
  return {A.data, A.cols, A.rows, 1, A.stride};
}

// A matrix in memory that is reused between calls.
inline HostView<float> rows_in(std::vector<float>& memory, Index rows, Index cols, Index stride) {
  const auto needed = static_cast<std::size_t>(rows * stride);
  if (memory.size() < needed) memory.resize(needed);
  return {memory.data(), rows, cols, stride};
}

}  // namespace gemmine::cpu
