#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backend/normal_matrix.h"
#include "backend/scan.h"
#include "core/job.h"
#include "core/matrix.h"
#include "core/row_source.h"

namespace gemmine {

class Backend;

// Penalty weights are against ‖X − WH‖² without ½: the objective adds l1·Σ|·| + l2·Σ(·)².
struct StepOptions {
  double l1;
  double l2;
  Index sweeps;       // inner sweeps over the components; they do not touch X
  double relaxation;  // ω of nonnegative_sweep; other steps do not read it
};

// Improves `factor` [b×k] for a fixed other side, given cross = X_b·other [b×k] and the normal
// matrix otherᵀ·other. Treats rows independently; several threads call it at once on different
// blocks.
using Step = std::function<void(Backend&, BackendView<const float> cross, const NormalMatrix&,
                                const StepOptions&, BackendView<float> factor)>;

// How a pass measures the pair (W, Ht) that it was given, before its step changes W.
enum class Measure {
  none,
  identity,  // Σ⟨P_b, W_b⟩ and W_bᵀW_b; cancels below about 1e-2·‖X‖²
  direct,    // Σ‖X_b − W_b Htᵀ‖², half as much work again
};

struct Pass {
  const RowSource& X;
  // The factors hold X·2^-exponent ≈ W Htᵀ: products see Ht scaled by 2^-exponent in addition, and
  // S comes back scaled, both exact. (Sources scale their own blocks only at extreme magnitudes.)
  int exponent;
  BackendView<const float> Ht;  // [d×k]
  const NormalMatrix& normal;   // HtᵀHt [k×k]
  const Step* row_step;         // null: W stays
  StepOptions options;
  BackendView<float> W;  // [n×k]
  Measure measure;
  bool sums;  // form S and R
};

// What one read of X leaves behind: S and R where they are wanted. Float32 inside a block, float64
// across blocks, in block order.
struct PassSums {
  PassSums(Index d, Index k) : d(d), k(k), cross(d * k), gram(k * k), incoming_gram(k * k) {}
  Index d;
  Index k;
  std::vector<double> cross;          // S = 2^-exponent·XᵀW [d×k] of the new W
  std::vector<double> gram;           // R = WᵀW [k×k] of the new W
  std::vector<double> incoming_gram;  // WᵀW of the W that came in (Measure::identity)
  double incoming_product;            // ⟨XHt, W⟩ of the pair that came in (Measure::identity)
  double incoming_residual;           // ‖X − W Htᵀ‖² of the pair that came in (Measure::direct)
  std::shared_ptr<void> memory;       // the backend's own, kept from pass to pass
};

// What the first read of X finds.
struct SourceNorm {
  double squared_norm;  // ‖X‖² of X·2^-exponent
  int exponent;         // max|X|·2^-exponent in [1, 2); 0 for an X of zeros
  double sum;           // Σ X·2^-exponent
  double smallest;      // min X, as given
};

// The operations that a device must provide. Nothing above this line knows which device it is.
class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::string name() const = 0;

  // Device memory; on the CPU it is host memory. Zeroed.
  virtual std::shared_ptr<float[]> allocate(Index count) = 0;
  virtual void upload(HostView<const float> from, BackendView<float> to) = 0;
  virtual void download(BackendView<const float> from, HostView<float> to) = 0;

  // Reads X once; throws InvalidEntry at the first entry (in row order) that is not finite, or is
  // negative where `nonnegative` is asked for.
  virtual SourceNorm examine(const RowSource& X, bool nonnegative, const Job& job) = 0;

  // One read of X: for each fixed block of rows P_b = X_b·Ht, the measure, the row step, then
  // S += X_bᵀW_b and R += W_bᵀW_b if wanted. Blocks depend on n, d, k and nnz only, so these and W
  // have the same bits for any number of threads.
  virtual void pass(const Pass& pass, PassSums& sums, const Job& job) = 0;

