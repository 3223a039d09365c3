// The scan's kernels over `Lanes`; a file for each instruction set defines `Lanes`. Everything has
// internal linkage and uses no library templates: the linker must never choose the copy of another
// instruction set.

#include "backend/cpu/scan_kernels.h"
#include "backend/cpu/scan_product.inl"

namespace gemmine::cpu {
namespace {

double copy_row(const float* row, Index d, float* words) {
  for (Index t = 0; t < d; ++t) words[t] = row[t];
  return 0;
}

void bound_tile(const float* tile, const RowFactors& factors, int count, const PanelBounds& bounds,
                float* upper, float* lower) {
  for (int row = 0; row < panel_rows; row += width) {
    const Vector up = Lanes::load(bounds.up + row);
    const Vector down = Lanes::load(bounds.down + row);
    const Vector norm = Lanes::load(bounds.norm + row);
    const Vector residual = Lanes::load(bounds.residual + row);
    for (int q = 0; q < count; ++q) {
      const int at = q * panel_rows + row;
      const Vector score = Lanes::load(tile + at);
      const Vector error = Lanes::broadcast(factors.norm[q]) * norm +
                           Lanes::broadcast(factors.residual[q]) * residual;
      Lanes::store((score + up) + error, upper + at);
      Lanes::store((score + down) - error, lower + at);
    }
  }
}

// Bit i is set if score i of a tile's row passes the test.
template <std::uint32_t (*test)(Vector, Vector)>
std::uint32_t rows_that(const float* scores, float threshold) {
  const Vector limit = Lanes::broadcast(threshold);
  std::uint32_t bits = 0;
#pragma GCC unroll 8
  for (int row = 0; row < panel_rows; row += width)
    bits |= test(Lanes::load(scores + row), limit) << row;
  return bits;
}

// Fills in the event's fields of one level; returns the rows that are above it or may be.
std::uint32_t find_level(const TileFilter& filter, int level, const float* upper,
                         const float* lower, ScanEvent& event) {
  event.above[level] = event.straddling[level] = 0;
  if (!filter.used[level]) return 0;
  const int q = event.query;
  const std::uint32_t maybe = rows_that<Lanes::not_at_most>(upper, filter.maybe[level][q]);
  if (maybe == 0) return 0;
  event.above[level] = rows_that<Lanes::greater>(lower, filter.above[level][q]);
  event.straddling[level] = maybe & ~event.above[level];
  return maybe;
}

int filter_tile(const TileFilter& filter, const float* upper, const float* lower,
                ScanEvent* events) {
  int found = 0;
  for (int q = 0; q < filter.count; ++q, upper += panel_rows, lower += panel_rows) {
    ScanEvent& event = events[found];
    event.query = q;
    event.admissible = rows_that<Lanes::not_less>(upper, filter.admissible[q]);
    event.rejected =
        filter.rejected_used ? rows_that<Lanes::not_less>(upper, filter.rejected[q]) : 0;
    std::uint32_t any = event.admissible | event.rejected;
#pragma GCC unroll 3
    for (int level = 0; level < level_count; ++level)
      any |= find_level(filter, level, upper, lower, event);
    found += any != 0;
  }
  return found;
}

void filter_columns(const float* upper, const ColumnUnits& units, int count,
                    const float* thresholds, std::uint32_t* rows) {
  for (int q = 0; q < count; ++q, upper += panel_rows) {
    const Vector scale = Lanes::broadcast(units.scale[q]);
    const Vector shift = Lanes::broadcast(units.shift[q]);
    std::uint32_t bits = 0;
#pragma GCC unroll 8
    for (int row = 0; row < panel_rows; row += width) {
      const Vector reached = Lanes::multiply_add(Lanes::load(upper + row), scale, shift);
      bits |= Lanes::not_less(reached, Lanes::load(thresholds + row)) << row;
    }
    rows[q] = bits;
  }
}

// ---- Canonical sums: 8 lanes of float64, in as many registers as they need.

constexpr int half = width / 2;
constexpr int parts = 8 / half;
using Doubles = Lanes::Doubles;
typedef double LooseDoubles __attribute__((vector_size(half * 8), aligned(8)));

// Exact in float64, so fusing it with the sum does not change the result.
struct Product {
  static Doubles add(Doubles query, Doubles row, Doubles sum) {
    return Lanes::add_product(query, row, sum);
  }
};
struct SquaredDifference {
  static Doubles add(Doubles query, Doubles row, Doubles sum) {
    const Doubles difference = query - row;
    return sum + difference * difference;
  }
};

double tree_sum(const Doubles* sums) {
  double s[8];
  for (int p = 0; p < parts; ++p) *reinterpret_cast<LooseDoubles*>(s + p * half) = sums[p];
  return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
}

template <class Term>
[[gnu::always_inline]] inline void add_eight(const double* query, const float* row, Doubles* sums) {
#pragma GCC unroll 4
  for (int p = 0; p < parts; ++p) {
    const auto weights = *reinterpret_cast<const LooseDoubles*>(query + p * half);
    sums[p] = Term::add(weights, Lanes::widen(row + p * half), sums[p]);
  }
}

template <class Term>
void sum_rows(const double* query, const float* const rows[4], Index d, double results[4]) {
  Doubles sums[4][parts] = {};
  Index t = 0;
  for (; t + 8 <= d; t += 8) {
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) add_eight<Term>(query + t, rows[i] + t, sums[i]);
  }
  if (t < d) {
    for (int i = 0; i < 4; ++i) {
      float last[8] = {};
      for (Index at = t; at < d; ++at) last[at - t] = rows[i][at];
      add_eight<Term>(query + t, last, sums[i]);
    }
  }
  for (int i = 0; i < 4; ++i) results[i] = tree_sum(sums[i]);
}

void dot_rows(const double* query, const float* const rows[4], Index d, double sums[4]) {
  sum_rows<Product>(query, rows, d, sums);
}

void distance_rows(const double* query, const float* const rows[4], Index d, double sums[4]) {
  sum_rows<SquaredDifference>(query, rows, d, sums);
}

double centre_row(const float* row, double factor, const float* centre, double scale, Index d,
                  float* out) {
  for (Index t = 0; t < d; ++t)
    out[t] = static_cast<float>((double{row[t]} * factor - double{centre[t]}) * scale);
  Doubles sums[parts] = {};
  double squared = 0;
  Index t = 0;
  for (; t + 8 <= d; t += 8)
    for (int p = 0; p < parts; ++p) {
      const Doubles wide = Lanes::widen(out + t + p * half);
      sums[p] += wide * wide;
    }
  for (; t < d; ++t) squared += double{out[t]} * double{out[t]};
  return squared + tree_sum(sums);
}

constexpr ScanKernels kernels(const char* name) {
  return {.name = name,
          .float32 = {.name = "float32",
                      .features = "",
                      .per_word = 1,
                      .unit_roundoff = 0x1p-24,
                      .pack_row = copy_row,
                      .score_tile = score_tile},
          .bound_tile = bound_tile,
          .filter_tile = filter_tile,
          .filter_columns = filter_columns,
          .dot_rows = dot_rows,
          .distance_rows = distance_rows,
          .centre_row = centre_row};
}

}  // namespace
}  // namespace gemmine::cpu
