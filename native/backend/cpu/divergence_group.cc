#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "backend/cpu/entry_products.h"
#include "backend/cpu/factor_operations.h"
#include "backend/cpu/group_pass.h"
#include "backend/cpu/host.h"
#include "backend/cpu/own_normals.h"
#include "backend/cpu/row_blocks.h"
#include "core/row_block.h"

namespace gemmine::cpu {
namespace {

constexpr Index tile_elements = 1 << 16;  // of each of four matrices [tile×d]
constexpr Index whole_tile = 24;          // rows: a multiple of the heights of products
constexpr Index most_rows = 480;
constexpr double sparse_tile = 1 << 13;     // entries of Ht that a sparse tile reads, about
constexpr Index normal_elements = 1 << 19;  // of the normal matrices of a tile
constexpr Loss squares{LossKind::divergence, 2};

// Forms numerators, denominators and measures of one group.
class DivergenceGroup : public GroupPass {
 public:
  DivergenceGroup(const Kernels& kernels, const Pass& pass, const Group& group,
                  const Cancellation& stop)
      : kernels_(kernels),
        pass_(pass),
        group_(group),
        sums_(cpu_sums(group.sums)),
        by_length_(is_of_rows(pass.loss)),
        of_entry_(by_length_ ? squares : pass.loss),
        stop_(stop),
        kullback_leibler_(of_entry_.kind == LossKind::divergence && of_entry_.beta == 1),
        d_(group.Ht.rows),
        k_(group.Ht.cols),
        padded_k_(padded_columns(k_, kernels)),
        padded_d_(padded_columns(d_, kernels)),
        scale_(std::ldexp(1.0, -exponent_of(pass, group))),
        stored_only_(pass.X.sparse() && kullback_leibler_ && group.mask.all_pass()),
        implicit_(pass.X.sparse() && group.mask.implicit_is_missing),
        least_(group.own_normals ? -std::numeric_limits<double>::infinity()
                                 : smallest_model_entry) {
    const HostView<const float> Ht = host(group.Ht);
    Ht_.emplace(kernels, d_, k_, sparse(), [&](Index t, Index j) { return Ht(t, j); });
    const auto of_H = [&](Index j, Index t) { return Ht(t, j); };
    if (!sparse()) pack_panels(k_, d_, kernels, of_H, H_panels_);
    if (group.own_normals) prepare_own_normals(Ht);
    column_sums_.assign(static_cast<std::size_t>(k_), 0.0);
    for (Index t = 0; t < d_; ++t)
      for (Index j = 0; j < k_; ++j) column_sums_[j] += Ht(t, j);
    clear();
  }

  Index tile_rows() const override {
    const Index most = triangles_ ? std::max(whole_tile, normal_elements / triangles_->size())
                                  : std::numeric_limits<Index>::max();
    if (sparse()) return std::clamp<Index>(rows_of_sparse_tile(), 1, std::min(most, most_rows * 2));
    return std::clamp(tile_elements / d_ / whole_tile * whole_tile, whole_tile,
                      std::min(most, most_rows));
  }

  void begin_block(BlockSums& sums) const override {
    const auto elements = static_cast<std::size_t>(group_.accumulate ? d_ * Ht_->stride() : 0);
    sums.cross.assign(elements, 0.0f);
    const auto of_normals =
        static_cast<std::size_t>(group_.accumulate && pairs_ ? d_ * pairs_->stride() : 0);
    sums.denominators.assign(pairs_ ? of_normals : by_column() ? 0 : elements, 0.0f);
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
    const Index steps = !group_.step ? 0 : triangles_ ? 1 : group_.step->sweeps;
    for (Index step = 0; step < steps; ++step) {
      form();
      if (triangles_)
        improve_by_own_normals(entries, W, workspace);
      else
        improve(entries, W, workspace);
      formed = false;
    }
    if (group_.extrapolated) {
      Extrapolated by = *group_.extrapolated;
      by.previous = by.previous.row_block(begin, rows.count);
      extrapolate_rows(by, W);
    }
    if (!group_.accumulate) return;
    form();
    accumulate(entries, W, workspace, sums);
  }

