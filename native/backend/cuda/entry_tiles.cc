#include "backend/cuda/entry_tiles.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "backend/cuda/products.h"

namespace gemmine::cuda {
namespace {

constexpr double smallest_model_entry = 0x1p-60;  // of backend/cpu/kernels.h

bool is_kullback_leibler(const Loss& loss) {
  return loss.kind == LossKind::divergence && loss.beta == 1;
}

static_assert(static_cast<int>(EntryLoss::divergence) == static_cast<int>(LossKind::divergence) &&
              static_cast<int>(EntryLoss::row_length) == static_cast<int>(LossKind::row_length) &&
              static_cast<int>(EntryLoss::logistic) == static_cast<int>(LossKind::logistic));

}  // namespace

EntryTiles::EntryTiles(const std::shared_ptr<Device>& device, const Pass& pass, const Group& group,
                       const XStream& rows, Index most_rows, const float* row_weights,
                       EntryMemory& memory)
    : device_(*device),
      kernels_(device->table().entries),
      loss_(pass.loss),
      group_(group),
      memory_(memory),
      row_weights_(row_weights),
      d_(group.Ht.rows),
      k_(group.Ht.cols),
      first_row_(rows_of(pass).begin),
      tile_(std::max<Index>(1, std::min({rows.most(), block_rows(d_), most_rows}))),
      by_length_(is_of_rows(pass.loss)),
      by_column_(is_kullback_leibler(pass.loss) && group.mask.all_pass()),
      stored_only_(rows.is_sparse() && by_column_),
      stored_(stored_only_ || (rows.is_sparse() && group.mask.implicit_is_missing)),
      scale_(std::ldexp(1.0, -exponent_of(pass, group))) {
  const Index elements = stored_ ? rows.most_entries() : tile_ * d_;
  memory_.model.reserve(elements);
  memory_.above.reserve(elements);
  if (rows.is_sparse() && !stored_) memory_.x.reserve(tile_ * d_);
  if (group.mask.seen != nullptr) memory_.seen.reserve(tile_ * d_);
  memory_.shares.reserve(tile_);
  memory_.of_rows.reserve(tile_);
  memory_.partial.reserve(sum_blocks);
  memory_.partial.clear(sum_blocks);
  if (!by_column_) return;
  memory_.column_sums.reserve(k_);
  memory_.column_sums.clear(k_);
  add_column_sums(group.Ht, nullptr, memory_.column_sums.data());
  if (stored_only_ && group.measure == Measure::direct) memory_.gram.upload(group.normal.gram());
}

void EntryTiles::add_column_sums(BackendView<const float> F, const float* weights, double* to) {
  if (memory_.ones.size() < F.rows)
    memory_.ones.upload(std::vector<double>(static_cast<std::size_t>(F.rows), 1.0));
  memory_.wide.reserve(F.rows * k_);
  const Widened request{.rows = F.rows,
                        .cols = k_,
                        .from = {F.data, F.stride},
                        .weights = weights,
                        .to = memory_.wide.data()};
  device_.run(device_.table().passes.widen, request);
  const Index n = F.rows;
  multiply<double>(device_, Transposed::none, {memory_.ones.data(), 1, n, n},
                   {memory_.wide.data(), n, k_, k_}, {to, 1, k_, k_}, 1, 1);
}

EntryTile EntryTiles::tile(Index first, Index begin, Index count, const BlockOfX& block) {
  EntryTile tile{.first = first + begin,
                 .begin = begin,
                 .W = group_.W.row_block(first + begin, count),
                 .X = rows_within(block, begin, count),
                 .entries = {}};
  if (block.is_sparse() && !stored_) {
    const Densify request{.X = block.sparse,
                          .values = block.values,
                          .begin = begin,
                          .rows = count,
                          .to = memory_.x.data()};
    device_.run(kernels_.densify, request);
    tile.X = {
        .count = count, .d = d_, .dense = {memory_.x.data(), d_}, .sparse = {}, .values = nullptr};
  }
  if (group_.mask.seen != nullptr)
    memory_.seen.upload(group_.mask.seen + tile.first * d_, count * d_);
  tile.entries = entries_of(tile);
  return tile;
}

EntryRows EntryTiles::entries_of(const EntryTile& tile) {
  const Mask& mask = group_.mask;
  const bool sparse = tile.X.is_sparse();
  return {.rows = tile.X.count,
          .cols = d_,
          .starts = sparse ? tile.X.sparse.starts : nullptr,
          .first_entry = sparse ? tile.X.sparse.first_entry : 0,
          .columns = sparse ? tile.X.sparse.columns : nullptr,
          .x = sparse ? tile.X.values : tile.X.dense.data,
          .x_stride = sparse ? 0 : tile.X.dense.stride,
          .v = memory_.model.data(),
          .v_stride = d_,
          .scale = scale_,
          .least = group_.own_normals || loss_.kind == LossKind::logistic
                       ? -std::numeric_limits<double>::infinity()
                       : smallest_model_entry,
          .beta = loss_.beta,
          .parameter = loss_.parameter,
          .loss = static_cast<EntryLoss>(loss_.kind),
          .nan_is_missing = mask.nan_is_missing,
          .seen = mask.seen == nullptr ? nullptr : memory_.seen.data(),
          .held_out = mask.held_out,
          .seed = mask.seed,
          .only_held_out = mask.only_held_out,
          .first_row = tile.first};
}

void EntryTiles::form_model(const EntryTile& tile) {
  const BackendView<float> W = tile.W;
  if (tile.X.is_sparse()) {
    const SparseModel request{.X = tile.X.sparse,
                              .k = k_,
                              .W = {W.data, W.stride},
                              .Ht = {group_.Ht.data, group_.Ht.stride},
                              .to = memory_.model.data()};
    return device_.run(kernels_.sparse_model, request);
  }
  multiply<float>(device_, Transposed::second, W, group_.Ht,
                  {memory_.model.data(), W.rows, d_, d_});
}

void EntryTiles::measure_rows(const EntryTile& tile, EntryMeasure measure, bool with_others) {
  const bool losses = measure == EntryMeasure::losses;
  const MeasureEntries request{
      .entries = tile.entries,
      .measure = measure,
      .k = k_,
      .W = {tile.W.data, tile.W.stride},
      .column_sums = with_others && losses ? memory_.column_sums.data() : nullptr,
      .gram = with_others && !losses ? memory_.gram.data() : nullptr,
      .to = memory_.of_rows.data()};
  device_.run(kernels_.measure_entries, request);
}

void EntryTiles::measure(const EntryTile& tile) {
  const bool losses = group_.measure == Measure::divergence;
  const bool lengths = losses && by_length_;
  measure_rows(tile, losses && !lengths ? EntryMeasure::losses : EntryMeasure::squares,
               stored_only_);
  const SumRowMeasures request{.rows = tile.X.count,
                               .of_lengths = lengths,
                               .loss = tile.entries.loss,
                               .unused = 0,
                               .parameter = loss_.parameter,
                               .weights = weights_of(tile),
                               .measured = memory_.of_rows.data(),
                               .partial = memory_.partial.data()};
  device_.run(kernels_.sum_row_measures, request);
}

double EntryTiles::total() const {
  const std::vector<double> parts = memory_.partial.download(sum_blocks);
  const double multiple = group_.measure == Measure::divergence ? loss_.multiple : 1;
  return multiple * std::accumulate(parts.begin(), parts.end(), 0.0);
}

void EntryTiles::form_terms(const EntryTile& tile, bool of_codes, bool denominators, bool squares) {
  if (by_length_) measure_rows(tile, EntryMeasure::squares, false);
  const RowShares shares{.rows = tile.X.count,
                         .loss = tile.entries.loss,
                         .of_codes = of_codes,
                         .parameter = loss_.parameter,
                         .weights = weights_of(tile),
                         .squares = by_length_ ? memory_.of_rows.data() : nullptr,
                         .to = memory_.shares.data()};
  device_.run(kernels_.row_shares, shares);
  const EntryTerms request{.entries = tile.entries,
                           .squares = squares,
                           .shares = memory_.shares.data(),
                           .above = memory_.above.data(),
                           .above_stride = d_,
                           .below = denominators ? memory_.model.data() : nullptr,
                           .below_stride = d_};
  device_.run(kernels_.entry_terms, request);
}

BlockOfX EntryTiles::with_entries(const EntryTile& tile, const Array<float>& entries) const {
  BlockOfX X = tile.X;
  if (X.is_sparse())
    X.values = entries.data();
  else
    X.dense = {entries.data(), d_};
  return X;
}

}  // namespace gemmine::cuda