  // Applies a step to all rows of a factor, in parallel over fixed blocks (the column side).
  virtual void apply(const Step& step, BackendView<const float> cross, const NormalMatrix& normal,
                     const StepOptions& options, BackendView<float> factor, const Job& job) = 0;

  // factorᵀ·factor [k×k] in float64, over fixed blocks in order.
  virtual std::vector<double> gram(BackendView<const float> factor, const Job& job) = 0;

  // ---- Block operations, callable from several threads on different blocks of rows. ----

  // `sweeps` times, component by component:
  // f_j = max(0, f_j + ω (c_j − (F N)_j − l1/2 − l2 f_j) / (N_jj + l2)).
  // A component with N_jj + l2 == 0 keeps its column. HALS: Cichocki & Phan (2009); with ω ≠ 1
  // projected over-relaxation: Cryer (1971), which lowers the objective for every ω in (0, 2).
  virtual void nonnegative_sweep(BackendView<const float> cross, const NormalMatrix& normal,
                                 const StepOptions& options, BackendView<float> factor) = 0;
  // The same for a factor of free sign, with the soft threshold at l1/2.
  virtual void signed_sweep(BackendView<const float> cross, const NormalMatrix& normal,
                            const StepOptions& options, BackendView<float> factor) = 0;
  // f = f ⊙ max(c, 0) / (F N + l1/2 + l2 f), `sweeps` times. Lee & Seung (2001). A zero stays zero.
  virtual void multiplicative_update(BackendView<const float> cross, const NormalMatrix& normal,
                                     const StepOptions& options, BackendView<float> factor) = 0;
  // f = f ⊙ sqrt((c⁺ + F N⁻) / (c⁻ + F N⁺ + l1/2 + l2 f)), `sweeps` times. Ding, Li & Jordan
  // (2010).
  virtual void sign_split_update(BackendView<const float> cross, const NormalMatrix& normal,
                                 const StepOptions& options, BackendView<float> factor) = 0;
  // F = (cross − F_D N_DF) (N_FF + l2 I)⁻¹ over the independent components F of `normal`, in
  // float64; the dependent ones D keep their columns.
  virtual void solve_normal(BackendView<const float> cross, const NormalMatrix& normal,
                            BackendView<float> factor) = 0;
  // Each row of `factor` becomes the indicator of the smallest N_jj − 2 c_j: the nearest centre
  // (ties to the lower component).
  virtual void nearest_component(BackendView<const float> cross, const NormalMatrix& normal,
                                 BackendView<float> factor) = 0;
  virtual void copy(BackendView<const float> from, BackendView<float> to) = 0;

  // ---- Small problems in float64, on the host and on one thread. ----

  // The eigenvalues, descending, of a symmetric A [k×k]; its rows become the eigenvectors.
  virtual std::vector<double> symmetric_eigen(HostView<double> A) = 0;
  // Makes the rows of A orthonormal, each against those before it; one that depends on them becomes
  // any other direction. A has at least as many columns as rows.
  virtual void orthonormalise_rows(HostView<double> A) = 0;

  // ---- Scans: the exact best rows of a corpus for each query (scan.h). ----

  // Reads the corpus once or twice; throws InvalidEntry at the first entry (in row order) that is
  // not finite. The handle refers to `rows`.
  virtual std::unique_ptr<CorpusHandle> prepare_corpus(const RowSource& rows, Metric metric,
                                                       bool keep_panels, const Job& job) = 0;
  // The same check for queries. The handle refers to both arguments.
  virtual std::unique_ptr<QueryHandle> prepare_queries(const RowSource& rows,
                                                       const CorpusHandle& corpus,
                                                       const Job& job) = 0;
  // Calls `visit` for every query, in parallel.
  virtual void visit_queries(const QueryHandle& queries, const QueryVisitor& visit,
                             const Job& job) = 0;
  // Filters the whole corpus for the queries asked about, then calls `visit` for each, in parallel.
  virtual void scan(const ScanRequest& request, const ScanVisitor& visit, const Job& job) = 0;
};

}  // namespace gemmine
