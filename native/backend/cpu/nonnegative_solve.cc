// Exact codes: rows that float32 sweeps leave too far from the minimum are solved by an active set
// in float64.
#include "backend/cpu/nonnegative_solve.h"

#include <algorithm>
#include <cmath>

#include "backend/cpu/active_set.h"
#include "backend/cpu/block_pivoting.h"
#include "backend/cpu/host.h"
#include "backend/cpu/ordered_blocks.h"
#include "backend/cpu/panels.h"
#include "backend/cpu/row_blocks.h"
#include "backend/scaled_normal.h"
#include "core/row_reader.h"

namespace gemmine::cpu {
namespace {

// A row is settled if its objective is this close to the minimum, as a share of itself or of ‖x‖².
// (Float32 resolves an objective only to the latter share of ‖x‖².)
constexpr double settled_share = 1e-6;
constexpr double settled_share_of_row = 1e-10;
constexpr double objective_noise = 1e-6;
// Below this eigenvalue the rounding of N affects codes, and a step of refinement is needed.
constexpr double refined_eigenvalue = 1e-8;

// Memory of one thread.
struct Workspace {
  Workspace(const Kernels& kernels, const ScaledNormal& normal, const std::vector<double>& upper)
      : set(normal.entries, upper, smallest_float64_pivot),
        pivoting(kernels, normal.entries, normal.k, smallest_float64_pivot),
        b(normal.k),
        v(normal.k),
        slope(normal.k) {}

  RowScratch rows;
  std::vector<float> cross;  // P [tile×k]
  ActiveSet set;
  BlockPivoting pivoting;
  std::vector<double> b;
  std::vector<double> v;
  std::vector<double> slope;
  std::vector<double> residual;  // x − w Htᵀ [d]
  std::vector<Index> unsettled;  // rows of the tile
  std::vector<double> right;     // their b [rows×k]
  std::vector<double> solution;  // their v [rows×k]
};

class Settling {
 public:
  Settling(const Kernels& kernels, const LeastSquares& problem, BackendView<float> W,
           const Job& job)
      : kernels_(kernels),
        problem_(problem),
        job_(job),
        rows_(problem.X),
        Ht_(host(problem.Ht)),
        W_(host(W)),
        d_(Ht_.rows),
        k_(Ht_.cols),
        padded_k_(padded_columns(k_, kernels)),
        scale_(std::ldexp(1.0, -problem.exponent)),
        normal_(problem.normal, problem.l2),
        smallest_(ActiveSet(normal_.entries, scaled_bounds(unbounded), smallest_float64_pivot)
                      .smallest_eigenvalue(job.cancellation)) {
    pack_panels(
        d_, k_, kernels, [&](Index t, Index j) { return static_cast<float>(scale_ * Ht_(t, j)); },
        panels_);
  }

  void run() const {
    const std::vector<Index> firsts = row_blocks(problem_.X);
    const std::vector<double> upper = scaled_bounds(problem_.upper);
    std::vector<std::unique_ptr<Workspace>> workspaces(
        static_cast<std::size_t>(worker_count(job_)));
    parallel_for(job_, static_cast<Index>(firsts.size()) - 1, [&](Index block, Index worker) {
      auto& workspace = workspaces[static_cast<std::size_t>(worker)];
      if (!workspace) workspace = std::make_unique<Workspace>(kernels_, normal_, upper);
      workspace->set.clear();  // results must not depend on earlier blocks of the thread
      const Index rows = tile_rows(problem_.X, k_);
      for (Index at = firsts[block]; at < firsts[block + 1]; at += rows)
        tile(at, std::min(rows, firsts[block + 1] - at), *workspace);
    });
  }

 private:
  // `upper` for every component, scaled.
  std::vector<double> scaled_bounds(double upper) const {
    std::vector<double> bounds(static_cast<std::size_t>(k_), unbounded);
    for (Index j = 0; j < k_; ++j)
      if (normal_.inverse_root[j] > 0) bounds[j] = upper / normal_.inverse_root[j];
    return bounds;
  }

  void tile(Index begin, Index count, Workspace& workspace) const {
    const RowBlock rows = rows_.block(begin, count, workspace.rows);
    const HostView<float> P = rows_in(workspace.cross, count, k_, padded_k_);
    if (problem_.X.sparse())
      kernels_.sparse_multiply({count, rows.indptr, rows.indices, rows.values},
                               panel_rows(panels_.data(), d_, k_, kernels_), P);
    else
      kernels_.multiply_panels(rows_of(rows.dense), panels_.data(), P, false);
    workspace.unsettled.clear();
    workspace.right.clear();
    workspace.solution.clear();
    for (Index i = 0; i < count; ++i) {
      job_.cancellation.check();
      float* w = W_.row(begin + i);
      for (Index j = 0; j < k_; ++j) workspace.b[j] = P(i, j);
      if (settled(w, squared_norm(rows, i), workspace)) continue;
      if (pivots())
        put_off(rows, i, workspace);
      else
        solve(rows, i, w, workspace);
    }
    solve_together(begin, workspace);
  }

  // Whether rows are solved together. Otherwise each needs its own factor for the refinement, or
  // has an upper bound.
  bool pivots() const { return smallest_ >= refined_eigenvalue && problem_.upper == unbounded; }

  void put_off(const RowBlock& rows, Index i, Workspace& workspace) const {
    set_exact_right_side(rows, i, workspace);
    workspace.unsettled.push_back(i);
    workspace.right.insert(workspace.right.end(), workspace.b.begin(), workspace.b.end());
    workspace.solution.insert(workspace.solution.end(), workspace.v.begin(), workspace.v.end());
  }

