#pragma once

#include <cstdint>
#include <vector>

#include "backend/loss.h"
#include "backend/proof/log_sum.h"
#include "core/matrix.h"
#include "core/row_block.h"

namespace gemmine::cpu {

// Columns of a panel of B in the widest kernels.
inline constexpr Index widest_panel = 64;

// Components per panel of a sweep.
inline constexpr Index sweep_panel = 4;

// One sweep problem over `rows` rows and k components. The small matrices are padded with zeros to
// whole panels and stored in panels of columns: [panels][padded][sweep_panel].
struct SweepProblem {
  Index rows;
  Index k;
  Index padded;
  Index sweeps;
  float half_l1;
  float relaxation;
  float upper;            // bound of the factor's entries; +infinity for none
  const float* positive;  // [padded×padded]; contents: see each kernel
  const float* negative;  // [padded×padded]
  const float* inverse;   // [padded] 1 / (N_jj + l2); 0: the component is unchanged
  const float* cross;
  Index cross_stride;
  float* factor;
  Index factor_stride;
  const float* row_diagonal;  // [rows], added to positive's diagonal, per row; null: none
  float* scratch;             // sweep_scratch(k) floats
};

// Sums over a run of elements: float32 elements, float64 sums over lanes.
struct ElementSums {
  double squared_norm;
  double sum;
  float smallest;             // +infinity for none
  std::int32_t largest_bits;  // of max|x|; >= 0x7F800000 if an element is not finite
};

// Sweeps over the k components of one row f with its own normal matrix N [k×padded], rows padded
// with zeros to whole vectors.
struct OwnSweep {
  Index k;
  Index padded;
  Index sweeps;
  float half_l1;
  float l2;
  float relaxation;
  float upper;
  bool signed_factor;  // soft threshold, ω = 1
  const float* normal;
  float* slope;   // [padded]: c, overwritten
  float* factor;  // [k]
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

// The rows of a right operand, in panels or one after the other, padded with zeros to whole
// vectors: B(t, j) = data[t·row_step + ⌊j / panel_width⌋·panel_step + j mod panel_width].
struct RightRows {
  const float* data;
  Index row_step;
  Index panel_step;
};

// Some entries x of one row of X, with the entries v of the model.
struct EntryRun {
  const float* x;
  const float* v;
  const float* seen;  // 1, or 0 for an entry that does not count; null: all count
  Index count;
  double weight;  // of the row
  Loss loss;      // an entry's: not of rows
  double least;   // of v: smaller ones are raised to it
};
// Smaller entries of the model are raised to this, because the loss divides by them. X is scaled so
// that its largest entry is in [1, 2).
inline constexpr double smallest_model_entry = 0x1p-60;
// A smaller weight of a correntropy counts as 0, so that it has no terms: products of a weight and
// a model entry that do not vanish are then normal float32. The share σ² of an entry or row in the
// loss changes by less than this fraction of it.
inline constexpr double smallest_correntropy_weight = 0x1p-60;

// Some elements of a factor with numerators and denominators.
struct RatioRun {
  float* factor;
  const double* above;
  const double* below;
  Index count;
  double half_l1;
  double l2;
  double exponent;
  double upper;  // of the element
};

// An upper triangle U [size×size] in float64, rows `stride` apart. Kernels read up to
// triangle_padding finite elements beyond each row and do not use them.
struct Triangle {
  const double* rows;
  Index stride;
  const double* inverse_diagonal;
  Index size;
};
inline constexpr Index triangle_padding = 8;

// Bounds of ‖c_j‖² for the k centres c_j, padded to whole panels; padding is never selected.
// `lengths` are at least ‖c_j‖.
struct CenterBounds {
  const float* low;
  const float* high;
  const float* lengths;
  Index padded;
};
inline constexpr Index exponentials_at_once = 32;
inline constexpr Index maxima_lanes = 16;

// The functions that are compiled once per instruction set.
struct Kernels {
  const char* features;  // the instruction sets that it needs, separated by spaces

  // f_j = max(0, min(u, f_j + ω (c_j − (f N)_j − l1/2 − l2 f_j) / (N_jj + l2))), or the soft
  // threshold. A component with N_jj + l2 below the normal numbers is unchanged.
  void (*own_sweep)(const OwnSweep&);
  // positive = N with a zero diagonal, inverse.
  void (*nonnegative_sweep)(const SweepProblem&);
  void (*signed_sweep)(const SweepProblem&);
  // positive = N + l2 I, inverse times 1/L.
  void (*projected_gradient)(const SweepProblem&);
  // positive = N + l2 I.
  void (*multiplicative_update)(const SweepProblem&);
  // positive = N⁺ + l2 I, negative = N⁻.
  void (*sign_split_update)(const SweepProblem&);

