// Part of kernels.inl.

// ---- Maxima of some columns, kept as maxima_lanes numbers; the maximum is the largest of them.

constexpr Index maxima_vectors = maxima_lanes / lanes;

// Columns begin .. end − 1 of 2·maxima_lanes.
void raise_maxima(const float* rows, Index count, Index begin, Index end, float* maxima) {
  float barrier[2 * maxima_lanes];  // upper limit per column: −∞ excludes the column
  for (Index i = 0; i < 2 * maxima_lanes; ++i)
    barrier[i] = i >= begin && i < end ? __builtin_inff() : -__builtin_inff();
  for (Index row = 0; row < count; ++row, rows += 2 * maxima_lanes, maxima += maxima_lanes)
    for (Index v = 0; v < maxima_vectors; ++v) {
      const Index at = v * lanes;
      const Lanes low = min(load(rows + at), load(barrier + at));
      const Lanes high = min(load(rows + at + maxima_lanes), load(barrier + at + maxima_lanes));
      store(max(load(maxima + at), max(low, high)), maxima + at);
    }
}
