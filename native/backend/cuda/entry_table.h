#pragma once

#include "backend/cuda/abi.h"
#include "backend/cuda/pass_table.h"

// Kernels over the entries of X, one by one: a sparse X, losses other than the squared one, and
// distances of rows to centres. All
// pointers are memory of the device; matrices are row-major, strides are in elements.
namespace gemmine::cuda {

// Rows of a sparse X, as CSR, and the same entries column by column. The position of an entry is
// its place in the order of rows; arrays with an element for each entry of the rows begin with that
// of the position `first_entry`.
struct SparseRows {
  std::int64_t rows, cols;
  std::int64_t first_entry;
  const std::int64_t* starts;   // [rows + 1] positions
  const std::int32_t* columns;  // of each entry, ascending in a row
  // Column by column in `chunks` parts of the rows of X: part c has the entries of column t at
  // places column_starts[c·(cols + 1) + t] to column_starts[c·(cols + 1) + t + 1], in the order of
  // rows. Some may belong to rows before or after these.
  std::int64_t chunks;
  std::int64_t first_row;  // the number, among those of row_of, of the first of these rows
  const std::int64_t* column_starts;
  const std::int32_t* row_of;       // by place
  const std::int64_t* position_of;  // by place
};

// to_ij = Σ_e values_e·B_tj over the entries e = (i, t) of row i, in their order.
struct SparseProduct {
  SparseRows X;
  const float* values;
  std::int64_t k;
  In B;  // [cols×k]
  Out to;
};
// The same in float64.
struct WideSparseProduct {
  SparseRows X;
  const float* values;
  std::int64_t k;
  const double* B;  // [cols×k]
  double* to;       // [rows×k]
};
// to_tj = Σ_e values_e·F_ij over the entries e = (i, t) of column t: four sums, of every fourth
// entry in the order of rows, then their sum.
struct SparseColumns {
  SparseRows X;
  const float* values;
  std::int64_t k;
  In F;       // [rows×k]
  float* to;  // [cols×k]
};
// to_e = w_i·h_t in float32 for each entry e = (i, t).
struct SparseModel {
  SparseRows X;
  std::int64_t k;
  In W;   // [rows×k]
  In Ht;  // [cols×k]
  float* to;
};
// Noise of backend/entries.h, as Perturb.
struct SparsePerturb {
  SparseRows X;
  const float* values;
  double amplitude;
  std::uint64_t seed;
  std::uint64_t stream;
  std::int64_t first_row;  // of X
  float* to;
};
// All entries of rows begin .. begin + rows − 1, those that are not stored as 0.
struct Densify {
  SparseRows X;
  const float* values;
  std::int64_t begin, rows;
  float* to;  // [rows×cols]
};

// The numbers of enum LossKind, from 1 on, and the fields of Loss. For losses of the length of a
// row, what an entry contributes is half its squared residual.
enum class EntryLoss : std::int32_t {
  divergence = 1,
  negative_binomial,
  huber,
  row_length,
  correntropy,
  row_correntropy,
  logistic,
};

// The entries of some rows, their values x·scale and those of the model: dense, or those that are
// stored, one after the other in a row.
struct EntryRows {
  std::int64_t rows, cols;
  const std::int64_t* starts;   // [rows + 1]; null: dense
  std::int64_t first_entry;     // see SparseRows
  const std::int32_t* columns;  // of each entry; null: dense
  const float* x;
  std::int64_t x_stride;  // dense
  const float* v;
  std::int64_t v_stride;  // dense
  double scale;
  // A model entry below it is raised to it.
  double least;
  double beta, parameter;
  EntryLoss loss;
  // Of Mask; entries that it excludes are not read.
  std::int32_t nan_is_missing;
  const std::uint8_t* seen;  // [rows×cols], or null
  double held_out;
  std::uint64_t seed;
  std::int64_t only_held_out;
  std::int64_t first_row;  // of X
};

enum class EntryMeasure : std::int64_t {
  squares,  // Σ(x − v)² of the row; of the logistic loss Σ(x − σ(v))²
  losses,   // Σ contributions
};
// One number for each row, in float64.
struct MeasureEntries {
  EntryRows entries;
  EntryMeasure measure;
  // Where only stored entries of X are read but all count, those of Kullback–Leibler: adds what the
  // others contribute, from W [rows×k] and Σ_t Ht_tj [k], or HtᵀHt [k×k] for squares.
  std::int64_t k;
  In W;
  const double* column_sums;
  const double* gram;
  double* to;  // [rows]
};
// partial += weights_i·f(measured_i), in `sum_blocks` parts for the host to add in their order. f
// is the contribution of a row for a loss of its length, given its square, else itself.
struct SumRowMeasures {
  std::int64_t rows;
  std::int64_t of_lengths;  // 0 or 1
  EntryLoss loss;
  std::int32_t unused;
  double parameter;
  const float* weights;  // [rows], or null
  const double* measured;
  double* partial;  // [sum_blocks]
};
// The weight of the terms of each row: that of the row, times that of the squares which bound a
// loss of its length.
struct RowShares {
  std::int64_t rows;
  EntryLoss loss;
  std::int32_t of_codes;  // a row of weight 0 also gets codes: its weight counts as 1
  double parameter;
  const float* weights;   // [rows], or null
  const double* squares;  // [rows] of lengths; null for other losses
  double* to;
};
// Terms a of the numerators and b of the denominators of each entry, as x and v have: at the same
// places, with the strides of x and v. An entry that does not count has 0. `squares`: a = s·x and b
// = s, with the weight s of the squares that bound the loss. b may be v; null: none is formed.
struct EntryTerms {
  EntryRows entries;
  std::int64_t squares;
  const double* shares;  // [rows]
  float* above;
  std::int64_t above_stride;  // dense
  float* below;
  std::int64_t below_stride;
};

// f = min(upper, f·(a / (b + half_l1 + l2 f))^exponent) for each element, with a = above +
// addend·numerators and b = below, or shares_i·column_sums_j, + addend·diagonal_i·f. See
// StepKind::ratio.
struct RatioUpdate {
  std::int64_t rows, k;
  In above, below;            // [rows×k]; below null: by column
  const double* wide_above;   // [rows×k] instead of above, if that is null
  const double* wide_below;   // the same
  const double* column_sums;  // [k] if both of below are null
  const double* shares;       // [rows] of column_sums; null: 1
  double addend;
  In numerators;  // [rows×k]; null: no addend
  In diagonal;    // [rows×1]
  double half_l1, l2, exponent, upper;
  Out factor;
};

// f_ia·f_ib for a <= b, rows of k(k + 1)/2; those of a < b times `beside`.
struct Pairs {
  std::int64_t rows, k;
  In from;
  double beside;
  float* to;
};
// Sweeps over rows, each with a normal matrix of its own, given by its upper triangle: for the
// cross product C + pull·diag(N) f and the normal matrix N + pull·diag(N). One warp a row.
struct OwnSweep {
  std::int64_t rows, k;
  const float* cross;        // [rows×k]
  const float* triangles;    // [rows×k(k + 1)/2]
  const double* wide_cross;  // instead of both, if they are null
  const double* wide_triangles;
  double pull;
  std::int64_t sweeps;
  float half_l1, l2, relaxation;
  std::int32_t signed_factor;
  double upper;  // of float32
  Out factor;
};

// Σ_j (scale·x_j)² of each row in float64: of numbers in float64, of dense rows, or of the entries
// of sparse ones.
struct RowSquares {
  std::int64_t rows, cols;
  const double* wide;  // [rows×cols]; null: x
  const float* x;
  std::int64_t stride;         // dense
  const std::int64_t* starts;  // null: dense
  std::int64_t first_entry;    // see SparseRows
  double scale;
  double* to;  // [rows]
};

// to = float32(scale·x − origin), and Σ to² of each row in float64.
struct CentreRows {
  std::int64_t rows, cols;
  In X;
  double scale;
  const double* origin;  // [cols]
  float* to;             // [rows×cols]
  double* norms;         // [rows]
};
// The nearest of k centres to each row scale·x, by squared distances in float64, summed from
// differences: those of all centres that may be nearest, for products p = (x − o)·(c − o) with an
// error of at most product_error·‖x − o‖·‖c − o‖. A tie goes to the lower centre.
struct NearestCenters {
  std::int64_t rows, cols, k;
  In X;
  double scale;
  const double* centers;  // [k×cols]
  const float* products;  // [rows×k]
  const double* norms;    // ‖x − o‖² [rows]
  const double* squares;  // ‖c − o‖² [k]
  const double* lengths;  // ‖c − o‖ [k]
  double product_error;   // of p, as a share
  double square_error;    // of ‖c − o‖², as a share
  double tie;             // distances this near are equal, as a share of ‖x − o‖²
  double underflow;       // what products in float32 may lose
  std::int32_t* labels;   // [rows]
  double* distances;      // [rows]
};
// sums_j += Σ weight·scale·x over the rows of cluster j, in the given order.
struct ClusterSums {
  std::int64_t k, cols;
  In X;
  double scale;
  const std::int32_t* order;   // rows, cluster by cluster
  const std::int32_t* starts;  // [k + 1] of each cluster in `order`
  const double* weights;       // of rows; null: 1
  double* sums;                // [k×cols]
};
// to_ip = weight·‖scale·x_i − point_p‖² in float64, summed from differences.
struct PointDistances {
  std::int64_t rows, cols, count;
  In X;
  double scale;
  const double* points;   // [count×cols]
  const double* weights;  // [rows]; null: 1
  double* to;             // [rows×count]
};

struct EntryTable {
  Code (*sparse_product)(Queue* queue, const SparseProduct* request);
  Code (*wide_sparse_product)(Queue* queue, const WideSparseProduct* request);
  Code (*sparse_columns)(Queue* queue, const SparseColumns* request);
  Code (*sparse_model)(Queue* queue, const SparseModel* request);
  Code (*sparse_perturb)(Queue* queue, const SparsePerturb* request);
  Code (*densify)(Queue* queue, const Densify* request);
  Code (*measure_entries)(Queue* queue, const MeasureEntries* request);
  Code (*sum_row_measures)(Queue* queue, const SumRowMeasures* request);
  Code (*row_shares)(Queue* queue, const RowShares* request);
  Code (*entry_terms)(Queue* queue, const EntryTerms* request);
  Code (*ratio_update)(Queue* queue, const RatioUpdate* request);
  Code (*pairs)(Queue* queue, const Pairs* request);
  Code (*own_sweep)(Queue* queue, const OwnSweep* request);
  Code (*row_squares)(Queue* queue, const RowSquares* request);
  Code (*centre_rows)(Queue* queue, const CentreRows* request);
  Code (*nearest_centers)(Queue* queue, const NearestCenters* request);
  Code (*cluster_sums)(Queue* queue, const ClusterSums* request);
  Code (*point_distances)(Queue* queue, const PointDistances* request);
};

}  // namespace gemmine::cuda
