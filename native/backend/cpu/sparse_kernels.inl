// Part of kernels.inl.

// ---- CSR. Up to `widest` vectors of a row of P, or of W, stay in registers for all non-zeros of a
// row of X.

template <int width>
inline void multiply_row(const SparseRows& rows, Index begin, Index end, const float* panel,
                         Index row_step, float* out) {
  Lanes sums[width] = {};
  for (Index t = begin; t < end; ++t) {
    const float* right = panel + rows.indices[t] * row_step;
    const Lanes left = all(rows.values[t]);
    for (int v = 0; v < width; ++v) sums[v] = add_product(sums[v], left, load(right + v * lanes));
  }
  for (int v = 0; v < width; ++v) store(sums[v], out + v * lanes);
}

template <int width>
inline void add_outer_products(const SparseRows& rows, Index begin, Index end, const float* from,
                               HostView<float> S) {
  Lanes right[width];
  for (int v = 0; v < width; ++v) right[v] = load(from + v * lanes);
  for (Index t = begin; t < end; ++t) {
    float* to = S.data + rows.indices[t] * S.stride;
    const Lanes left = all(rows.values[t]);
    for (int v = 0; v < width; ++v)
      store(add_product(load(to + v * lanes), left, right[v]), to + v * lanes);
  }
}

void sparse_multiply(const SparseRows& rows, const RightRows& B, HostView<float> P) {
  const float* panel = B.data;
  for (Index j = 0; j < P.cols; j += panel_width, panel += B.panel_step)
    with_width(P.cols, j, [&]<int width>(Width<width>) {
      for (Index r = 0; r < rows.count; ++r)
        multiply_row<width>(rows, static_cast<Index>(rows.indptr[r]),
                            static_cast<Index>(rows.indptr[r + 1]), panel, B.row_step,
                            P.data + r * P.stride + j);
    });
}

void sparse_add_at_b(const SparseRows& rows, const float* panels, HostView<float> S) {
  const Index row = row_of_panel(S.cols);
  for (Index j = 0; j < S.cols; j += panel_width)
    with_width(S.cols, j, [&]<int width>(Width<width>) {
      for (Index r = 0; r < rows.count; ++r)
        add_outer_products<width>(
            rows, static_cast<Index>(rows.indptr[r]), static_cast<Index>(rows.indptr[r + 1]),
            panels + j * rows.count + r * row, {S.data + j, S.rows, S.cols, S.stride});
    });
}