  void merge(const BlockSums& block) const override {
    sums_.incoming_residual += block.incoming_residual;
    sums_.incoming_divergence += block.incoming_divergence;
    if (!group_.accumulate) return;
    kernels_.add_to_double({block.cross.data(), d_, k_, Ht_->stride()}, 1.0, sums_.cross.data());
    if (triangles_)
      kernels_.add_to_double({block.denominators.data(), d_, pairs_->cols(), pairs_->stride()}, 1.0,
                             sums_.denominators.data());
    else if (by_column())
      for (Index j = 0; j < k_; ++j) sums_.denominators[j] += block.column[j];
    else
      kernels_.add_to_double({block.denominators.data(), d_, k_, Ht_->stride()}, 1.0,
                             sums_.denominators.data());
  }

  void finish() const override {}

 private:
  // The rows of Ht at the entries of a tile, and those of S, stay in the first cache.
  Index rows_of_sparse_tile() const {
    const double by_row =
        static_cast<double>(pass_.X.nonzeros()) / static_cast<double>(pass_.X.rows());
    return static_cast<Index>(sparse_tile / (by_row * static_cast<double>(Ht_->stride()) + 1));
  }

  // Whether only stored entries of X are read; see TileEntries.
  bool sparse() const { return stored_only_ || implicit_; }
  // For Kullback–Leibler without a mask the denominators are the same for all rows.
  bool by_column() const { return kullback_leibler_ && group_.mask.all_pass(); }

  void clear() const {
    sums_.incoming_residual = 0;
    sums_.incoming_divergence = 0;
    if (!group_.accumulate) return;
    expect(group_.retained == 0, "sums by entries are those of one pass");
    std::ranges::fill(sums_.cross, 0.0);
    const Index of_column = triangles_ ? triangles_->size() : k_;
    sums_.denominators.assign(static_cast<std::size_t>(by_column() ? k_ : d_ * of_column), 0.0);
  }

  // The products of pairs of components of each row of Ht, from which normal matrices are summed.
  void prepare_own_normals(HostView<const float> Ht) {
    expect(is_bounded_by_squares(pass_.loss), "own normal matrices are those of squares");
    triangles_.emplace(k_);
    const auto pair = [&](Index t, Index p) { return triangles_->product(Ht.row(t), p); };
    pairs_.emplace(kernels_, d_, triangles_->size(), sparse(), pair);
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
      kernels_.sparse_products(entries.rows, {workspace.W_rows.data(), W.rows, k_, Ht_->stride()},
                               Ht_->rows(), workspace.model.data());
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
              .loss = of_entry_,
              .least = least_};
    }
    return {.x = entries.x.row(i),
            .v = workspace.model.data() + i * padded_d_,
            .seen = entries.seen.data == nullptr ? nullptr : entries.seen.row(i),
            .count = d_,
            .weight = weight,
            .loss = of_entry_,
            .least = least_};
  }

