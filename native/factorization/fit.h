#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "backend/passes.h"
#include "core/named.h"
#include "factorization/model.h"

namespace gemmine {

enum class Start {
  random,
  kmeans,
  svd,
  nndsvd,
  nndsvda,
  nndsvdar,
  low_rank,
  spa,
  furthest_sum,
  given
};
inline constexpr std::array<Named<Start>, 10> start_names{{{"random", Start::random},
                                                           {"kmeans", Start::kmeans},
                                                           {"svd", Start::svd},
                                                           {"nndsvd", Start::nndsvd},
                                                           {"nndsvda", Start::nndsvda},
                                                           {"nndsvdar", Start::nndsvdar},
                                                           {"low-rank", Start::low_rank},
                                                           {"spa", Start::spa},
                                                           {"furthest-sum", Start::furthest_sum},
                                                           {"custom", Start::given}}};

// Whether steps are extrapolated.
inline constexpr std::array<Named<bool>, 2> acceleration_names{
    {{"none", false}, {"extrapolated", true}}};

// Checkpoints of a run, from which it can be resumed after the process has ended.
struct CheckpointOptions {
  std::string path;      // empty: no checkpoints
  double seconds;        // between two checkpoints
  std::string metadata;  // a JSON object with X's identity, the model and its options
};

// A checkpoint from which a run is resumed.
struct ResumeOptions {
  CheckpointOptions file;
  Index objectives;  // number of objectives in it
};

// Weights of l1·Σ|·| + l2·Σ(·)² in the objective, relative to ‖X − WH‖² without ½, and upper bounds
// of entries, above which the objective is infinite.
struct Penalties {
  double l1_w;
  double l2_w;
  double l1_h;
  double l2_h;
  double graph = 0;  // of tr(Wᵀ(D − A)W), see graph_term.h
  double upper_w = unbounded;
  double upper_h = unbounded;
};

// What only models of hulls and simplices take; for other models as here.
struct HullOptions {
  bool at_most_one = false;  // the rows of W may sum to less than 1; minimum-volume NMF
  bool normalised = false;   // rows are compared after division by their sums; separable NMF
  double relaxation = 0;     // the rows of A sum to 1 ± this; archetypal analysis
  double volume = 0;         // see loop/volume.h
  double volume_offset = 1;
  HostView<float> A = {nullptr, 0, 0, 0};  // [k×n], receives the combinations; null: not wanted
};

// No default values here: lib/ owns them, and the build rejects a field left out.
struct FitOptions {
  Model model;
  Solver solver;
  Start start;
  bool tries_svd;  // after `start`, where that start may leave less; semi-NMF without weights, rank
                   // <= min(n, d)
  Index max_iterations;  // one iteration reads X once and updates W, then H
  double tolerance;  // stop when an iteration lowers the objective by a smaller fraction; 0: never
  Index inner_sweeps;
  bool extrapolated;  // docs/math/extrapolation.md; not beside an adjacency under ratio steps
  Penalties penalties;
  std::uint64_t seed;
  Loss loss;
  Mask mask;
  std::span<const float> row_weights;  // [n]; empty: all 1
  HostView<const float> given_W;       // for Start::given; data is null for a missing factor
  HostView<const float> given_H;
  CheckpointOptions checkpoint;
  std::optional<ResumeOptions> resume;  // instead of a start
  const RowSource* adjacency;           // A of the graph term [n×n], sparse; null: none
  double kept_share;                    // share of nonzeros in each row of H, for snmf
  Index patience;                       // iterations without a better pair, for snmf
  bool refit;                           // see ColumnsFirstOptions, for snmf
  bool keeps_columns;                   // H stays as given; for Start::given with both factors
  // Rows after which H is improved, see loop/alternate_by_batches.h; 0: all. Not beside a mask, an
  // adjacency, another loss or extrapolation.
  Index batch_rows;
  double forget_factor;
  HullOptions hull = {};
};

struct Convergence {
  std::vector<double> objective;  // before the first and after each iteration
  Index iterations;
  bool converged;
  double relative_error;  // ‖X − WH‖ / ‖X‖ of the returned W and H; 0 if X is zero
  Start start;            // the start of the returned pair, which all other members describe
  std::vector<std::string> warnings;  // complete sentences for users
  std::vector<Index> anchors = {};    // the rows of X that are H, for separable NMF
};

class SharedReads;  // shared_reads.h

// What a fit checks of X.
Examined examined(const RowSource& X, const FitOptions& options);

// Computes X [n×d] ≈ W [n×k] · H [k×d] in the caller's memory. Throws InvalidEntry, Cancelled,
// Error.
//
// With several ranks each gives its own rows of X (at least one), mask, weights and init.W, in the
// order of ranks, and the same options, and receives its rows of W; H and Convergence, except
// warnings on init.W, have the same bits on every rank. All devices must compute the same bits from
// the same factors. What crosses in an iteration are S [d×k], R [k×k] and terms of the objective,
// in float64. The draws of a random start are those of one rank with all rows; results differ by
// the rounding of sums alone, but components that stay dead are reseeded from a sample of each
// rank. Rows in errors and warnings count from the rank's first row. Only starts `random` and
// `given` have sums over ranks, and checkpoints, a graph, held-out entries and a second start have
// none: asking for one of them with several ranks is a bug of the caller.
//
// `shared` carries out the passes over X; null: the backend does.
Convergence fit(Passes& backend, const RowSource& X, const FitOptions& options, HostView<float> W,
                HostView<float> H, const Job& job, Communicator& ranks = single_process(),
                SharedReads* shared = nullptr);

struct TransformOptions {
  Model model;
  Loss loss;
  double l1_w;
  double l2_w;
  double upper_w = unbounded;
  bool at_most_one = false;  // see HullOptions
};

struct TransformResult {
  double relative_error;
};

// Computes the codes W [n×k] of new rows for a fixed H [k×d], with the penalties on W: the solution
// of each row's non-negative least-squares problem, or one of them if H determines none. For a
// divergence, the result of multiplicative steps, which end when they lower it by less than a
// millionth. For a model whose rows of W sum to 1, the solution with this constraint.
TransformResult transform(Passes& backend, const RowSource& X, HostView<const float> H,
                          const TransformOptions& options, HostView<float> W, const Job& job);

// X = W H [n×d], summed in float32, or in float64 if float32 overflows: an entry is ±Infinity only
// if W H is beyond the range of float32. Throws InvalidEntry for an entry of W or H that is not
// finite.
void inverse_transform(Passes& backend, const RowSource& W, HostView<const float> H,
                       HostView<float> X, const Job& job);

struct SvdOptions {
  Index rank;
  Index oversamples;
  Index power_iterations;
  std::uint64_t seed;
};

struct SvdResult {
  std::vector<double> s;              // [rank], descending
  double relative_error;              // ‖X − U diag(s) V‖ / ‖X‖; 0 if X is zero
  std::vector<std::string> warnings;  // complete sentences for users
};

// X ≈ U diag(s) V [n×r][r][r×d]; U and Vᵀ have orthonormal columns; the sign of each component
// makes the entry of largest magnitude in V's row positive. Reads: see krylov_space().
SvdResult truncated_svd(Passes& backend, const RowSource& X, const SvdOptions& options,
                        HostView<float> U, HostView<float> V, const Job& job);

struct KmeansOptions {
  Index clusters;
  Index max_iterations;
  double tolerance;  // stop when an iteration lowers the inertia by a smaller fraction
  std::uint64_t seed;
};

struct KmeansResult {
  double inertia;  // Σ squared distances to the nearest centre
  Index iterations;
  bool converged;
  Index empty_clusters;  // number of clusters without rows
};

// Lloyd (1982) from k-means++ centres (Arthur & Vassilvitskii, 2007). Empty clusters take the row
// that is worst served. labels [n].
KmeansResult kmeans(Passes& backend, const RowSource& X, const KmeansOptions& options,
                    std::int32_t* labels, HostView<float> centers, const Job& job);

}  // namespace gemmine