  void solve_together(Index begin, Workspace& workspace) const {
    const auto count = static_cast<Index>(workspace.unsettled.size());
    const HostView<double> V = {workspace.solution.data(), count, k_, k_};
    workspace.pivoting.solve({workspace.right.data(), count, k_, k_}, V, job_.cancellation);
    for (Index i = 0; i < count; ++i) {
      float* w = W_.row(begin + workspace.unsettled[i]);
      for (Index j = 0; j < k_; ++j) w[j] = static_cast<float>(V(i, j) * normal_.inverse_root[j]);
    }
  }

  double squared_norm(const RowBlock& rows, Index i) const {
    if (rows.dense.data != nullptr)
      return scale_ * scale_ * kernels_.summarize(rows.dense.row(i), d_).squared_norm;
    const auto first = static_cast<Index>(rows.indptr[i]);
    const auto end = static_cast<Index>(rows.indptr[i + 1]);
    return scale_ * scale_ * kernels_.summarize(rows.values + first, end - first).squared_norm;
  }

  // The objective is at most ‖projected slope‖² / λ above its minimum, where λ is the smallest
  // eigenvalue; all in scaled components.
  bool settled(const float* w, double squared_norm, Workspace& workspace) const {
    set_right_side(workspace);
    std::vector<double>& slope = workspace.slope;
    std::vector<double>& scaled = workspace.v;
    slope = workspace.b;
    for (Index i = 0; i < k_; ++i) {
      const double v = scaled[i] = normal_.inverse_root[i] > 0 ? w[i] / normal_.inverse_root[i] : 0;
      if (v == 0) continue;
      const double* N = normal_.entries.data() + i * k_;
      for (Index j = 0; j < k_; ++j) slope[j] -= v * N[j];
    }
    double sum = 0;
    double objective = squared_norm;
    for (Index j = 0; j < k_; ++j) {
      if (slope[j] > 0 ? w[j] < problem_.upper : scaled[j] > 0) sum += slope[j] * slope[j];
      objective -= scaled[j] * (workspace.b[j] + slope[j]);
    }
    const double certain = std::max(0.0, objective - objective_noise * squared_norm);
    return sum <=
           smallest_ * std::max(settled_share * certain, settled_share_of_row * squared_norm);
  }

  // Converts products x·h_j in workspace.b to the right side of the scaled problem.
  void set_right_side(Workspace& workspace) const {
    for (Index j = 0; j < k_; ++j)
      workspace.b[j] = (workspace.b[j] - problem_.l1 / 2) * normal_.inverse_root[j];
  }

  // to = x·Ht in float64.
  void multiply(const std::vector<double>& x, std::vector<double>& to) const {
    std::fill(to.begin(), to.end(), 0.0);
    for (Index t = 0; t < d_; ++t) {
      if (x[t] == 0) continue;
      const float* h = Ht_.row(t);
      for (Index j = 0; j < k_; ++j) to[j] += x[t] * h[j];
    }
  }

  // The right side from products in float64; the residual becomes x.
  void set_exact_right_side(const RowBlock& rows, Index i, Workspace& workspace) const {
    workspace.residual.resize(static_cast<std::size_t>(d_));
    take_row(rows, i, scale_, workspace.residual);
    multiply(workspace.residual, workspace.b);
    set_right_side(workspace);
  }

  void solve(const RowBlock& rows, Index i, float* w, Workspace& workspace) const {
    set_exact_right_side(rows, i, workspace);
    std::vector<double>& v = workspace.v;  // set by settled()
    workspace.set.solve(workspace.b, v, job_.cancellation);
    if (smallest_ < refined_eigenvalue) refine(workspace);
    const auto upper = static_cast<float>(problem_.upper);
    for (Index j = 0; j < k_; ++j)
      w[j] = std::min(static_cast<float>(v[j] * normal_.inverse_root[j]), upper);
  }

  // One step from the residual, after which the rounding of N does not affect the codes. Björck
  // (1987), "Stability analysis of the method of seminormal equations", LAA 88/89.
  void refine(Workspace& workspace) const {
    std::vector<double>& v = workspace.v;
    std::vector<double>& x = workspace.residual;
    for (Index t = 0; t < d_; ++t) {
      const float* h = Ht_.row(t);
      for (Index j = 0; j < k_; ++j)
        if (v[j] > 0) x[t] -= v[j] * normal_.inverse_root[j] * h[j];
    }
    multiply(x, workspace.b);
    for (Index j = 0; j < k_; ++j) {
      const double shrink = problem_.l1 / 2 + problem_.l2 * v[j] * normal_.inverse_root[j];
      workspace.b[j] = (workspace.b[j] - shrink) * normal_.inverse_root[j];
    }
    workspace.set.solve_for_passive(workspace.b, workspace.slope);
    for (Index j = 0; j < k_; ++j) v[j] = std::max(0.0, v[j] + workspace.slope[j]);
  }

  const Kernels& kernels_;
  const LeastSquares& problem_;
  const Job& job_;
  const RowReader rows_;
  const HostView<const float> Ht_;
  const HostView<float> W_;
  const Index d_;
  const Index k_;
  const Index padded_k_;
  const double scale_;  // 2^-exponent
  const ScaledNormal normal_;
  const double smallest_;      // eigenvalue of the scaled N
  std::vector<float> panels_;  // scaled Ht [d×k]
};

}  // namespace

void settle_codes(const Kernels& kernels, const LeastSquares& problem, BackendView<float> W,
                  const Job& job) {
  Settling(kernels, problem, W, job).run();
}

}  // namespace gemmine::cpu
