#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "backend/assignment.h"
#include "backend/entries.h"
#include "backend/normal_matrix.h"
#include "backend/step.h"
#include "core/communicator.h"
#include "core/job.h"
#include "core/matrix.h"
#include "core/row_copies.h"
#include "core/row_source.h"

namespace gemmine {

// How a pass measures the pair (W, Ht) that it was given, before its step changes W.
enum class Measure {
  none,
  identity,    // Σ⟨P_b, W_b⟩ and W_bᵀW_b; cancels below about 1e-2·‖X‖²
  direct,      // Σ‖X_b − W_b Htᵀ‖², half as much work again
  exact,       // as direct, in float64, under frobenius_loss: slow, for small X
  divergence,  // the loss by entries that count; direct too measures only these
};

// Sums over one read of X, for one group. S = 2^-exponent·XᵀW [d×k] of the new W stays on the
// device that made this object; the small terms are stored here. Summed in float32 inside a block
// and in float64 across blocks, in block order.
class Sums {
 public:
  virtual ~Sums() = default;
  const Index d;
  const Index k;
  std::vector<double> gram;           // R = WᵀW [k×k] of the new W
  std::vector<double> incoming_gram;  // WᵀW of the W before the step (Measure::identity)
  double incoming_product = 0;        // ⟨XHt, W⟩ of the pair before the step (Measure::identity)
  double incoming_residual = 0;       // ‖X − W Htᵀ‖² before the step (Measure::direct, exact)
  double incoming_divergence = 0;     // of the pair before the step (Measure::divergence)