  void measure_divergence(const TileEntries& entries, HostView<const float> W,
                          const Workspace& workspace, BlockSums& sums) const {
    for (Index i = 0; i < entries.count; ++i) {
      const double of_row = pass_.loss.multiple * weight(entries.begin + i);
      const EntryRun run = run_of(entries, i, of_row, workspace);
      sums.incoming_divergence += by_length_ ? of_row * loss_of_row(run) : kernels_.divergence(run);
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

  // The contribution of a row. Its length is smooth below the shortest one that counts in full.
  double loss_of_row(const EntryRun& run) const {
    const double parameter = pass_.loss.parameter;
    const double t = length(run);
    if (pass_.loss.kind == LossKind::row_correntropy)
      return -parameter * parameter * std::expm1(-t * t / (2 * parameter * parameter));
    return t < parameter ? (t * t / parameter + parameter) / 2 : t;
  }

  // The weight of the squares that bound it.
  double weight_of_row(const EntryRun& run) const {
    const double parameter = pass_.loss.parameter;
    const double t = length(run);
    if (pass_.loss.kind == LossKind::row_correntropy) {
      const double weight = std::exp(-t * t / (2 * parameter * parameter));
      return weight < smallest_correntropy_weight ? 0 : weight;
    }
    return 1 / std::max(t, parameter);
  }

  // Σ(x − v)².
  void measure_residual(const TileEntries& entries, HostView<const float> W,
                        const Workspace& workspace, BlockSums& sums) const {
    for (Index i = 0; i < entries.count; ++i) {
      EntryRun run = run_of(entries, i, weight(entries.begin + i), workspace);
      run.loss = squares;
      run.least = -std::numeric_limits<double>::infinity();
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
    workspace.below.resize(denominators || triangles_ ? needed : 0);
    for (Index i = 0; i < entries.count; ++i) {
      EntryRun run = run_of(entries, i, weight(entries.begin + i), workspace);
      if (by_length_) run.weight *= weight_of_row(run);
      const Index at = run.v - workspace.model.data();
      if (triangles_) {
        kernels_.weighted_squares(run, workspace.above.data() + at, workspace.below.data() + at);
        continue;
      }
      kernels_.divergence_terms(run, workspace.above.data() + at,
                                denominators ? workspace.below.data() + at : nullptr);
    }
  }

  void improve_by_own_normals(const TileEntries& entries, HostView<float> W,
                              Workspace& workspace) const {
    form_terms(entries, true, [&](Index row) { return weight_of_codes(row); }, workspace);
    const HostView<float> cross = rows_in(workspace.cross, entries.count, k_, padded_k_);
    const Index pairs = pairs_->cols();
    const HostView<float> normals =
        rows_in(workspace.cross_below, entries.count, pairs, pairs_->stride());
    Ht_->multiply(entries, workspace.above, cross);
    pairs_->multiply(entries, workspace.below, normals);
    OwnSteps steps(kernels_, *group_.step, *triangles_, stop_);
    std::vector<double>& wide = workspace.wide;
    wide.resize(static_cast<std::size_t>(k_ + pairs));
    for (Index i = 0; i < entries.count; ++i) {
      std::copy_n(cross.row(i), k_, wide.data());
      std::copy_n(normals.row(i), pairs, wide.data() + k_);
      steps.improve(wide.data(), wide.data() + k_, 0, W.row(i));
    }
  }

  void improve(const TileEntries& entries, HostView<float> W, Workspace& workspace) const {
    const auto weight = [&](Index row) { return weight_of_codes(row); };
    form_terms(entries, !by_column(), weight, workspace);
    const HostView<float> above = rows_in(workspace.cross, entries.count, k_, padded_k_);
    Ht_->multiply(entries, workspace.above, above);
    HostView<float> below{};
    if (!by_column()) {
      below = rows_in(workspace.cross_below, entries.count, k_, padded_k_);
      Ht_->multiply(entries, workspace.below, below);
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
                             .exponent = group_.step->exponent,
                             .upper = group_.step->upper});
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

  void accumulate(const TileEntries& entries, HostView<const float> W, Workspace& workspace,
                  BlockSums& sums) const {
    form_terms(entries, !by_column(), [&](Index row) { return weight(row); }, workspace);
    const auto w = [&](Index i, Index j) { return W(i, j); };
    pack_panels(W.rows, k_, kernels_, w, workspace.W_panels);
    const float* panels = workspace.W_panels.data();
    Ht_->add_products(entries, workspace.above, panels, sums.cross);
    if (triangles_) {
      const auto pair = [&](Index i, Index p) { return triangles_->product(W.row(i), p); };
      pack_panels(W.rows, pairs_->cols(), kernels_, pair, workspace.pair_panels);
      return pairs_->add_products(entries, workspace.below, workspace.pair_panels.data(),
                                  sums.denominators);
    }
    if (!by_column()) {
      return Ht_->add_products(entries, workspace.below, panels, sums.denominators);
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
  const Cancellation stop_;
  const bool kullback_leibler_;
  const Index d_;
  const Index k_;
  const Index padded_k_;
  const Index padded_d_;
  const double scale_;      // 2^-exponent
  const bool stored_only_;  // for Kullback–Leibler, zeros of a sparse X are not read
  const bool implicit_;     // entries that are not stored do not count
  std::optional<EntryProducts> Ht_;
  std::vector<float> H_panels_;      // [k×d]
  std::vector<double> column_sums_;  // Σ_t Ht_tj
  // Below this an entry of the model is raised, unless rows have normal matrices of their own:
  // their steps do not divide by it, and it may have any sign.
  const double least_;
  std::optional<Triangles> triangles_;  // of own normal matrices
  std::optional<EntryProducts> pairs_;  // products of pairs of components of Ht
};

}  // namespace

std::unique_ptr<GroupPass> divergence_group(const Kernels& kernels, const Pass& pass,
                                            const Group& group, const Cancellation& stop) {
  return std::make_unique<DivergenceGroup>(kernels, pass, group, stop);
}

}  // namespace gemmine::cpu
