#include <algorithm>
#include <cmath>

#include "backend/cpu/cpu_backend.h"
#include "backend/cpu/ordered_blocks.h"
#include "backend/cpu/panels.h"
#include "backend/cpu/row_blocks.h"
#include "backend/cpu/small_gram.h"

namespace gemmine::cpu {
namespace {

// What one block adds to PassSums. Rows of float32 sums are padded to whole panels.
struct BlockSums {
  std::vector<float> cross;           // [d×k]
  std::vector<float> gram;            // [k×k]
  std::vector<double> incoming_gram;  // upper triangle [k×k]
  double incoming_product;
  double incoming_residual;
};

// Memory of one thread.
struct Workspace {
  RowScratch rows;
  std::vector<float> cross;     // P [tile×k]
  std::vector<float> residual;  // X − W Htᵀ [tile×d]
  std::vector<float> W_panels;  // W [tile×k]
};

SparseRows sparse_rows(const RowBlock& block) {
  return {block.count, block.indptr, block.indices, block.values};
}

// Megabytes that would otherwise be asked of the system, page by page, in every pass.
struct PassMemory {
  std::vector<BlockSums> partial;
  std::vector<Workspace> workspaces;
};

PassMemory& memory_of(PassSums& sums) {
  if (!sums.memory) sums.memory = std::make_shared<PassMemory>();
  return *static_cast<PassMemory*>(sums.memory.get());
}

class RunningPass {
 public:
  RunningPass(Backend& backend, const Kernels& kernels, const Pass& pass, const Job& job)
      : backend_(backend),
        kernels_(kernels),
        pass_(pass),
        job_(job),
        Ht_(host(pass.Ht)),
        d_(pass.Ht.rows),
        k_(pass.Ht.cols),
        padded_k_(whole_panels(k_, kernels.panel_width)),
        direct_(pass.measure == Measure::direct),
        identity_(pass.measure == Measure::identity),
        forms_cross_(pass.row_step != nullptr || identity_),
        accumulates_(pass.sums),
        scale_(std::ldexp(1.0, -pass.exponent)) {
    const Index width = kernels.panel_width;
    const auto scaled = [&](Index t, Index j) { return static_cast<float>(scale_ * Ht_(t, j)); };
    const auto negative_H = [&](Index j, Index t) { return -Ht_(t, j); };
    if (forms_cross_) pack_panels(d_, k_, width, scaled, scaled_Ht_);
    if (direct_ && !pass.X.sparse()) pack_panels(k_, d_, width, negative_H, negative_H_);
  }

  void size(BlockSums& sums) const {
    sums.cross.resize(static_cast<std::size_t>(accumulates_ ? d_ * padded_k_ : 0));
    sums.gram.resize(static_cast<std::size_t>(accumulates_ ? k_ * padded_k_ : 0));
    sums.incoming_gram.resize(static_cast<std::size_t>(forms_incoming_gram() ? k_ * k_ : 0));
  }

  void block(Index begin, Index count, Workspace& workspace, BlockSums& sums) const {
    sums.incoming_product = 0;
    sums.incoming_residual = 0;
    std::ranges::fill(sums.incoming_gram, 0.0);
    if (pass_.X.sparse()) std::ranges::fill(sums.cross, 0.0f);
    const Index rows = tile_rows(pass_.X, k_);
    for (Index done = 0; done < count; done += rows) {
      job_.cancellation.check();
      tile(begin + done, std::min(rows, count - done), done > 0, workspace, sums);
    }
  }

  void merge(const BlockSums& block, PassSums& sums) const {
    sums.incoming_product += block.incoming_product;
    sums.incoming_residual += block.incoming_residual;
    for (std::size_t i = 0; i < block.incoming_gram.size(); ++i)
      sums.incoming_gram[i] += block.incoming_gram[i];
    if (!accumulates_) return;
    kernels_.add_to_double({block.cross.data(), d_, k_, padded_k_}, scale_, sums.cross.data());
    kernels_.add_to_double({block.gram.data(), k_, k_, padded_k_}, 1.0, sums.gram.data());
  }

  // After the last block.
  void finish(PassSums& sums) const {
    if (forms_incoming_gram()) mirror_upper(sums.incoming_gram, k_);
    if (!direct_ || !pass_.X.sparse()) return;
    // ‖W Htᵀ‖², of which the blocks took away what lies on the non-zeros of X.
    for (Index i = 0; i < k_ * k_; ++i)
      sums.incoming_residual += sums.incoming_gram[i] * pass_.normal.gram()[i];
    sums.incoming_residual = std::max(0.0, sums.incoming_residual);  // it may cancel
  }

  bool accumulates() const { return accumulates_; }