 protected:
  Sums(Index d, Index k) : d(d), k(k), gram(k * k), incoming_gram(k * k) {}
};

// What an extrapolated entry may become, from its new value f and its change.
enum class Extrapolation {
  free,         // f + share·change
  nonnegative,  // max(0, f + share·change)
  growth,       // f + share·max(0, change): a positive entry stays positive
};

// Extrapolation of a factor with new value F, which has changed by F − previous; `previous` becomes
// F. No entry exceeds `upper`.
struct Extrapolated {
  double share;
  Extrapolation kind;
  BackendView<float> previous;
  double upper = unbounded;
};

// Terms that a row step adds to those of X: numerators P + weight·numerators [n×k], and for row i
// the normal matrix N + weight·diagonal_i·I. Only for multiplicative steps. Sums hold the terms of
// X alone.
struct RowAddend {
  double weight;
  BackendView<const float> numerators;  // [n×k]
  BackendView<const float> diagonal;    // [n×1]
};

// Components that share a read of X with other groups. Tiles and products depend on the group's own
// number of components only, so its bits are those of a separate pass.
struct Group {
  BackendView<const float> Ht;  // [d×k]
  const NormalMatrix& normal;   // HtᵀHt [k×k]
  std::optional<Step> step;     // none: W stays
  BackendView<float> W;         // [n×k]
  Measure measure;
  bool accumulate;      // form S and R, or numerators and denominators
  Sums& sums;           // of the device that carries out the pass
  Mask mask = no_mask;  // not under frobenius_loss
  Noise noise = no_noise;
  std::optional<Extrapolated> extrapolated = std::nullopt;  // W, after its step
  std::optional<RowAddend> addend = std::nullopt;
  std::optional<int> exponent = std::nullopt;  // instead of that of the pass
  // Each row of W, and each row of Ht, has a normal matrix of its own, over its entries x that
  // count: for a row of W the step has c = Σ a x h and N = Σ a h hᵀ, and for each row of Ht the
  // sums hold Σ a x w and Σ a w wᵀ, with the weight of the row times the weight a of the entry for
  // which ½a(x − v)² + c bounds the loss from above and touches it at the present v. Weights a are
  // formed again before the sums. Only under a loss with is_bounded_by_squares(), for the steps of
  // takes_own_normals().
  bool own_normals = false;
  // The share of the sums S and R of the pass before that stays in those of this one.
  double retained = 0;
};

// One read of X, as a value that describes the whole work of the device.
struct Pass {
  const RowSource& X;
  // The factors hold X·2^-exponent ≈ W Htᵀ: products see Ht scaled by 2^-exponent in addition, and
  // S comes back scaled, both exact. (Sources scale their own blocks only at extreme magnitudes.)
  int exponent;
  std::span<const Group> groups;
  // Under a loss other than frobenius_loss the step is StepKind::ratio, and S stands for the
  // numerators, except in a group with own normal matrices.
  Loss loss = frobenius_loss;
  std::span<const float> row_weights = {};  // [n], >= 0; empty: all 1
  // The rows that are read; all if none is given. Blocks are cut from these rows, so that sums have
  // the bits of a source that holds them alone. Factors, masks, weights and noise still count rows
  // from the first row of X, and the other rows of W stay.
  std::optional<RowRange> rows = std::nullopt;
};

inline int exponent_of(const Pass& pass, const Group& group) {
  return group.exponent.value_or(pass.exponent);
}

inline RowRange rows_of(const Pass& pass) {
  return pass.rows.value_or(RowRange{.begin = 0, .count = pass.X.rows()});
}

// min ‖x·2^-exponent − w Htᵀ‖² + l1 Σ w + l2 Σ w² over 0 <= w <= upper, for each row x of X.
struct LeastSquares {
  const RowSource& X;
  int exponent;
  BackendView<const float> Ht;  // [d×k]
  const NormalMatrix& normal;   // HtᵀHt [k×k]
  double l1;
  double l2;
  double upper = unbounded;
};

// Measurements of X by its first read, over the entries that count.
struct SourceNorm {
  double squared_norm;  // ‖X‖² of X·2^-exponent, rows weighted
  int exponent;         // max|X|·2^-exponent in [1, 2); 0 for an X of zeros
  double sum;           // Σ X·2^-exponent
  double smallest;      // min X, as given
  double count;         // number of entries that count
  double weight;        // the same number, each entry times the weight of its row
};

// Signs, or values, that the entries of X may have.
enum class EntrySign { any, nonnegative, positive, binary };
inline bool has_sign(EntrySign sign, double x) {
  switch (sign) {
    case EntrySign::any:
      return true;
    case EntrySign::nonnegative:
      return x >= 0;
    case EntrySign::positive:
      return x > 0;
    case EntrySign::binary:
      return x == 0 || x == 1;
  }
  return false;
}
inline const char* expected_of(EntrySign sign) {
  switch (sign) {
    case EntrySign::any:
      return "a number";
    case EntrySign::nonnegative:
      return "a non-negative number";
    case EntrySign::positive:
      return "a positive number";
    case EntrySign::binary:
      return "0 or 1";
  }
  return "";
}

struct Examined {
  const RowSource& X;
  EntrySign sign;
  Mask mask = no_mask;
  std::span<const float> row_weights = {};
};

// Distribution of the random numbers that fill a factor.
enum class Distribution {
  constant,     // 1
  uniform,      // in (0, 1)
  normal,       // N(0, 1)
  half_normal,  // |N(0, 1)|
};

// Random numbers that fill a factor: row i has scale · draw of (seed, stream, first_row + i,
// column).
struct Draws {
  Distribution distribution;
  double scale;
  std::uint64_t seed;
  std::uint32_t stream;
  Index first_row = 0;
};

// Σ|·| and Σ(·)² of each column of a factor.
struct ColumnSums {
  std::vector<double> absolute;
  std::vector<double> square;
};

// Measurements of each column of a factor.
struct ColumnParts {
  std::vector<double> positive;   // Σ x² over its positive entries
  std::vector<double> negative;   // the same over its negative ones
  std::vector<double> positives;  // number of positive entries
  std::vector<double> negatives;
  std::vector<float> least;  // +∞ and −∞ without rows
  std::vector<float> most;
};

// The least and the largest of 0 and all F_ij / F_i0 with F_ij ≠ 0, for each column j of a factor
// F. Both are infinite if some such F_i0 is not positive.
struct ColumnRatios {
  std::vector<double> least;
  std::vector<double> most;
};

// Operations that a device must provide for factorizations. Code above this interface does not
// depend on the device, and code below it calls nothing above. Results do not depend on the number
// of threads: blocks depend on n, d, k and nnz only.
class Passes {
 public:
  virtual ~Passes() = default;
  virtual std::string name() const = 0;

  // Device memory; on the CPU it is host memory. Zeroed.
  virtual std::shared_ptr<float[]> allocate(Index count) = 0;
  virtual void upload(HostView<const float> from, BackendView<float> to) = 0;
  virtual void download(BackendView<const float> from, HostView<float> to) = 0;
  virtual void copy(BackendView<const float> from, BackendView<float> to) = 0;

  // ---- X, which only operations read.

