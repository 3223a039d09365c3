// Part of kernels.inl.

// ---- Exchanges of weights on the simplex, see SimplexRows.

inline DoubleLanes lesser(DoubleLanes a, DoubleLanes b) { return a < b ? a : b; }

inline double lane_minimum(DoubleLanes x) {
#if defined(__AVX512F__)
  x = lesser(x, __builtin_shufflevector(x, x, 4, 5, 6, 7, 0, 1, 2, 3));
  x = lesser(x, __builtin_shufflevector(x, x, 2, 3, 0, 1, 6, 7, 4, 5));
  x = lesser(x, __builtin_shufflevector(x, x, 1, 0, 3, 2, 5, 4, 7, 6));
#elif defined(__AVX2__)
  x = lesser(x, __builtin_shufflevector(x, x, 2, 3, 0, 1));
  x = lesser(x, __builtin_shufflevector(x, x, 1, 0, 3, 2));
#else
  x = lesser(x, __builtin_shufflevector(x, x, 1, 0));
#endif
  return x[0];
}

// Bit l is set where a_l <= b.
inline std::uint64_t at_most(DoubleLanes a, double b) {
  const DoubleLanes limit = DoubleLanes{} + b;
#if defined(__AVX512F__)
  return _mm512_cmp_pd_mask(a, limit, _CMP_LE_OQ);
#elif defined(__AVX2__)
  return static_cast<std::uint64_t>(_mm256_movemask_pd(_mm256_cmp_pd(a, limit, _CMP_LE_OQ)));
#else
  std::uint64_t bits = 0;
  for (Index l = 0; l < double_lanes; ++l) bits |= std::uint64_t{a[l] <= limit[l]} << l;
  return bits;
#endif
}

// The first of the elements that is at most `limit`; 0 if all are NaN.
inline Index first_at_most(const double* elements, Index padded, double limit) {
  for (Index j = 0; j < padded; j += double_lanes)
    if (const std::uint64_t found = at_most(load_double(elements + j), limit))
      return j + __builtin_ctzll(found);
  return 0;
}

// What moving weight from each component to a gains, negated; 0 where nothing moves.
inline DoubleLanes loss_of_move(const Exchanges& e, const double* of_a, double own, double slope_a,
                                DoubleLanes w, DoubleLanes slope, Index j) {
  const DoubleLanes difference = slope - slope_a;
  DoubleLanes curvature = own + load_double(e.diagonal + j) - 2 * load_double(of_a + j);
  curvature = curvature < e.least_curvature ? DoubleLanes{} + e.least_curvature : curvature;
  const DoubleLanes best = difference / curvature;
  const DoubleLanes length = lesser(best, w);
  const DoubleLanes gain = length * (difference - curvature * length / 2);
  const DoubleLanes none = {};
  const auto moves = (w > none) & (difference > e.least_slope + none);
  return moves ? -gain : none;
}

inline DoubleLanes lowest_lanes(const double* elements, Index padded) {
  DoubleLanes low = load_double(elements);
  for (Index j = double_lanes; j < padded; j += double_lanes)
    low = lesser(load_double(elements + j), low);
  return low;
}

// One exchange; returns whether anything was left to gain. `low` has the lowest slopes by lane.
inline bool exchange_once(const Exchanges& e, double* w, double* slope, double* losses,
                          DoubleLanes& low) {
  const Index a = first_at_most(slope, e.padded, lane_minimum(low) + e.least_slope);
  const double* of_a = e.normal + a * e.padded;
  const double slope_a = slope[a];
  DoubleLanes least = {};
  for (Index j = 0; j < e.padded; j += double_lanes) {
    const DoubleLanes loss =
        loss_of_move(e, of_a, of_a[a], slope_a, load_double(w + j), load_double(slope + j), j);
    store_double(loss, losses + j);
    least = lesser(loss, least);
  }
  const double best = lane_minimum(least);
  if (!(best < 0)) return false;
  const Index b = first_at_most(losses, e.padded, best);
  const double* of_b = e.normal + b * e.padded;
  double curvature = of_a[a] + e.diagonal[b] - 2 * of_a[b];
  curvature = curvature < e.least_curvature ? e.least_curvature : curvature;
  const double wanted = (slope[b] - slope_a) / curvature;
  const double moved = wanted < w[b] ? wanted : w[b];
  w[a] += moved;
  w[b] = moved < w[b] ? w[b] - moved : 0;
  const DoubleLanes none = {};
  low = none + __builtin_inf();
  for (Index j = 0; j < e.padded; j += double_lanes) {
    const DoubleLanes change = moved * (load_double(of_a + j) - load_double(of_b + j));
    const DoubleLanes next = load_double(slope + j) + change;
    store_double(next, slope + j);
    low = lesser(next, low);
  }
  return true;
}

// The rows take turns, so that the latencies of one pass beside the work of the others.
void exchange(const Exchanges& e, double* weights, double* slopes, double* losses) {
  bool moves[exchanged_at_once];
  DoubleLanes low[exchanged_at_once];
  for (Index i = 0; i < e.rows; ++i) {
    moves[i] = true;
    low[i] = lowest_lanes(slopes + i * e.padded, e.padded);
  }
  for (Index step = 0; step < e.steps; ++step) {
    bool any = false;
    for (Index i = 0; i < e.rows; ++i) {
      if (!moves[i]) continue;
      const Index at = i * e.padded;
      moves[i] = exchange_once(e, weights + at, slopes + at, losses, low[i]);
      any |= moves[i];
    }
    if (!any) return;
  }
}
