#include <algorithm>
#include <cmath>

#include "backend/cpu/group_pass.h"
#include "backend/cpu/host.h"
#include "backend/cpu/panels.h"
#include "backend/cpu/row_blocks.h"
#include "backend/cpu/tile_entries.h"
#include "core/row_block.h"

namespace gemmine::cpu {
namespace {

constexpr Index tile_elements = 1 << 16;  // of each of four matrices [tile×d]
constexpr Index whole_tile = 24;          // rows: a multiple of the heights of products
constexpr Index most_rows = 480;
constexpr double sparse_tile = 1 << 13;  // entries of Ht that a sparse tile reads, about
constexpr Loss squares{LossKind::divergence, 2};

// Forms numerators, denominators and measures of one group.
class DivergenceGroup : public GroupPass {
 public:
  DivergenceGroup(const Kernels& kernels, const Pass& pass, const Group& group)
      : kernels_(kernels),
        pass_(pass),
        group_(group),
        sums_(cpu_sums(group.sums)),
        by_length_(pass.loss.kind == LossKind::row_length),
        of_entry_(by_length_ ? squares : pass.loss),
        kullback_leibler_(of_entry_.kind == LossKind::divergence && of_entry_.beta == 1),
        d_(group.Ht.rows),
        k_(group.Ht.cols),
        padded_k_(whole_panels(k_, kernels.panel_width)),
        short_k_(whole_panels(k_, kernels.lanes)),
        padded_d_(whole_panels(d_, kernels.panel_width)),
        scale_(std::ldexp(1.0, -exponent_of(pass, group))),
        stored_only_(pass.X.sparse() && kullback_leibler_ && group.mask.all_pass()),
        implicit_(pass.X.sparse() && group.mask.implicit_is_missing) {
    const HostView<const float> Ht = host(group.Ht);
    const auto of_Ht = [&](Index t, Index j) { return Ht(t, j); };
    const auto of_H = [&](Index j, Index t) { return Ht(t, j); };
    if (sparse()) {
      Ht_rows_ = pack_rows(d_, k_, kernels, of_Ht, Ht_panels_);
    } else {
      pack_panels(d_, k_, kernels.panel_width, of_Ht, Ht_panels_);
      pack_panels(k_, d_, kernels.panel_width, of_H, H_panels_);
    }
    column_sums_.assign(static_cast<std::size_t>(k_), 0.0);
    for (Index t = 0; t < d_; ++t)
      for (Index j = 0; j < k_; ++j) column_sums_[j] += Ht(t, j);
    clear();
  }

  Index tile_rows() const override {
    if (sparse()) return std::clamp<Index>(rows_of_sparse_tile(), 1, most_rows * 2);
    return std::clamp(tile_elements / d_ / whole_tile * whole_tile, whole_tile, most_rows);
  }

  void begin_block(BlockSums& sums) const override {
    const auto elements = static_cast<std::size_t>(group_.accumulate ? d_ * stride_of_S() : 0);
    sums.cross.assign(elements, 0.0f);
    sums.denominators.assign(by_column() ? 0 : elements, 0.0f);
    sums.column.assign(static_cast<std::size_t>(k_), 0.0);
    sums.incoming_residual = 0;
    sums.incoming_divergence = 0;
  }

  void tile(const RowBlock& rows, Index begin, bool, Workspace& workspace,
            BlockSums& sums) const override {
    const EntryReading reading{.kernels = kernels_,
                               .mask = group_.mask,
                               .noise = group_.noise,
                               .scale = scale_,
                               .padded_d = padded_d_,
                               .sparse = sparse()};
    const TileEntries entries = read_tile(reading, rows, d_, workspace);
    const HostView<float> W = host(group_.W.row_block(begin, rows.count));
    bool formed = false;  // V of this W
    const auto form = [&] {
      if (!formed) form_model(entries, W, workspace);
      formed = true;
    };
    if (group_.measure != Measure::none) form();
    if (group_.measure == Measure::divergence) measure_divergence(entries, W, workspace, sums);
    if (group_.measure == Measure::direct) measure_residual(entries, W, workspace, sums);
    for (Index sweep = 0; group_.step && sweep < group_.step->sweeps; ++sweep) {
      form();
      improve(entries, W, workspace);
      formed = false;
    }
    if (!group_.accumulate) return;
    form();
    accumulate(entries, W, workspace, sums);
  }

  void merge(const BlockSums& block) const override {
    sums_.incoming_residual += block.incoming_residual;
    sums_.incoming_divergence += block.incoming_divergence;
    if (!group_.accumulate) return;
    kernels_.add_to_double({block.cross.data(), d_, k_, stride_of_S()}, 1.0, sums_.cross.data());
    if (by_column())
      for (Index j = 0; j < k_; ++j) sums_.denominators[j] += block.column[j];
    else
      kernels_.add_to_double({block.denominators.data(), d_, k_, stride_of_S()}, 1.0,
                             sums_.denominators.data());
  }

  void finish() const override {}

