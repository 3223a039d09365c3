// Part of kernels.inl.

// ---- Sweeps over one row with its own normal matrix. Lanes are components: `slope` holds c − f N
// throughout.

// slope −= change·N_j.
inline void move_slope(const OwnSweep& of, Index j, float change) {
  const float* row = of.normal + j * of.padded;
  const Lanes by = all(change);
  for (Index i = 0; i < of.padded; i += lanes)
    store(subtract_product(load(of.slope + i), by, load(row + i)), of.slope + i);
}

inline float next_component(const OwnSweep& of, Index j, float diagonal) {
  const float old = of.factor[j];
  if (of.signed_factor) {
    const float target = of.slope[j] + of.normal[j * of.padded + j] * old;
    const float size = (target < 0 ? -target : target) - of.half_l1;
    return size > 0 ? (target < 0 ? -size : size) / diagonal : 0;
  }
  const float next = old + of.relaxation * ((of.slope[j] - of.half_l1 - of.l2 * old) / diagonal);
  if (!(next > 0)) return 0;
  return next < of.upper ? next : of.upper;
}

void own_sweep(const OwnSweep& of) {
  for (Index j = 0; j < of.k; ++j)
    if (of.factor[j] != 0) move_slope(of, j, of.factor[j]);
  for (Index sweep = 0; sweep < of.sweeps; ++sweep)
    for (Index j = 0; j < of.k; ++j) {
      const float diagonal = of.normal[j * of.padded + j] + of.l2;
      if (!(diagonal >= __FLT_MIN__)) continue;
      const float next = next_component(of, j, diagonal);
      if (next == of.factor[j]) continue;
      move_slope(of, j, next - of.factor[j]);
      of.factor[j] = next;
    }
}