  // X in the memory of this device, for many reads by its operations; null if they read X where it
  // is. Refers to X for messages.
  virtual std::unique_ptr<RowSource> resident(const RowSource& X, const Job& job);
  // Copies of some rows for the host, in the given order.
  virtual RowCopies read_rows(const RowSource& X, std::span<const Index> rows, const Job& job);
  // Throws InvalidEntry at the first stored entry of A [n×n], CSR and >= 0, that differs from the
  // entry opposite to it by more than a share `rounding` of the larger one.
  virtual void check_symmetric(const RowSource& A, float rounding, const Job& job);
  // Σ_ij A_ij ‖w_i − w_j‖² in float64 over the stored entries of A [n×n], CSR.
  virtual double spread(const RowSource& A, HostView<const float> W, const Job& job);

  // Reads X once; throws InvalidEntry at the first entry (in row order) that counts and is not
  // finite or does not have the required sign.
  virtual SourceNorm examine(const Examined& examined, const Job& job) = 0;

  // ---- The one read of X.

  virtual std::unique_ptr<Sums> make_sums(Index d, Index k) = 0;
  // For each fixed block of rows and each group: P_b = X_b·Ht, the measure, the row step, then S +=
  // X_bᵀW_b and R += W_bᵀW_b if the group accumulates.
  virtual void pass(const Pass& pass, const Job& job) = 0;
  // S, or the numerators and denominators, of the last pass become their sums over all ranks. They
  // stay on the device, and terms on the host are unchanged.
  virtual void sum_over_ranks(Sums& sums, Communicator& ranks) = 0;

  // Turns W [n×k] >= 0, which must be near the solution, into the solution: rows whose objective
  // may be more than a millionth above its minimum, within the precision of float32, are solved in
  // float64. Reads X once.
  virtual void settle_codes(const LeastSquares& problem, BackendView<float> W, const Job& job) = 0;
  // to = X·2^-exponent·B [n×c]. Products and sums are in float64 and are rounded when they are
  // stored in `to`.
  virtual void multiply_in_float64(const RowSource& X, int exponent, HostView<const double> B,
                                   BackendView<float> to, const Job& job) = 0;

  // Σ_j (x·b_j)² of each row x of X·2^-exponent [n] for the columns b_j of B [d×c], in float64. A B
  // without columns stands for the identity: ‖x‖².
  virtual std::vector<double> squared_products(const RowSource& X, int exponent,
                                               HostView<const double> B, const Job& job) = 0;

  // ---- Rows and centres (assignment.h), each one read of X.

  // The label of each row is the index of its nearest centre by squared distances in float64,
  // summed from differences; a tie goes to the lower index.
  virtual void assign(const Assignment& assignment, Assigned& assigned, const Job& job) = 0;
  // `distances` [n×c] become the weighted squared distances to the candidates. Returns
  // Σ min(nearest, distance) of each.
  virtual std::vector<double> potentials(const Candidates& candidates, HostView<double> distances,
                                         const Job& job) = 0;

  // ---- The other side, from the sums of a pass.

  // Improves all rows of Ht for the cross product S + Ht·diag(pull), rounded once to float32;
  // a step that needs all rows reads S in float64 and takes no pull.
  virtual void improve(const Step& step, const Sums& sums, const NormalMatrix& normal,
                       std::span<const double> pull, BackendView<float> Ht, const Job& job) = 0;
  // The same for a cross product that the caller gives.
  virtual void improve(const Step& step, BackendView<const float> cross, const NormalMatrix& normal,
                       BackendView<float> factor, const Job& job) = 0;
  // The same as from sums, for an S [d×k] that the caller gives: the operation of the CPU for a
  // device that has no body for the step.
  virtual void improve(const Step& step, HostView<const double> cross, const NormalMatrix& normal,
                       std::span<const double> pull, BackendView<float> Ht, const Job& job) = 0;
  // The same by StepKind::ratio, from the numerators and denominators of a pass.
  virtual void improve_by_ratio(const Step& step, const Sums& sums, BackendView<float> Ht,
                                const Job& job) = 0;
  // weight·Σ_ij W_ij (diagonal_i W_ij − numerators_ij) in float64.
  virtual double energy(const RowAddend& addend, BackendView<const float> W, const Job& job) = 0;
  // The same from the sums of a pass with own normal matrices N_t: for the cross product S_t +
  // pull·diag(N_t) h_t and the normal matrix N_t + pull·diag(N_t).
  virtual void improve_by_own_normals(const Step& step, const Sums& sums, double pull,
                                      BackendView<float> Ht, const Job& job) = 0;
  // The same for rows of any factor, from S [rows×k] and the upper triangles of N_t
  // [rows×k(k + 1)/2], row by row, that the caller gives: the operation of the CPU for a device
  // that has no body for the step.
  virtual void improve_rows_by_own_normals(const Step& step, HostView<const double> cross,
                                           HostView<const double> triangles, double pull,
                                           BackendView<float> factor, const Job& job);
  // Σ_t h_t N_t h_t in float64, from the same sums.
  virtual double own_curvature(const Sums& sums, BackendView<const float> Ht, const Job& job) = 0;
  // ⟨S, Ht⟩ in float64.
  virtual double inner(const Sums& sums, BackendView<const float> Ht, const Job& job) = 0;
  // S [d×k], for the few callers that need it on the host.
  virtual std::vector<double> cross(const Sums& sums) = 0;

