#pragma once

#include <limits>

#include "core/matrix.h"

namespace gemmine {

inline constexpr double unbounded = std::numeric_limits<double>::infinity();

// How a factor F [b×k] is improved with the other factor fixed, given C = X_b·other [b×k] and the
// normal matrix N = otherᵀ·other [k×k]. Every kind except cayley and unit_ball treats each row
// independently.
enum class StepKind {
  // Component by component f_j = max(0, f_j + ω (c_j − (F N)_j − l1/2 − l2 f_j) / (N_jj + l2)). A
  // component with N_jj + l2 == 0 is unchanged. HALS: Cichocki & Phan (2009); with ω ≠ 1 projected
  // over-relaxation: Cryer (1971), which lowers the objective for every ω in (0, 2). With an upper
  // bound u: f_j = min(u, f_j).
  nonnegative_sweep,
  // The same for a factor of any sign, with the soft threshold l1/2 and ω = 1.
  signed_sweep,
  // f = f ⊙ max(c, 0) / (F N + l1/2 + l2 f). Lee & Seung (2001). A zero stays zero.
  multiplicative,
  // f = f ⊙ sqrt((c⁺ + F N⁻) / (c⁻ + F N⁺ + l1/2 + l2 f)). Ding, Li & Jordan (2010).
  sign_split,
  // F = (C − F_D N_DF) (N_FF + l2 I)⁻¹ over the independent components F of N, in float64; the
  // dependent ones D are unchanged. Needs a solvable normal matrix.
  solve,
  // f = f ⊙ (c / (N + l1/2 + l2 f))^exponent with numerators C and denominators N [b×k], one per
  // element; `sweeps` times. A zero stays zero. With an upper bound u: f = min(u, f). See Loss.
  ratio,
  // F = C.
  product,
  // F = max(0, C − l1/2) / (1 + l2), the minimum for N = I.
  project,
  // The minimum of f N f − 2 c·f + l1 Σ f + l2 Σ f² over f >= 0, in float64; one of them where N
  // leaves several. Kim & Park (2011). docs/math/anls-bpp.md.
  nonnegative_solve,
  // `sweeps` steps f_j = min(u, max(0, y_j + (c_j − (y N)_j − l1/2 − l2 y_j) / (L (N_jj + l2)))) of
  // all components at once, from a point y that is extrapolated from the last two f. L is at least
  // the largest eigenvalue λ of N + l2 I with unit diagonal: (Σ λ^16)^(1/16) over all of them.
  // docs/math/projected-gradient.md.
  projected_gradient,
  // Changes all of F [d×k] in float64; the columns of F are orthonormal before and after it: from F
  // = U (FᵀF)^-½, a step along F(t) = (I + t/2 A)⁻¹ (I − t/2 A) F with A = G Fᵀ − F Gᵀ and G = 2 (F
  // R − C), which is the gradient of ‖X − W Fᵀ‖². t = 2^j·√k/‖C‖, where j goes from 0 in the
  // direction in which ⟨C, F(t)⟩ grows, to its maximum; t = 0 if nothing is gained. `sweeps` times.
  // Wen & Yin (2013), "A feasible method for optimization with orthogonality constraints",
  // Mathematical Programming 142.
  cayley,
  // The minimum of f N f − 2 c·f over f >= 0 with Σ f = 1, in float64: `sweeps`·k times the two
  // components whose exchange gains most are exchanged, fewer if nothing is left to gain. Platt
  // (1999), "Fast training of support vector machines using sequential minimal optimization". A row
  // that is not on the simplex is first scaled onto it. docs/math/simplex-rows.md.
  simplex,
  // The same with Σ f <= 1.
  capped_simplex,
  // f_j = max(0, f_j + c_j − N_jj): C is a step, and the diagonal of N a shift of each component.
  shifted_ascent,
  // The minimum over the entries of F that are not 0, row by row, in float64: f_A = c_A N_AA⁻¹ for
  // the non-zeros A of the row. An entry that depends on those before it within float32 stays.
  solve_on_support,
  // The minimum over the rows with one entry above 0 and no other: c_j / N_jj for the j of largest
  // max(0, c_j)² / N_jj, the first of equal ones; a row of zeros if no c_j is above 0.
  // docs/math/orthogonal-nmf.md.
  one_component,
  // Changes all of F [d×k] in float64: column by column, the minimum over the unit ball, `sweeps`
  // times. f_j = b / max(1, ‖b‖) with b = f_j + (C_j − F N_j) / N_jj; a column with N_jj == 0
  // stays. docs/math/dictionary-learning.md.
  unit_ball,
};

// Returns whether the step supports a normal matrix with a different diagonal for each row.
constexpr bool takes_row_diagonal(StepKind kind) {
  return kind == StepKind::multiplicative || kind == StepKind::sign_split ||
         kind == StepKind::ratio;
}

// Returns whether the step supports a normal matrix of its own for each row.
constexpr bool takes_own_normals(StepKind kind) {
  return kind == StepKind::nonnegative_sweep || kind == StepKind::signed_sweep ||
         kind == StepKind::nonnegative_solve || kind == StepKind::solve;
}

// A plain value, so that a GPU or another host can execute it. Penalty weights are relative to ‖X −
// WH‖² without ½: the objective adds l1·Σ|·| + l2·Σ(·)².
struct Step {
  StepKind kind;
  double l1;
  double l2;
  Index sweeps;         // over the components; X is not read again
  double relaxation;    // ω of nonnegative_sweep; ignored by other kinds
  double exponent = 1;  // of ratio
  // u of nonnegative_sweep, projected_gradient and ratio; the given factor has no entry above it.
  double upper = unbounded;
};

}  // namespace gemmine