  // C = A·B or C += A·B for few columns, or few products per sum, for which a packed copy of A
  // would be slow. B is stored in panels of panel_width columns, [panels][depth][panel_width], with
  // zeros beyond its last column; a single panel has only as many whole vectors as B needs. C's
  // stride is a multiple of `lanes`, and whole vectors of C are written.
  Index panel_width;
  Index lanes;  // floats in a vector; panel_width is a multiple
  void (*multiply_panels)(const LeftOperand& A, const float* panels, HostView<float> C, bool add);
  // C = Σ (a − b)² in place of A·B.
  void (*distance_panels)(const LeftOperand& A, const float* panels, HostView<float> C);

  ElementSums (*summarize)(const float* elements, Index count);
  // Σ a_i b_i, each product exact.
  double (*dot)(const float* a, const float* b, Index count);
  // Σ_t (x_t − Σ_j w_j H_jt)² in float64, H [k×d] without gaps.
  double (*squares_left)(const double* x, Index d, const float* w, const double* H, Index k);
  // to += scale·from and to = scale·from; in the first, `to` has no gaps between rows.
  void (*add_to_double)(HostView<const float> from, double scale, double* to);
  void (*scaled_copy)(HostView<const float> from, double scale, HostView<float> to);
  // The same products of CSR rows: P = rows·B, and S += rowsᵀ·W with W in panels.
  void (*sparse_multiply)(const SparseRows&, const RightRows& B, HostView<float> P);
  void (*sparse_add_at_b)(const SparseRows&, const float* panels, HostView<float> S);

  // Σ weight·seen·loss(x, v) in float64.
  double (*divergence)(const EntryRun&);
  // Terms of the numerators and, unless b is null, of the denominators, times weight·seen: a =
  // x·v^(β−2) and b = v^(β−1); a = x/v and b = (x + s)/(v + s) for negative_binomial, or a =
  // b·x/v and b = (1 + s)/(v + s) for its β = 0; a = w·x and b
  // = w·v with w = min(1, δ/|x − v|) for huber, exp(−(x − v)²/2σ²) for correntropy.
  void (*divergence_terms)(const EntryRun&, float* a, float* b);
  // The same with b = w, for losses that are bounded by squares.
  void (*weighted_squares)(const EntryRun&, float* a, float* b);
  // f = f·(above / (below + half_l1 + l2 f))^exponent. A zero stays zero; 0/0 keeps f.
  void (*ratio_update)(const RatioRun&);
  // v_t = w_i·h_j at the entries (i, j) of CSR, whose indptr starts at 0; rows of W and Ht are
  // padded with zeros up to their strides, which are multiples of `lanes`.
  void (*sparse_products)(const SparseRows&, HostView<const float> W, HostView<const float> Ht,
                          float* v);

  // to_t −= Σ_{s<row} U_s,row U_st for begin <= t < end. Elements beyond `end` change, at most
  // triangle_padding.
  void (*subtract_products)(const Triangle&, Index row, Index begin, Index end, double* to);
  // x = U⁻ᵀ x, after which elements of x beyond the triangle have changed, and x = U⁻¹ x, for which
  // they are 0; both at most triangle_padding.
  void (*solve_transposed)(const Triangle&, double* x);
  void (*solve_upper)(const Triangle&, double* x);

  // to = scale·row − origin, and Σ to² of each row.
  void (*centre_rows)(HostView<const float> rows, double scale, const double* origin,
                      HostView<float> to, double* norms);
  // Writes to the last argument the centres j, ascending, that may have the smallest ‖c_j‖² − 2 p_j
  // if each p_j has an error of at most slack·lengths_j, and those within `tie` of the smallest.
  // Returns their number.
  Index (*near_centers)(const float* products, const CenterBounds&, float slack, float tie,
                        std::int32_t* found);
  // Σ (scale·row − center)².
  double (*squared_distance)(const float* row, Index d, double scale, const double* center);
  // The same, and sums += weight·scale·row.
  double (*add_to_cluster)(const float* row, Index d, double scale, double weight,
                           const double* center, double* sums);
  // Adds exponentials_at_once rows; a score of −∞ adds 0. The bits are the same for every
  // instruction set.
  void (*add_exponentials)(const double* scores, const double* widths, double scale, LogSum& to);
  // Raises maxima [count × maxima_lanes] by columns begin .. end − 1 of rows [count ×
  // 2·maxima_lanes]; the maximum of a row is the largest of its lanes.
  void (*raise_maxima)(const float* rows, Index count, Index begin, Index end, float* maxima);
};

extern const Kernels baseline_kernels;
#if defined(__x86_64__)
extern const Kernels avx2_kernels;
extern const Kernels avx512_kernels;
#endif

// The kernels that this CPU can run, fastest first.
std::vector<const Kernels*> runnable_kernels();
const Kernels& kernels();

// Floats for four tiles of at most 32 rows, and their alignment.
constexpr Index sweep_scratch(Index padded) { return 4 * 32 * padded + 16; }

}  // namespace gemmine::cpu
