#include <algorithm>
#include <cmath>
#include <optional>

#include "backend/cpu/group_pass.h"
#include "backend/cpu/host.h"
#include "backend/cpu/panels.h"
#include "backend/cpu/prepared_step.h"
#include "backend/cpu/tile_entries.h"
#include "core/error.h"
#include "core/row_block.h"

namespace gemmine::cpu {
namespace {

constexpr Index tile_elements = 1 << 16;  // of each of three matrices [tile×d]
constexpr Index whole_tile = 24;          // rows: a multiple of the heights of products
constexpr Index most_rows = 480;
constexpr float step_size = 4;  // the curvature of ln(1 + e^v) is at most 1/4

// Z = V + E of the given pair, with V = W Htᵀ and E = 4 (X − σ(V)) [tile×d], is never formed: as
// HtᵀHt = I, Z Ht = W + E Ht, and Zᵀ W' = Ht (Wᵀ W') + Eᵀ W' for the W' after the step.
class LogisticGroup : public GroupPass {
 public:
  LogisticGroup(const Kernels& kernels, const Pass& pass, const Group& group,
                const Cancellation& stop)
      : kernels_(kernels),
        group_(group),
        sums_(cpu_sums(group.sums)),
        Ht_(host(group.Ht)),
        d_(group.Ht.rows),
        k_(group.Ht.cols),
        padded_k_(padded_columns(k_, kernels)),
        padded_d_(padded_columns(d_, kernels)) {
    expect(pass.exponent == 0 && group.mask.all_pass() && pass.row_weights.empty(),
           "the logistic loss counts all entries of a binary X");
    pack_panels(d_, k_, kernels, [&](Index t, Index j) { return Ht_(t, j); }, Ht_panels_);
    pack_panels(k_, d_, kernels, [&](Index j, Index t) { return Ht_(t, j); }, H_panels_);
    if (group.step) step_.emplace(kernels, *group.step, group.normal, stop);
    sums_.incoming_divergence = 0;
    sums_.incoming_residual = 0;
    if (!group.accumulate) return;
    std::ranges::fill(sums_.cross, 0.0);
    moved_.assign(static_cast<std::size_t>(k_ * k_), 0.0);
  }

  Index tile_rows() const override {
    return std::clamp(tile_elements / d_ / whole_tile * whole_tile, whole_tile, most_rows);
  }

  void begin_block(BlockSums& sums) const override {
    sums.cross.assign(static_cast<std::size_t>(group_.accumulate ? d_ * padded_k_ : 0), 0.0f);
    sums.column.assign(static_cast<std::size_t>(group_.accumulate ? k_ * k_ : 0), 0.0);
    sums.incoming_divergence = 0;
    sums.incoming_residual = 0;
  }

  void tile(const RowBlock& rows, Index begin, bool, Workspace& workspace,
            BlockSums& sums) const override {
    const EntryReading reading{.kernels = kernels_,
                               .mask = group_.mask,
                               .noise = group_.noise,
                               .scale = 1,
                               .padded_d = padded_d_,
                               .sparse = false};
    const HostView<float> x = read_tile(reading, rows, d_, workspace).x;
    const HostView<float> W = host(group_.W.row_block(begin, rows.count));
    form_residuals(x, W, group_.measure, workspace, sums);
    const Index sweeps = group_.step ? group_.step->sweeps : 0;
    for (Index sweep = 0; sweep < sweeps; ++sweep) {
      if (sweep > 0) form_residuals(x, W, Measure::none, workspace, sums);
      improve(W, workspace);
    }
    if (!group_.accumulate) return;
    if (sweeps == 0) keep(W, workspace);
    accumulate(W, workspace, sums);
  }

  void merge(const BlockSums& block) const override {
    sums_.incoming_divergence += block.incoming_divergence;
    sums_.incoming_residual += block.incoming_residual;
    if (!group_.accumulate) return;
    kernels_.add_to_double({block.cross.data(), d_, k_, padded_k_}, 1.0, sums_.cross.data());
    for (std::size_t i = 0; i < moved_.size(); ++i) moved_[i] += block.column[i];
  }

