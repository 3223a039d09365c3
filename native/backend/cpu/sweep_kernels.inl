// Part of kernels.inl.

// ---- Sweeps. Lanes are rows: a tile of two vectors of rows is transposed to [padded][tile], so
// that component j of all its rows is contiguous.

constexpr Index tile = 2 * lanes;
constexpr Index panel = sweep_panel;  // products with other components are computed per panel

struct Tile {
  Lanes* F;      // the factor
  Lanes* C;      // cross
  Lanes* other;  // output of the sweep
  Lanes* ahead;  // the extrapolated factor
  Lanes diagonal[2];
  Lanes momentum[2];
};

Tile tile_in(float* scratch, Index padded) {
  const auto address = reinterpret_cast<std::uintptr_t>(scratch);
  auto* first = reinterpret_cast<Lanes*>((address + 63) / 64 * 64);
  return {first, first + 2 * padded, first + 4 * padded, first + 6 * padded, {}, {}};
}

// Missing rows and components are set to zero.
void load_tile(const float* from, Index stride, Index rows, Index k, Index padded, Lanes* to) {
  auto* out = reinterpret_cast<float*>(to);
  if (rows < tile || k < padded)
    for (Index i = 0; i < tile * padded; ++i) out[i] = 0;
  for (Index r = 0; r < rows; ++r)
    for (Index j = 0; j < k; ++j) out[j * tile + r] = from[r * stride + j];
}

void store_tile(const Lanes* from, Index rows, Index k, Index stride, float* to) {
  const auto* in = reinterpret_cast<const float*>(from);
  for (Index r = 0; r < rows; ++r)
    for (Index j = 0; j < k; ++j) to[r * stride + j] = in[j * tile + r];
}

// Four components by two vectors of rows.
struct Panel {
  Lanes at[panel][2];
};

// sums ± (F N) of a panel's components; N holds their columns, [padded][panel].
template <Lanes (*accumulate)(Lanes, Lanes, Lanes)>
inline void add_products(const Lanes* F, const float* N, Index padded, Panel& sums) {
  Panel local = sums;
  for (Index i = 0; i < padded; ++i) {
    const Lanes low = F[2 * i];
    const Lanes high = F[2 * i + 1];
    const float* row = N + i * panel;
    for (Index p = 0; p < panel; ++p) {
      const Lanes weight = all(row[p]);
      local.at[p][0] = accumulate(local.at[p][0], low, weight);
      local.at[p][1] = accumulate(local.at[p][1], high, weight);
    }
  }
  sums = local;
}

// f_j = next(c_j − Σ_{i≠j} f_i N_ij, 1 / (N_jj + l2), f_j), one component after the other. The sums
// of a panel use the values before the panel's update; each new value then corrects the sums of the
// later components of the panel.
template <class Next>
void gauss_seidel(const SweepProblem& problem, const Tile& rows, Next next) {
  const Index padded = problem.padded;
  for (Index j0 = 0; j0 < padded; j0 += panel) {
    Panel sums;
    for (Index p = 0; p < panel; ++p)
      for (Index v = 0; v < 2; ++v) sums.at[p][v] = rows.C[2 * (j0 + p) + v];
    const float* N = problem.positive + j0 * padded;
    add_products<subtract_product>(rows.F, N, padded, sums);
    for (Index p = 0; p < panel; ++p) {
      const Index j = j0 + p;
      if (problem.inverse[j] == 0) continue;
      for (Index v = 0; v < 2; ++v) {
        const Lanes old = rows.F[2 * j + v];
        const Lanes value = next(sums.at[p][v], problem.inverse[j], old);
        const Lanes change = value - old;
        rows.F[2 * j + v] = value;
        for (Index q = p + 1; q < panel; ++q) {
          const Lanes weight = all(N[j * panel + q]);
          sums.at[q][v] = subtract_product(sums.at[q][v], change, weight);
        }
      }
    }
  }
}

void nothing_first(Tile&) {}

// Calls first(tile) once and sweep(tile) `sweeps` times for each tile of rows; tile.F then holds
// the result.
template <class Sweep, class First = void (*)(Tile&)>
void for_tiles(const SweepProblem& problem, Sweep sweep, First first = nothing_first) {
  Tile rows = tile_in(problem.scratch, problem.padded);
  for (Index begin = 0; begin < problem.rows; begin += tile) {
    const Index count = problem.rows - begin < tile ? problem.rows - begin : tile;
    float* factor = problem.factor + begin * problem.factor_stride;
    load_tile(problem.cross + begin * problem.cross_stride, problem.cross_stride, count, problem.k,
              problem.padded, rows.C);
    load_tile(factor, problem.factor_stride, count, problem.k, problem.padded, rows.F);
    if (problem.row_diagonal != nullptr)
      load_tile(problem.row_diagonal + begin, 1, count, 1, 1, rows.diagonal);
    first(rows);
    for (Index s = 0; s < problem.sweeps; ++s) sweep(rows);
    store_tile(rows.F, count, problem.k, problem.factor_stride, factor);
  }
}

void nonnegative_sweep(const SweepProblem& problem) {
  const Lanes half_l1 = all(problem.half_l1);
  const Lanes upper = all(problem.upper);
  const float relaxation = problem.relaxation;
  for_tiles(problem, [&](Tile& rows) {
    gauss_seidel(problem, rows, [&](Lanes sum, float inverse, Lanes old) {
      const Lanes target = (sum - half_l1) * (relaxation * inverse);
      return min(max(target + (1 - relaxation) * old, Lanes{}), upper);
    });
  });
}