 private:
  // The rows of Ht at the entries of a tile, and those of S, stay in the first cache.
  Index rows_of_sparse_tile() const {
    const double by_row =
        static_cast<double>(pass_.X.nonzeros()) / static_cast<double>(pass_.X.rows());
    return static_cast<Index>(sparse_tile / (by_row * static_cast<double>(short_k_) + 1));
  }

  // Whether only stored entries of X are read; see TileEntries.
  bool sparse() const { return stored_only_ || implicit_; }
  Index stride_of_S() const { return sparse() ? short_k_ : padded_k_; }
  // For Kullback–Leibler without a mask the denominators are the same for all rows.
  bool by_column() const { return kullback_leibler_ && group_.mask.all_pass(); }

  void clear() const {
    sums_.incoming_residual = 0;
    sums_.incoming_divergence = 0;
    if (!group_.accumulate) return;
    std::ranges::fill(sums_.cross, 0.0);
    sums_.denominators.assign(static_cast<std::size_t>(by_column() ? k_ : d_ * k_), 0.0);
  }

  double weight(Index row) const {
    return pass_.row_weights.empty() ? 1.0 : double{pass_.row_weights[row]};
  }
  // A row of weight 0 also gets codes.
  double weight_of_codes(Index row) const { return weight(row) == 0 ? 1.0 : weight(row); }

  // Computes V = W Htᵀ at the entries that are read.
  void form_model(const TileEntries& entries, HostView<const float> W, Workspace& workspace) const {
    if (entries.sparse) {
      workspace.model.resize(workspace.values.size());
      pack_rows(W.rows, k_, kernels_, [&](Index i, Index j) { return W(i, j); }, workspace.W_rows);
      kernels_.sparse_products(entries.rows, {workspace.W_rows.data(), W.rows, k_, short_k_},
                               {Ht_panels_.data(), d_, k_, short_k_}, workspace.model.data());
    } else {
      const HostView<float> V = rows_in(workspace.model, entries.count, d_, padded_d_);
      kernels_.multiply_panels(rows_of(W), H_panels_.data(), V, false);
    }
  }

  // The run of entries of one row, after form_model().
  EntryRun run_of(const TileEntries& entries, Index i, double weight,
                  const Workspace& workspace) const {
    if (entries.sparse) {
      const auto first = static_cast<Index>(entries.rows.indptr[i]);
      return {.x = entries.rows.values + first,
              .v = workspace.model.data() + first,
              .seen = nullptr,
              .count = static_cast<Index>(entries.rows.indptr[i + 1]) - first,
              .weight = weight,
              .loss = of_entry_};
    }
    return {.x = entries.x.row(i),
            .v = workspace.model.data() + i * padded_d_,
            .seen = entries.seen.data == nullptr ? nullptr : entries.seen.row(i),
            .count = d_,
            .weight = weight,
            .loss = of_entry_};
  }

  void measure_divergence(const TileEntries& entries, HostView<const float> W,
                          const Workspace& workspace, BlockSums& sums) const {
    for (Index i = 0; i < entries.count; ++i) {
      const double of_row = pass_.loss.multiple * weight(entries.begin + i);
      const EntryRun run = run_of(entries, i, of_row, workspace);
      sums.incoming_divergence +=
          by_length_ ? of_row * bounded_length(run) : kernels_.divergence(run);
      if (!stored_only_) continue;
      // At entries that are not stored, x = 0 and d = v.
      double all = 0;
      for (Index j = 0; j < k_; ++j) all += W(i, j) * column_sums_[j];
      for (Index t = 0; t < run.count; ++t) all -= run.v[t];
      sums.incoming_divergence += run.weight * all;
    }
  }

  // ‖x − v‖ of a row.
  double length(EntryRun run) const {
    run.weight = 2;
    return std::sqrt(kernels_.divergence(run));
  }

  // The same, smooth below the shortest length that counts in full.
  double bounded_length(const EntryRun& run) const {
    const double shortest = pass_.loss.parameter;
    const double t = length(run);
    return t < shortest ? (t * t / shortest + shortest) / 2 : t;
  }

  // Σ(x − v)².
  void measure_residual(const TileEntries& entries, HostView<const float> W,
                        const Workspace& workspace, BlockSums& sums) const {
    for (Index i = 0; i < entries.count; ++i) {
      EntryRun run = run_of(entries, i, weight(entries.begin + i), workspace);
      run.loss = squares;
      sums.incoming_residual += 2 * kernels_.divergence(run);
      if (!stored_only_) continue;
      // At entries that are not stored: v².
      double all = 0;
      for (Index a = 0; a < k_; ++a)
        for (Index b = 0; b < k_; ++b)
          all += double{W(i, a)} * W(i, b) * group_.normal.gram()[a * k_ + b];
      for (Index t = 0; t < run.count; ++t) all -= double{run.v[t]} * run.v[t];
      sums.incoming_residual += run.weight * all;
    }
  }

  // Numerators a and denominators b of all entries, rows weighted.
  template <class Weight>
  void form_terms(const TileEntries& entries, bool denominators, Weight weight,
                  Workspace& workspace) const {
    const auto needed = workspace.model.size();
    workspace.above.resize(needed);
    workspace.below.resize(denominators ? needed : 0);
    for (Index i = 0; i < entries.count; ++i) {
      EntryRun run = run_of(entries, i, weight(entries.begin + i), workspace);
      if (by_length_) run.weight /= std::max(length(run), pass_.loss.parameter);
      const Index at = run.v - workspace.model.data();
      kernels_.divergence_terms(run, workspace.above.data() + at,
                                denominators ? workspace.below.data() + at : nullptr);
    }
  }