  // S += Ht (Wᵀ W').
  void finish() const override {
    if (!group_.accumulate) return;
    for (Index t = 0; t < d_; ++t)
      for (Index l = 0; l < k_; ++l) {
        const double h = Ht_(t, l);
        for (Index j = 0; j < k_; ++j) sums_.cross[t * k_ + j] += h * moved_[l * k_ + j];
      }
  }

 private:
  // E in workspace.above.
  void form_residuals(HostView<const float> x, HostView<const float> W, Measure measure,
                      Workspace& workspace, BlockSums& sums) const {
    const HostView<float> V = rows_in(workspace.model, W.rows, d_, padded_d_);
    kernels_.multiply_panels(rows_of(W), H_panels_.data(), V, false);
    const HostView<float> E = rows_in(workspace.above, W.rows, d_, padded_d_);
    for (Index i = 0; i < W.rows; ++i)
      for (Index t = 0; t < d_; ++t) {
        const float v = V(i, t);
        const float small = std::exp(-std::abs(v));  // at most 1
        const float likely = 1 / (1 + small);
        const float residual = x(i, t) - (v < 0 ? small * likely : likely);
        E(i, t) = step_size * residual;
        if (measure == Measure::divergence)
          sums.incoming_divergence +=
              std::log1p(double{small}) + std::max(v, 0.0f) - double{x(i, t)} * v;
        if (measure == Measure::direct) sums.incoming_residual += double{residual} * residual;
      }
  }

  // W before a step, in workspace.W_rows.
  HostView<float> keep(HostView<const float> W, Workspace& workspace) const {
    const HostView<float> before = rows_in(workspace.W_rows, W.rows, k_, k_);
    for (Index i = 0; i < W.rows; ++i) std::copy_n(W.row(i), k_, before.row(i));
    return before;
  }

  void improve(HostView<float> W, Workspace& workspace) const {
    const HostView<float> before = keep(W, workspace);
    const HostView<float> P = rows_in(workspace.cross, W.rows, k_, padded_k_);
    const HostView<const float> E = {workspace.above.data(), W.rows, d_, padded_d_};
    kernels_.multiply_panels(rows_of(E), Ht_panels_.data(), P, false);
    for (Index i = 0; i < W.rows; ++i)
      for (Index j = 0; j < k_; ++j) P(i, j) += before(i, j);
    step_->improve({P.data, P.rows, k_, P.stride}, W);
  }

  void accumulate(HostView<const float> W, Workspace& workspace, BlockSums& sums) const {
    const auto w = [&](Index i, Index j) { return W(i, j); };
    pack_panels(W.rows, k_, kernels_, w, workspace.W_panels);
    kernels_.multiply_panels(
        columns_of(HostView<const float>{workspace.above.data(), W.rows, d_, padded_d_}),
        workspace.W_panels.data(), {sums.cross.data(), d_, k_, padded_k_}, true);
    const HostView<const float> before = {workspace.W_rows.data(), W.rows, k_, k_};
    for (Index i = 0; i < W.rows; ++i)
      for (Index l = 0; l < k_; ++l)
        for (Index j = 0; j < k_; ++j) sums.column[l * k_ + j] += double{before(i, l)} * W(i, j);
  }

  const Kernels& kernels_;
  const Group& group_;
  CpuSums& sums_;
  const HostView<const float> Ht_;
  const Index d_;
  const Index k_;
  const Index padded_k_;
  const Index padded_d_;
  std::vector<float> Ht_panels_;  // [d×k]
  std::vector<float> H_panels_;   // [k×d]
  std::optional<PreparedStep> step_;
  mutable std::vector<double> moved_;  // Wᵀ W' [k×k]
};

}  // namespace

std::unique_ptr<GroupPass> logistic_group(const Kernels& kernels, const Pass& pass,
                                          const Group& group, const Cancellation& stop) {
  return std::make_unique<LogisticGroup>(kernels, pass, group, stop);
}

}  // namespace gemmine::cpu
