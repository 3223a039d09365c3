#include <algorithm>
#include <cmath>
#include <optional>

#include "backend/cpu/factor_operations.h"
#include "backend/cpu/group_pass.h"
#include "backend/cpu/host.h"
#include "backend/cpu/panels.h"
#include "backend/cpu/prepared_step.h"
#include "backend/cpu/row_blocks.h"
#include "backend/cpu/small_gram.h"
#include "backend/perturbed_block.h"
#include "core/row_block.h"

namespace gemmine::cpu {
namespace {

SparseRows sparse_rows(const RowBlock& block) {
  return {block.count, block.indptr, block.indices, block.values};
}

class FrobeniusGroup : public GroupPass {
 public:
  FrobeniusGroup(const Kernels& kernels, const Pass& pass, const Group& group,
                 const Cancellation& stop)
      : kernels_(kernels),
        pass_(pass),
        X_(pass.X),
        group_(group),
        sums_(cpu_sums(group.sums)),
        Ht_(host(group.Ht)),
        d_(group.Ht.rows),
        k_(group.Ht.cols),
        padded_k_(padded_columns(k_, kernels)),
        stride_of_S_(X_.sparse() ? whole_panels(k_, kernels.lanes) : padded_k_),
        direct_(group.measure == Measure::direct),
        identity_(group.measure == Measure::identity),
        forms_cross_(group.step.has_value() || identity_),
        scale_(std::ldexp(1.0, -exponent_of(pass, group))) {
    const auto scaled = [&](Index t, Index j) { return static_cast<float>(scale_ * Ht_(t, j)); };
    const auto negative_H = [&](Index j, Index t) { return -Ht_(t, j); };
    if (forms_cross_ && X_.sparse())
      sparse_Ht_ = pack_rows(d_, k_, kernels, scaled, scaled_Ht_);
    else if (forms_cross_)
      pack_panels(d_, k_, kernels, scaled, scaled_Ht_);
    if (direct_ && !X_.sparse()) pack_panels(k_, d_, kernels, negative_H, negative_H_);
    if (group.measure == Measure::exact) widen_H();
    if (group.step) step_.emplace(kernels, *group.step, group.normal, stop);
    clear();
  }

  Index tile_rows() const override { return cpu::tile_rows(X_, k_); }

  void begin_block(BlockSums& sums) const override {
    sums.cross.resize(static_cast<std::size_t>(group_.accumulate ? d_ * stride_of_S_ : 0));
    sums.gram.resize(static_cast<std::size_t>(group_.accumulate ? k_ * padded_k_ : 0));
    sums.incoming_gram.assign(static_cast<std::size_t>(forms_incoming_gram() ? k_ * k_ : 0), 0.0);
    sums.incoming_product = 0;
    sums.incoming_residual = 0;
    if (X_.sparse()) std::ranges::fill(sums.cross, 0.0f);
  }

  void tile(const RowBlock& given, Index begin, bool first, Workspace& workspace,
            BlockSums& sums) const override {
    const RowBlock rows =
        perturbed_block(given, group_.noise, workspace.perturbed, kernels_.perturb);
    const HostView<float> W = host(group_.W.row_block(begin, rows.count));
    if (forms_incoming_gram() && pass_.row_weights.empty())
      add_gram(W, Into::add, sums.incoming_gram);
    else if (forms_incoming_gram())
      add_weighted_gram(W, pass_.row_weights.subspan(begin, W.rows), sums.incoming_gram);
    if (direct_)
      sums.incoming_residual +=
          X_.sparse() ? sparse_residual(rows, W) : dense_residual(rows, W, workspace);
    if (group_.measure == Measure::exact)
      add_exact_residual(rows, W, workspace.wide, sums.incoming_residual);
    if (forms_cross_) {
      const HostView<float> P = rows_in(workspace.cross, rows.count, k_, padded_k_);
      multiply_rows(rows, P);
      if (identity_)
        for (Index i = 0; i < rows.count; ++i)
          sums.incoming_product += weight(begin + i) * kernels_.dot(P.row(i), W.row(i), k_);
      if (step_) improve(P, begin, W, workspace);
      if (group_.extrapolated) {
        Extrapolated by = *group_.extrapolated;
        by.previous = by.previous.row_block(begin, rows.count);
        extrapolate_rows(by, W);
      }
    }
    if (group_.accumulate) accumulate(rows, W, !first, workspace, sums);
  }

  void merge(const BlockSums& block) const override {
    sums_.incoming_product += block.incoming_product;
    sums_.incoming_residual += block.incoming_residual;
    for (std::size_t i = 0; i < block.incoming_gram.size(); ++i)
      sums_.incoming_gram[i] += block.incoming_gram[i];
    if (!group_.accumulate) return;
    kernels_.add_to_double({block.cross.data(), d_, k_, stride_of_S_}, scale_, sums_.cross.data());
    kernels_.add_to_double({block.gram.data(), k_, k_, padded_k_}, 1.0, sums_.gram.data());
  }

  void finish() const override {
    if (forms_incoming_gram()) mirror_upper(sums_.incoming_gram, k_);
    if (!direct_ || !X_.sparse()) return;
    // Adds ‖W Htᵀ‖²; the blocks have subtracted its part at the non-zeros of X.
    for (Index i = 0; i < k_ * k_; ++i)
      sums_.incoming_residual += sums_.incoming_gram[i] * group_.normal.gram()[i];
    sums_.incoming_residual = std::max(0.0, sums_.incoming_residual);  // may cancel below 0
  }

