#pragma once

#include <cstdint>
#include <vector>

#include "backend/proof/log_sum.h"
#include "core/matrix.h"

namespace gemmine::cpu {

// A sweep goes through the components in panels of this many.
inline constexpr Index sweep_panel = 4;

// One sweep problem over `rows` rows and k components, padded with zeros to whole panels in the
// small matrices, which lie in panels of columns: [panels][padded][sweep_panel].
struct SweepProblem {
  Index rows;
  Index k;
  Index padded;
  Index sweeps;
  float half_l1;
  float relaxation;
  const float* positive;  // [padded×padded]; what it holds is said at each kernel
  const float* negative;  // [padded×padded]
  const float* inverse;   // [padded] 1 / (N_jj + l2); 0 keeps the column
  const float* cross;
  Index cross_stride;
  float* factor;
  Index factor_stride;
  const float* row_diagonal;  // [rows], what a row adds to positive's diagonal; null: nothing
  float* scratch;             // sweep_scratch(k) floats
};

// What is read off a run of elements. Float32 elements, float64 sums over lanes.
struct ElementSums {
  double squared_norm;
  double sum;
  float smallest;             // +infinity for none
  std::int32_t largest_bits;  // of max|x|; >= 0x7F800000 where an element is not finite
};

// A left operand A [rows×depth] that is read in place: A(i, t) = data[i·row_step + t·depth_step].
struct LeftOperand {
  const float* data;
  Index rows;
  Index depth;
  Index row_step;
  Index depth_step;
};

// Rows of CSR, as in RowBlock.
struct SparseRows {
  Index count;
  const double* indptr;
  const std::int32_t* indices;
  const float* values;
};

// Some entries x of X beside those v of the model, in one row.
struct EntryRun {
  const float* x;
  const float* v;
  const float* seen;  // 1, or 0 for an entry that does not count; null: all count
  Index count;
  double weight;  // of the row
  double beta;
};
// Entries of the model below this count as this: a zero could not be divided by. X is scaled so
// that its largest entry lies in [1, 2).
inline constexpr double smallest_model_entry = 0x1p-60;

// Some elements of a factor with numerators and denominators.
struct RatioRun {
  float* factor;
  const double* above;
  const double* below;
  Index count;
  double half_l1;
  double l2;
  double exponent;
};

// What is known of ‖c_j‖² for each centre c_j of k, padded to whole panels: the padding is never
// near. `lengths` are at least ‖c_j‖.
struct CenterBounds {
  const float* low;
  const float* high;
  const float* lengths;
  Index padded;
};
inline constexpr Index exponentials_at_once = 32;
inline constexpr Index maxima_lanes = 16;

// Everything that is compiled once for each instruction set.
struct Kernels {
  const char* features;  // the instruction sets that it needs, separated by spaces

  // positive = N with a zero diagonal, inverse.
  void (*nonnegative_sweep)(const SweepProblem&);
  void (*signed_sweep)(const SweepProblem&);
  // positive = N + l2 I.
  void (*multiplicative_update)(const SweepProblem&);
  // positive = N⁺ + l2 I, negative = N⁻.
  void (*sign_split_update)(const SweepProblem&);

  // C = A·B or C += A·B for few columns, or few products to a sum, where a packed copy of A would
  // cost much of the rate. B lies in panels of panel_width columns, [panels][depth][panel_width],
  // zeros beyond its last column; C's stride is a multiple of panel_width, and it is written so
  // far.
  Index panel_width;
  void (*multiply_panels)(const LeftOperand& A, const float* panels, HostView<float> C, bool add);
  // C = Σ (a − b)² in place of A·B.
  void (*distance_panels)(const LeftOperand& A, const float* panels, HostView<float> C);

  ElementSums (*summarize)(const float* elements, Index count);
  // Σ a_i b_i, each product exact.
  double (*dot)(const float* a, const float* b, Index count);
  // to += scale·from and to = scale·from; `to` of the first has no gaps between rows.
  void (*add_to_double)(HostView<const float> from, double scale, double* to);
  void (*scaled_copy)(HostView<const float> from, double scale, HostView<float> to);
  // The same products of CSR rows: P = rows·B with B in panels [panels][depth][panel_width], and
  // S += rowsᵀ·W with W in panels.
  void (*sparse_multiply)(const SparseRows&, Index depth, const float* panels, HostView<float> P);
  void (*sparse_add_at_b)(const SparseRows&, const float* panels, HostView<float> S);

  // Σ weight·seen·d_β(x, v) in float64.
  double (*divergence)(const EntryRun&);
  // a = weight·seen·x·v^(β−2) and, unless null, b = weight·seen·v^(β−1).
  void (*divergence_terms)(const EntryRun&, float* a, float* b);
  // f = f·(above / (below + half_l1 + l2 f))^exponent. A zero stays zero; 0/0 keeps f.
  void (*ratio_update)(const RatioRun&);
  // v_t = w_i·h_j at the entries (i, j) of CSR; rows of W and Ht end in zeros up to their strides,
  // which are multiples of panel_width.
  void (*sparse_products)(const SparseRows&, HostView<const float> W, HostView<const float> Ht,
                          float* v);

  // to = scale·row − origin, and Σ to² of each row.
  void (*centre_rows)(HostView<const float> rows, double scale, const double* origin,
                      HostView<float> to, double* norms);
  // The centres j, ascending, that may have the least ‖c_j‖² − 2 p_j when each differs from the
  // truth by slack·lengths_j at most, and those within `tie` of the least. Returns how many.
  Index (*near_centers)(const float* products, const CenterBounds&, float slack, float tie,
                        std::int32_t* found);
  // Σ (scale·row − center)².
  double (*squared_distance)(const float* row, Index d, double scale, const double* center);
  // The same, and sums += weight·scale·row.
  double (*add_to_cluster)(const float* row, Index d, double scale, double weight,
                           const double* center, double* sums);
  // Adds exponentials_at_once rows, those of score −∞ as nothing. The same bits in every set.
  void (*add_exponentials)(const double* scores, const double* widths, double scale, LogSum& to);
  // maxima [count × maxima_lanes] are raised by columns begin .. end − 1 of rows [count ×
  // 2·maxima_lanes]: each row's maximum is the largest of its lanes.
  void (*raise_maxima)(const float* rows, Index count, Index begin, Index end, float* maxima);
};

extern const Kernels baseline_kernels;
#if defined(__x86_64__)
extern const Kernels avx2_kernels;
extern const Kernels avx512_kernels;
#endif

// Those that this CPU can run, the fastest first.
std::vector<const Kernels*> runnable_kernels();
const Kernels& kernels();

// Rows of scratch are a tile of at most 32 rows; three tiles and their alignment.
constexpr Index sweep_scratch(Index padded) { return 3 * 32 * padded + 16; }

}  // namespace gemmine::cpu