// One step from rows.ahead. Returns ⟨y − f, f − old f⟩ of each row in the metric of the diagonal:
// it is positive where the extrapolation went too far.
inline void gradient_step(const SweepProblem& problem, Tile& rows, Lanes overshoot[2]) {
  const Index padded = problem.padded;
  const Lanes upper = all(problem.upper);
  for (Index j0 = 0; j0 < padded; j0 += panel) {
    Panel slope;
    for (Index p = 0; p < panel; ++p)
      for (Index v = 0; v < 2; ++v)
        slope.at[p][v] = rows.C[2 * (j0 + p) + v] - all(problem.half_l1);
    const float* N = problem.positive + j0 * padded;
    add_products<subtract_product>(rows.ahead, N, padded, slope);
    for (Index p = 0; p < panel; ++p) {
      const Index j = j0 + p;
      const Lanes weight = all(N[j * panel + p]);
      const Lanes inverse = all(problem.inverse[j]);
      for (Index v = 0; v < 2; ++v) {
        const Index at = 2 * j + v;
        const Lanes from = rows.ahead[at];
        const Lanes next = min(max(add_product(from, slope.at[p][v], inverse), Lanes{}), upper);
        overshoot[v] += weight * (from - next) * (next - rows.F[at]);
        rows.other[at] = next;
      }
    }
  }
}

// Beck & Teboulle (2009) with the restart of O'Donoghue & Candès (2015), for each row.
void projected_gradient(const SweepProblem& problem) {
  const auto first = [&](Tile& rows) {
    for (Index at = 0; at < 2 * problem.padded; ++at) rows.ahead[at] = rows.F[at];
    rows.momentum[0] = rows.momentum[1] = all(1);
  };
  const auto sweep = [&](Tile& rows) {
    Lanes overshoot[2] = {};
    gradient_step(problem, rows, overshoot);
    Lanes share[2];
    for (Index v = 0; v < 2; ++v) {
      const Lanes t = rows.momentum[v];
      const Lanes next = 0.5f + 0.5f * square_root(1 + 4 * t * t);
      share[v] = overshoot[v] > Lanes{} ? Lanes{} : (t - 1) / next;
      rows.momentum[v] = overshoot[v] > Lanes{} ? all(1) : next;
    }
    for (Index at = 0; at < 2 * problem.padded; ++at)
      rows.ahead[at] = rows.other[at] + share[at % 2] * (rows.other[at] - rows.F[at]);
    Lanes* const old = rows.F;
    rows.F = rows.other;
    rows.other = old;
  };
  for_tiles(problem, sweep, first);
}

void signed_sweep(const SweepProblem& problem) {
  const Lanes threshold = all(problem.half_l1);
  for_tiles(problem, [&](Tile& rows) {
    gauss_seidel(problem, rows, [&](Lanes sum, float inverse, Lanes) {
      return (max(sum - threshold, Lanes{}) - max(-sum - threshold, Lanes{})) * inverse;
    });
  });
}

// f times a ratio of non-negative sums. 0/0 leaves f unchanged. A positive f stays above the
// subnormals, which are slow, unless the numerator is zero.
inline Lanes scaled_component(Lanes f, Lanes numerator, Lanes denominator, bool root) {
  const Lanes smallest = all(__FLT_MIN__);
  const Lanes zero = {};
  Lanes ratio = min(numerator / max(denominator, smallest), all(__FLT_MAX__));
  if (root) ratio = square_root(ratio);
  const Lanes raised = max(min(f * ratio, all(__FLT_MAX__)), smallest);
  const Lanes next = numerator > zero ? raised : zero;
  const Lanes moved = f > zero ? next : zero;
  return denominator > zero ? moved : (numerator > zero ? moved : f);
}

void multiplicative_update(const SweepProblem& problem) {
  for_tiles(problem, [&](Tile& rows) {
    for (Index j0 = 0; j0 < problem.padded; j0 += panel) {
      Panel below;
      for (Index p = 0; p < panel; ++p)
        for (Index v = 0; v < 2; ++v)
          below.at[p][v] = all(problem.half_l1) + rows.diagonal[v] * rows.F[2 * (j0 + p) + v];
      add_products<add_product>(rows.F, problem.positive + j0 * problem.padded, problem.padded,
                                below);
      for (Index p = 0; p < panel; ++p)
        for (Index v = 0; v < 2; ++v) {
          const Index at = 2 * (j0 + p) + v;
          rows.other[at] =
              scaled_component(rows.F[at], max(rows.C[at], Lanes{}), below.at[p][v], false);
        }
    }
    Lanes* const old = rows.F;
    rows.F = rows.other;
    rows.other = old;
  });
}

void sign_split_update(const SweepProblem& problem) {
  for_tiles(problem, [&](Tile& rows) {
    for (Index j0 = 0; j0 < problem.padded; j0 += panel) {
      Panel above;
      Panel below;
      for (Index p = 0; p < panel; ++p)
        for (Index v = 0; v < 2; ++v) {
          const Lanes c = rows.C[2 * (j0 + p) + v];
          above.at[p][v] = max(c, Lanes{});
          below.at[p][v] =
              max(-c, Lanes{}) + problem.half_l1 + rows.diagonal[v] * rows.F[2 * (j0 + p) + v];
        }
      const Index at_panel = j0 * problem.padded;
      add_products<add_product>(rows.F, problem.negative + at_panel, problem.padded, above);
      add_products<add_product>(rows.F, problem.positive + at_panel, problem.padded, below);
      for (Index p = 0; p < panel; ++p)
        for (Index v = 0; v < 2; ++v) {
          const Index at = 2 * (j0 + p) + v;
          rows.other[at] = scaled_component(rows.F[at], above.at[p][v], below.at[p][v], true);
        }
    }
    Lanes* const old = rows.F;
    rows.F = rows.other;
    rows.other = old;
  });
}