 private:
  void widen_H() {
    wide_H_.resize(static_cast<std::size_t>(k_ * d_));
    for (Index t = 0; t < d_; ++t)
      for (Index j = 0; j < k_; ++j) wide_H_[j * d_ + t] = Ht_(t, j);
  }

  bool forms_incoming_gram() const { return identity_ || (direct_ && X_.sparse()); }

  double weight(Index row) const {
    return pass_.row_weights.empty() ? 1.0 : double{pass_.row_weights[row]};
  }

  void improve(HostView<float> P, Index begin, HostView<float> W, Workspace& workspace) const {
    if (group_.addend) add_rows(*group_.addend, begin, P, workspace.row_diagonal);
    step_->improve({P.data, P.rows, k_, P.stride}, W,
                   group_.addend ? workspace.row_diagonal.data() : nullptr);
  }

  // Clears the sums of an earlier pass.
  void clear() const {
    sums_.incoming_product = 0;
    sums_.incoming_residual = 0;
    std::ranges::fill(sums_.incoming_gram, 0.0);
    if (!group_.accumulate) return;
    const auto reduce = [&](double sum) {
      return group_.retained == 0 ? 0 : group_.retained * sum;
    };
    std::ranges::transform(sums_.cross, sums_.cross.begin(), reduce);
    std::ranges::transform(sums_.gram, sums_.gram.begin(), reduce);
  }

  void multiply_rows(const RowBlock& rows, HostView<float> P) const {
    if (X_.sparse()) {
      kernels_.sparse_multiply(sparse_rows(rows), sparse_Ht_, P);
    } else {
      kernels_.multiply_panels(rows_of(rows.dense), scaled_Ht_.data(), P, false);
    }
  }

  void accumulate(const RowBlock& rows, HostView<const float> W, bool add, Workspace& workspace,
                  BlockSums& sums) const {
    const auto w = [&](Index i, Index j) {
      return pass_.row_weights.empty() ? W(i, j) : pass_.row_weights[rows.begin + i] * W(i, j);
    };
    pack_panels(W.rows, k_, kernels_, w, workspace.W_panels);
    const float* panels = workspace.W_panels.data();
    const HostView<float> S = {sums.cross.data(), d_, k_, stride_of_S_};
    const HostView<float> R = {sums.gram.data(), k_, k_, padded_k_};
    if (X_.sparse()) {
      kernels_.sparse_add_at_b(sparse_rows(rows), panels, S);
    } else {
      kernels_.multiply_panels(columns_of(rows.dense), panels, S, add);
    }
    kernels_.multiply_panels(columns_of(W), panels, R, add);
  }

  // ‖2^-exponent·X − W Htᵀ‖² of a tile, computed on a copy.
  double dense_residual(const RowBlock& rows, HostView<const float> W, Workspace& workspace) const {
    const HostView<const float> X = rows.dense;
    const HostView<float> residual =
        rows_in(workspace.residual, X.rows, d_, padded_columns(d_, kernels_));
    kernels_.scaled_copy(X, scale_, residual);
    kernels_.multiply_panels(rows_of(W), negative_H_.data(), residual, true);
    double sum = 0;
    for (Index i = 0; i < X.rows; ++i)
      sum += weight(rows.begin + i) * kernels_.dot(residual.row(i), residual.row(i), d_);
    return sum;
  }

  // Σ (x − w·h)² − (w·h)² over the non-zeros; finish() adds Σ (w·h)² over all elements.
  double sparse_residual(const RowBlock& rows, HostView<const float> W) const {
    double sum = 0;
    for (Index i = 0; i < rows.count; ++i) {
      const auto end = static_cast<Index>(rows.indptr[i + 1]);
      for (auto t = static_cast<Index>(rows.indptr[i]); t < end; ++t) {
        const double x = rows.values[t] * scale_;
        const double product = kernels_.dot(W.row(i), Ht_.row(rows.indices[t]), k_);
        sum += weight(rows.begin + i) * x * (x - 2 * product);
      }
    }
    return sum;
  }

  // Element by element in float64: over few elements the rounding errors of float32 do not average
  // out.
  void add_exact_residual(const RowBlock& rows, HostView<const float> W, std::vector<double>& row,
                          double& sum) const {
    row.resize(static_cast<std::size_t>(d_));
    for (Index i = 0; i < rows.count; ++i) {
      if (X_.sparse()) {
        take_row(rows, i, scale_, row);
      } else {
        std::ranges::fill(row, 0.0);
        kernels_.add_to_double(rows.dense.row_block(i, 1), scale_, row.data());
      }
      sum += weight(rows.begin + i) *
             kernels_.squares_left(row.data(), d_, W.row(i), wide_H_.data(), k_);
    }
  }

  const Kernels& kernels_;
  const Pass& pass_;
  const RowSource& X_;
  const Group& group_;
  CpuSums& sums_;
  const HostView<const float> Ht_;
  const Index d_;
  const Index k_;
  const Index padded_k_;
  const Index stride_of_S_;  // short for sparse rows, which read few lines of it
  const bool direct_;
  const bool identity_;
  const bool forms_cross_;
  const double scale_;            // 2^-exponent
  std::vector<float> scaled_Ht_;  // panels [d×k], or rows for a sparse X
  RightRows sparse_Ht_{};
  std::vector<float> negative_H_;  // panels [k×d]
  std::vector<double> wide_H_;     // [k×d]
  std::optional<PreparedStep> step_;
};

}  // namespace

std::unique_ptr<GroupPass> frobenius_group(const Kernels& kernels, const Pass& pass,
                                           const Group& group, const Cancellation& stop) {
  return std::make_unique<FrobeniusGroup>(kernels, pass, group, stop);
}

}  // namespace gemmine::cpu