 private:
  bool forms_incoming_gram() const { return identity_ || (direct_ && pass_.X.sparse()); }

  void tile(Index begin, Index count, bool add, Workspace& workspace, BlockSums& sums) const {
    const RowBlock rows = pass_.X.block(begin, count, workspace.rows);
    const HostView<float> W = host(pass_.W.row_block(begin, count));
    if (forms_incoming_gram()) add_gram(W, Into::add, sums.incoming_gram);
    if (direct_)
      sums.incoming_residual +=
          pass_.X.sparse() ? sparse_residual(rows, W) : dense_residual(rows.dense, W, workspace);
    if (forms_cross_) {
      const HostView<float> P = rows_in(workspace.cross, count, k_, padded_k_);
      multiply_rows(rows, P);
      if (identity_)
        for (Index i = 0; i < count; ++i)
          sums.incoming_product += kernels_.dot(P.row(i), W.row(i), k_);
      if (pass_.row_step != nullptr)
        (*pass_.row_step)(backend_, {P.data, count, k_, padded_k_}, pass_.normal, pass_.options,
                          pass_.W.row_block(begin, count));
    }
    if (accumulates_) accumulate(rows, W, add, workspace, sums);
  }

  void multiply_rows(const RowBlock& rows, HostView<float> P) const {
    if (pass_.X.sparse()) {
      kernels_.sparse_multiply(sparse_rows(rows), d_, scaled_Ht_.data(), P);
    } else {
      kernels_.multiply_panels(rows_of(rows.dense), scaled_Ht_.data(), P, false);
    }
  }

  void accumulate(const RowBlock& rows, HostView<const float> W, bool add, Workspace& workspace,
                  BlockSums& sums) const {
    const auto w = [&](Index i, Index j) { return W(i, j); };
    pack_panels(W.rows, k_, kernels_.panel_width, w, workspace.W_panels);
    const float* panels = workspace.W_panels.data();
    const HostView<float> S = {sums.cross.data(), d_, k_, padded_k_};
    const HostView<float> R = {sums.gram.data(), k_, k_, padded_k_};
    if (pass_.X.sparse()) {
      kernels_.sparse_add_at_b(sparse_rows(rows), panels, S);
    } else {
      kernels_.multiply_panels(columns_of(rows.dense), panels, S, add);
    }
    kernels_.multiply_panels(columns_of(W), panels, R, add);
  }

  // ‖2^-exponent·X − W Htᵀ‖² of a tile, on a copy.
  double dense_residual(HostView<const float> X, HostView<const float> W,
                        Workspace& workspace) const {
    const HostView<float> residual =
        rows_in(workspace.residual, X.rows, d_, whole_panels(d_, kernels_.panel_width));
    kernels_.scaled_copy(X, scale_, residual);
    kernels_.multiply_panels(rows_of(W), negative_H_.data(), residual, true);
    double sum = 0;
    for (Index i = 0; i < X.rows; ++i) sum += kernels_.summarize(residual.row(i), d_).squared_norm;
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
        sum += x * (x - 2 * product);
      }
    }
    return sum;
  }

  Backend& backend_;
  const Kernels& kernels_;
  const Pass& pass_;
  const Job& job_;
  const HostView<const float> Ht_;
  const Index d_;
  const Index k_;
  const Index padded_k_;
  const bool direct_;
  const bool identity_;
  const bool forms_cross_;
  const bool accumulates_;         // S and R are formed
  const double scale_;             // 2^-exponent
  std::vector<float> scaled_Ht_;   // panels [d×k]
  std::vector<float> negative_H_;  // panels [k×d]
};

}  // namespace

void run_pass(Backend& backend, const Kernels& kernels, const Pass& pass, PassSums& sums,
              const Job& job) {
  const RunningPass running(backend, kernels, pass, job);
  sums.incoming_product = 0;
  sums.incoming_residual = 0;
  std::ranges::fill(sums.incoming_gram, 0.0);
  if (running.accumulates()) {
    std::ranges::fill(sums.cross, 0.0);
    std::ranges::fill(sums.gram, 0.0);
  }
  const std::vector<Index> firsts = row_blocks(pass.X);
  PassMemory& memory = memory_of(sums);
  memory.workspaces.resize(static_cast<std::size_t>(worker_count(job)));
  reduce_in_order(
      job, static_cast<Index>(firsts.size()) - 1, memory.partial,
      [&](Index block, Index worker, BlockSums& block_sums) {
        running.size(block_sums);
        running.block(firsts[block], firsts[block + 1] - firsts[block], memory.workspaces[worker],
                      block_sums);
      },
      [&](const BlockSums& block_sums) { running.merge(block_sums, sums); });
  running.finish(sums);
}

}  // namespace gemmine::cpu
