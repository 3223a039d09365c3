// Part of kernels.inl.

// ---- Small triangular systems in float64, see Triangle.

// c − a·b, fused if the instruction set supports it.
inline DoubleLanes subtract_double_product(DoubleLanes c, DoubleLanes a, DoubleLanes b) {
#if defined(__AVX512F__)
  return _mm512_fnmadd_pd(a, b, c);
#elif defined(__AVX2__)
  return _mm256_fnmadd_pd(a, b, c);
#else
  return c - a * b;
#endif
}

void subtract_products(const Triangle& U, Index row, Index begin, Index end, double* to) {
  constexpr Index vectors = 4;
  Index t = begin;
  for (; end - t > (vectors - 1) * double_lanes; t += vectors * double_lanes) {
    DoubleLanes sums[vectors];
    for (Index v = 0; v < vectors; ++v) sums[v] = load_double(to + t + v * double_lanes);
    for (Index s = 0; s < row; ++s) {
      const double* from = U.rows + s * U.stride;
      const DoubleLanes share = DoubleLanes{} + from[row];
      for (Index v = 0; v < vectors; ++v)
        sums[v] = subtract_double_product(sums[v], share, load_double(from + t + v * double_lanes));
    }
    for (Index v = 0; v < vectors; ++v) store_double(sums[v], to + t + v * double_lanes);
  }
  for (; t < end; t += double_lanes) {
    DoubleLanes sum = load_double(to + t);
    for (Index s = 0; s < row; ++s) {
      const double* from = U.rows + s * U.stride;
      sum = subtract_double_product(sum, DoubleLanes{} + from[row], load_double(from + t));
    }
    store_double(sum, to + t);
  }
}

void solve_transposed(const Triangle& U, double* x) {
  for (Index i = 0; i < U.size; ++i) {
    x[i] *= U.inverse_diagonal[i];
    const DoubleLanes share = DoubleLanes{} + x[i];
    const double* row = U.rows + i * U.stride;
    for (Index t = i + 1; t < U.size; t += double_lanes)
      store_double(subtract_double_product(load_double(x + t), share, load_double(row + t)), x + t);
  }
}

void solve_upper(const Triangle& U, double* x) {
  for (Index i = U.size - 1; i >= 0; --i) {
    DoubleLanes sum = {};
    const double* row = U.rows + i * U.stride;
    for (Index t = i + 1; t < U.size; t += double_lanes)
      sum = subtract_double_product(sum, load_double(row + t), load_double(x + t));
    double rest = x[i];
    for (Index l = 0; l < double_lanes; ++l) rest += sum[l];
    x[i] = rest * U.inverse_diagonal[i];
  }
}
