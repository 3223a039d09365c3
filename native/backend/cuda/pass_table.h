#pragma once

#include "backend/cuda/abi.h"

// Kernels of passes. All pointers are memory of the device; matrices are row-major, strides are in
// elements. A row i of [rows×cols] begins at data + i·stride.
// Fields leave no room between them, so that the emulation can look at every word of a request.
namespace gemmine::cuda {

struct In {
  const float* data;
  std::int64_t stride;
};
struct Out {
  float* data;
  std::int64_t stride;
};

// to_ij += by·from_ij, of float32 sums to float64 ones.
struct AddToDouble {
  std::int64_t rows, cols;
  const float* from;
  std::int64_t stride;
  double by;
  double* to;  // [rows×cols]
};
// to_ij *= by, of float64 sums. by == 0 clears also what is not finite.
struct ScaleDouble {
  std::int64_t count;
  double by;
  double* to;
};
// to = float32(by·from)
struct Scaled {
  std::int64_t rows, cols;
  In from;
  double by;
  Out to;
};
// to = from in float64, row i times weights_i.
struct Widened {
  std::int64_t rows, cols;
  In from;
  const float* weights;  // [rows], or null
  double* to;            // [rows×cols]
};
struct Narrowed {
  std::int64_t rows, cols;
  const double* from;  // [rows×cols]
  Out to;
};
// to = weights_i·from_ij in float32.
struct Weighted {
  std::int64_t rows, cols;
  In from;
  const float* weights;
  float* to;  // [rows×cols]
};
// to = float32(S_ij + pull_j·Ht_ij)
struct Pulled {
  std::int64_t rows, cols;
  const double* S;  // [rows×cols]
  In Ht;
  const double* pull;  // [cols]
  float* to;           // [rows×cols]
};
// P += weight·numerators; row_diagonal = weight·diagonal [rows].
struct AddRows {
  std::int64_t rows, cols;
  double weight;
  In numerators;
  In diagonal;  // [rows×1]
  Out P;
  float* row_diagonal;
};
// kind: the numbers of enum Extrapolation.
struct Extrapolate {
  std::int64_t rows, cols;
  std::int32_t kind;
  float share;
  double upper;  // of float32
  Out previous;
  Out factor;
};
// F_ij becomes F_ij·by_j (scale_columns), or scale·(F_ij + by_j·F_i0) (add_first).
struct ByColumn {
  std::int64_t rows, cols;
  const double* by;
  double scale;
  Out factor;
};
struct LiftRows {
  std::int64_t rows, cols;
  double scale, least;
  Out factor;
};
struct Clamp {
  std::int64_t rows, cols;
  float least, most;
  Out factor;
};
struct Shift {
  std::int64_t rows, cols;
  double value;  // of float32
  Out factor;
};
// scale, or scale·u with u of (seed, stream, first_row + i, j).
struct Fill {
  std::int64_t rows, cols;
  std::int32_t uniform;     // 0: constant
  std::int32_t only_small;  // only entries of at most `smallest`
  float smallest;
  std::uint32_t stream;
  std::uint64_t seed;
  std::int64_t first_row;
  double scale;
  Out factor;
};
// Noise of backend/entries.h: to = x·(1 + amplitude·(2u − 1)), u of (seed, stream, first_row + i,
// j).
struct Perturb {
  std::int64_t rows, cols;
  In from;
  double amplitude;
  std::uint64_t seed;
  std::uint64_t stream;
  std::int64_t first_row;
  Out to;
};
struct Gather {
  std::int64_t rows, cols;
  In from;
  const std::int64_t* rows_of;  // [rows]
  Out to;
};
struct Indicate {
  std::int64_t rows, cols;
  const std::int32_t* labels;  // [rows]
  double rest;                 // of float32
  Out factor;
};

// Sums in float64 of `sum_blocks` parts of the entries, for the host to add in their order.
inline constexpr std::int64_t sum_blocks = 64;
enum class Term : std::int64_t {
  products,       // weights_i·a_ij·b_ij
  squares,        // weights_i·a_ij²
  wide_products,  // wide_ij·b_ij
  energy,         // b_ij·(weights_i·b_ij − a_ij)
};
struct Sum {
  Term term;
  std::int64_t rows, cols;
  In a, b;
  const double* wide;  // [rows×cols]
  In weights;          // of rows, weights.data[i·weights.stride]; null: 1
  double* partial;     // [sum_blocks]
};
// Σ weights_i (scale·x − w·h)² in float64, element by element.
struct ExactResidual {
  std::int64_t rows, d, k;
  In X, W, Ht;
  double scale;
  const float* weights;  // [rows], or null
  double* partial;       // [sum_blocks]
};

// What is measured of each column, in `column_chunks` parts of the rows.
inline constexpr std::int64_t column_chunks = 64;
enum Measured : std::int32_t {
  measured_positive,   // Σ x² of x > 0
  measured_negative,   // Σ x² of x <= 0
  measured_positives,  // count
  measured_negatives,
  measured_least,
  measured_most,
  measured_absolute,  // Σ |x|
  measured_kinds,
};
struct Columns {
  std::int64_t rows, cols;
  In from;
  double* partial;  // [column_chunks×measured_kinds×cols]
};

// A step of every row, one thread a row: see StepKind.
enum class RowStepKind : std::int32_t {
  nonnegative_sweep,
  signed_sweep,
  projected_gradient,
  multiplicative,
  sign_split,
  product,
  project,
  shifted_ascent,
  one_component,
};
struct RowStep {
  RowStepKind kind;
  std::int32_t sweeps;
  std::int64_t rows, k;
  float half_l1, relaxation;
  double upper;  // of float32
  double wide_half_l1, l2;
  const float* positive;      // [k×k] N, of sign_split its positive parts
  const float* negative;      // [k×k] of sign_split
  const float* inverse;       // [k] 1 / (N_jj + l2), 0 for a component that stays
  const double* diagonal;     // [k] N_jj
  In cross;                   // [rows×k]
  const float* row_diagonal;  // [rows], or null
  Out factor;                 // [rows×k]
};

// The two ends of StepKind::solve: C − F_D N_DF in float64, and the solution back.
struct Independent {
  std::int64_t rows, k, m;
  In cross, factor;
  const double* gram;               // [k×k]
  const std::int32_t* independent;  // [m]
  const std::int32_t* dependent;    // [k−m]
  double* to;                       // [rows×m]
};
struct Scatter {
  std::int64_t rows, m;
  const double* from;               // [rows×m]
  const std::int32_t* independent;  // [m]
  Out factor;
};

struct PassTable {
  Code (*add_to_double)(Queue* queue, const AddToDouble* request);
  Code (*scale_double)(Queue* queue, const ScaleDouble* request);
  Code (*scale)(Queue* queue, const Scaled* request);
  Code (*widen)(Queue* queue, const Widened* request);
  Code (*narrow)(Queue* queue, const Narrowed* request);
  Code (*weigh)(Queue* queue, const Weighted* request);
  Code (*pull)(Queue* queue, const Pulled* request);
  Code (*add_rows)(Queue* queue, const AddRows* request);
  Code (*extrapolate)(Queue* queue, const Extrapolate* request);
  Code (*scale_columns)(Queue* queue, const ByColumn* request);
  Code (*add_first)(Queue* queue, const ByColumn* request);
  Code (*lift_rows)(Queue* queue, const LiftRows* request);
  Code (*clamp)(Queue* queue, const Clamp* request);
  Code (*shift)(Queue* queue, const Shift* request);
  Code (*fill)(Queue* queue, const Fill* request);
  Code (*perturb)(Queue* queue, const Perturb* request);
  Code (*gather)(Queue* queue, const Gather* request);
  Code (*indicate)(Queue* queue, const Indicate* request);
  Code (*sum)(Queue* queue, const Sum* request);
  Code (*exact_residual)(Queue* queue, const ExactResidual* request);
  Code (*columns)(Queue* queue, const Columns* request);
  Code (*row_step)(Queue* queue, const RowStep* request);
  Code (*independent)(Queue* queue, const Independent* request);
  Code (*scatter)(Queue* queue, const Scatter* request);
};

}  // namespace gemmine::cuda