  SparseRows with_values(const TileEntries& entries, const std::vector<float>& values) const {
    SparseRows rows = entries.rows;
    rows.values = values.data();
    return rows;
  }

  // to = terms·Ht [t×k].
  void multiply(const TileEntries& entries, const std::vector<float>& terms,
                HostView<float> to) const {
    if (entries.sparse)
      kernels_.sparse_multiply(with_values(entries, terms), Ht_rows_, to);
    else
      kernels_.multiply_panels(rows_of(HostView<const float>{terms.data(), to.rows, d_, padded_d_}),
                               Ht_panels_.data(), to, false);
  }

  void improve(const TileEntries& entries, HostView<float> W, Workspace& workspace) const {
    const auto weight = [&](Index row) { return weight_of_codes(row); };
    form_terms(entries, !by_column(), weight, workspace);
    const HostView<float> above = rows_in(workspace.cross, entries.count, k_, padded_k_);
    multiply(entries, workspace.above, above);
    HostView<float> below{};
    if (!by_column()) {
      below = rows_in(workspace.cross_below, entries.count, k_, padded_k_);
      multiply(entries, workspace.below, below);
    }
    workspace.wide.resize(static_cast<std::size_t>(2 * k_));
    for (Index i = 0; i < entries.count; ++i) {
      double* wide = workspace.wide.data();
      for (Index j = 0; j < k_; ++j) {
        wide[j] = above(i, j);
        wide[k_ + j] = by_column() ? weight(entries.begin + i) * column_sums_[j] : below(i, j);
      }
      if (group_.addend) add_row(*group_.addend, entries.begin + i, W.row(i), wide);
      kernels_.ratio_update({.factor = W.row(i),
                             .above = wide,
                             .below = wide + k_,
                             .count = k_,
                             .half_l1 = group_.step->l1 / 2,
                             .l2 = group_.step->l2,
                             .exponent = group_.step->exponent});
    }
  }

  // Adds to the numerators and denominators of a row.
  void add_row(const RowAddend& addend, Index row, const float* w, double* wide) const {
    const float* numerators = host(addend.numerators).row(row);
    const double diagonal = addend.weight * host(addend.diagonal)(row, 0);
    for (Index j = 0; j < k_; ++j) {
      wide[j] += addend.weight * numerators[j];
      wide[k_ + j] += diagonal * w[j];
    }
  }

  // S += termsᵀ·W.
  void add_products(const TileEntries& entries, const std::vector<float>& terms,
                    const float* W_panels, HostView<float> S) const {
    if (entries.sparse)
      kernels_.sparse_add_at_b(with_values(entries, terms), W_panels, S);
    else
      kernels_.multiply_panels(
          columns_of(HostView<const float>{terms.data(), entries.count, d_, padded_d_}), W_panels,
          S, true);
  }

  void accumulate(const TileEntries& entries, HostView<const float> W, Workspace& workspace,
                  BlockSums& sums) const {
    form_terms(entries, !by_column(), [&](Index row) { return weight(row); }, workspace);
    const auto w = [&](Index i, Index j) { return W(i, j); };
    pack_panels(W.rows, k_, kernels_.panel_width, w, workspace.W_panels);
    const float* panels = workspace.W_panels.data();
    add_products(entries, workspace.above, panels, {sums.cross.data(), d_, k_, stride_of_S()});
    if (!by_column()) {
      add_products(entries, workspace.below, panels,
                   {sums.denominators.data(), d_, k_, stride_of_S()});
      return;
    }
    for (Index i = 0; i < entries.count; ++i)
      for (Index j = 0; j < k_; ++j) sums.column[j] += weight(entries.begin + i) * W(i, j);
  }

  const Kernels& kernels_;
  const Pass& pass_;
  const Group& group_;
  CpuSums& sums_;
  const bool by_length_;  // a row contributes its length, in steps of weighted squares
  const Loss of_entry_;   // what an entry contributes
  const bool kullback_leibler_;
  const Index d_;
  const Index k_;
  const Index padded_k_;
  const Index short_k_;  // whole vectors
  const Index padded_d_;
  const double scale_;            // 2^-exponent
  const bool stored_only_;        // for Kullback–Leibler, zeros of a sparse X are not read
  const bool implicit_;           // entries that are not stored do not count
  std::vector<float> Ht_panels_;  // [d×k]; rows if only stored entries are read
  RightRows Ht_rows_{};
  std::vector<float> H_panels_;      // [k×d]
  std::vector<double> column_sums_;  // Σ_t Ht_tj
};

}  // namespace

std::unique_ptr<GroupPass> divergence_group(const Kernels& kernels, const Pass& pass,
                                            const Group& group) {
  return std::make_unique<DivergenceGroup>(kernels, pass, group);
}

}  // namespace gemmine::cpu