  // ---- Factors, element by element.

  // factorᵀ·factor [k×k] in float64.
  virtual std::vector<double> gram(BackendView<const float> factor, const Job& job) = 0;
  // Aᵀ·B [a×b] in float64, for A [n×a] and B [n×b], which may be columns of A.
  virtual std::vector<double> cross_gram(BackendView<const float> A, BackendView<const float> B,
                                         const Job& job) = 0;
  // factorᵀ·diag(weights)·factor [k×k] in float64, with a weight for each row.
  virtual std::vector<double> weighted_gram(BackendView<const float> factor,
                                            std::span<const float> weights, const Job& job) = 0;
  virtual ColumnSums column_sums(BackendView<const float> factor, const Job& job) = 0;
  virtual void scale_columns(std::span<const double> by, BackendView<float> factor,
                             const Job& job) = 0;
  virtual ColumnParts column_parts(BackendView<const float> factor, const Job& job) = 0;
  virtual ColumnRatios ratios_to_first(BackendView<const float> factor, const Job& job) = 0;
  // F_ij becomes scale·(F_ij + shares_j F_i0), rounded once.
  virtual void add_first(std::span<const double> shares, double scale, BackendView<float> factor,
                         const Job& job) = 0;
  // In each row, all elements but the last become scale·F_ij + m, and the last one m, with the m
  // for which the least of the others is `least`, or m = `least` if none is negative.
  virtual void lift_rows(double scale, double least, BackendView<float> factor, const Job& job) = 0;
  // Elements below `least` become `least`, those above `most` become `most`.
  virtual void clamp(float least, float most, BackendView<float> factor, const Job& job) = 0;
  // Columns from `first` on become orthonormal to all before them, in float64 and rounded once; the
  // others stay.
  virtual void orthonormalise_columns(Index first, BackendView<float> factor, const Job& job);
  // In each column, elements of smaller magnitude than its count-th largest become 0: with ties
  // more than `count` stay.
  virtual void keep_largest(Index count, BackendView<float> factor, const Job& job) = 0;
  // to = A·B, for a tall A [n×l] and a small B [l×r]. Products and sums are in float64 and are
  // rounded when they are stored in `to`, which may be columns of A.
  virtual void multiply(BackendView<const float> A, HostView<const double> B, BackendView<float> to,
                        const Job& job) = 0;
  // Row i of `to` becomes row rows[i] of `from`.
  virtual void gather_rows(BackendView<const float> from, std::span<const Index> rows,
                           BackendView<float> to, const Job& job) = 0;
  // Element labels[i] of row i becomes rest + 1, all others become rest.
  virtual void indicate(std::span<const std::int32_t> labels, float rest, BackendView<float> factor,
                        const Job& job) = 0;
  // Adds the value to every element.
  virtual void shift(double value, BackendView<float> factor, const Job& job) = 0;
  virtual void extrapolate(const Extrapolated& by, BackendView<float> factor, const Job& job) = 0;
  virtual void fill_random(const Draws& draws, BackendView<float> factor, const Job& job) = 0;
  // The same for entries of at most `smallest` alone.
  virtual void raise_small(float smallest, const Draws& draws, BackendView<float> factor,
                           const Job& job) = 0;

  // ---- Problems in float64 on the host. ----

  // The eigenvalues, descending, of a symmetric A [k×k]; its rows become the eigenvectors.
  virtual std::vector<double> symmetric_eigen(HostView<double> A) = 0;
  // The same for A y = λ N y with a positive definite N, which is overwritten: the rows y of A have
  // yᵀ N y = 1.
  virtual std::vector<double> symmetric_eigen(HostView<double> A, HostView<double> N) = 0;
  // Makes the rows of A orthonormal, each against those before it; a row that depends linearly on
  // them becomes any orthogonal direction. A has at least as many columns as rows.
  virtual void orthonormalise_rows(HostView<double> A, const Job& job) = 0;
};

}  // namespace gemmine
