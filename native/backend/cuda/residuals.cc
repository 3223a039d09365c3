#include "backend/cuda/residuals.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "backend/cuda/products.h"

namespace gemmine::cuda {

Residuals::Residuals(const std::shared_ptr<Device>& device, const Group& group, double scale,
                     const XStream& rows, ResidualMemory& memory)
    : device_(*device),
      group_(group),
      scale_(scale),
      d_(group.Ht.rows),
      k_(group.Ht.cols),
      tile_(std::min(rows.most(), block_rows(d_))),
      memory_(memory),
      gram_(device),
      partial_(device) {
  const bool sparse = rows.is_sparse();
  Index tiles = 0;
  for (Index b = 0; b < rows.blocks(); ++b)
    tiles += sparse && exact() ? (rows.count(b) + tile_ - 1) / tile_ : 1;
  partial_.reserve(std::max<Index>(1, tiles * sum_blocks));
  partial_.clear(tiles * sum_blocks);
  if (sparse == exact()) memory_.dense.reserve(tile_ * d_);
  if (!sparse || exact()) return;
  memory_.model.reserve(rows.most_entries());
  memory_.of_rows.reserve(rows.most());
  gram_.upload(group.normal.gram());
}

double* Residuals::next_partial() { return partial_.data() + used_++ * sum_blocks; }

void Residuals::add(const BlockOfX& X, BackendView<const float> W, const float* weights) {
  if (X.is_sparse())
    exact() ? add_exact_sparse(X, W, weights) : add_sparse(X, W, weights);
  else
    exact() ? add_exact(X.dense, W, weights) : add_dense(X.dense, W, weights);
}

// Formed on a copy.
void Residuals::add_dense(In X, BackendView<const float> W, const float* weights) {
  const Scaled copy{
      .rows = W.rows, .cols = d_, .from = X, .by = scale_, .to = {memory_.dense.data(), d_}};
  device_.run(device_.table().passes.scale, copy);
  multiply<float>(device_, Transposed::second, W, group_.Ht, {memory_.dense.data(), W.rows, d_, d_},
                  -1, 1);
  const Sum request{.term = Term::squares,
                    .rows = W.rows,
                    .cols = d_,
                    .a = {memory_.dense.data(), d_},
                    .b = {nullptr, 0},
                    .wide = nullptr,
                    .weights = {weights, 1},
                    .partial = next_partial()};
  device_.run(device_.table().passes.sum, request);
}

void Residuals::add_exact(In X, BackendView<const float> W, const float* weights) {
  const ExactResidual request{.rows = W.rows,
                              .d = d_,
                              .k = k_,
                              .X = X,
                              .W = {W.data, W.stride},
                              .Ht = {group_.Ht.data, group_.Ht.stride},
                              .scale = scale_,
                              .weights = weights,
                              .partial = next_partial()};
  device_.run(device_.table().passes.exact_residual, request);
}

void Residuals::add_exact_sparse(const BlockOfX& X, BackendView<const float> W,
                                 const float* weights) {
  for (Index begin = 0; begin < X.count; begin += tile_) {
    const Index count = std::min(tile_, X.count - begin);
    const Densify request{.X = X.sparse,
                          .values = X.values,
                          .begin = begin,
                          .rows = count,
                          .to = memory_.dense.data()};
    device_.run(device_.table().entries.densify, request);
    add_exact({memory_.dense.data(), d_}, W.row_block(begin, count),
              weights == nullptr ? nullptr : weights + begin);
  }
}

// Σ (x − v)² − v² over the entries that are stored, and w HtᵀHt wᵀ, in float64.
void Residuals::add_sparse(const BlockOfX& X, BackendView<const float> W, const float* weights) {
  const EntryTable& kernels = device_.table().entries;
  const SparseModel model{.X = X.sparse,
                          .k = k_,
                          .W = {W.data, W.stride},
                          .Ht = {group_.Ht.data, group_.Ht.stride},
                          .to = memory_.model.data()};
  device_.run(kernels.sparse_model, model);
  const EntryRows entries{.rows = X.count,
                          .cols = d_,
                          .starts = X.sparse.starts,
                          .first_entry = X.sparse.first_entry,
                          .columns = X.sparse.columns,
                          .x = X.values,
                          .x_stride = 0,
                          .v = memory_.model.data(),
                          .v_stride = 0,
                          .scale = scale_,
                          .least = -std::numeric_limits<double>::infinity(),
                          .beta = 2,
                          .parameter = 0,
                          .loss = EntryLoss::divergence,
                          .nan_is_missing = 0,
                          .seen = nullptr,
                          .held_out = 0,
                          .seed = 0,
                          .only_held_out = 0,
                          .first_row = 0};
  const MeasureEntries measure{.entries = entries,
                               .measure = EntryMeasure::squares,
                               .k = k_,
                               .W = {W.data, W.stride},
                               .column_sums = nullptr,
                               .gram = gram_.data(),
                               .to = memory_.of_rows.data()};
  device_.run(kernels.measure_entries, measure);
  const SumRowMeasures sum{.rows = X.count,
                           .of_lengths = 0,
                           .loss = EntryLoss::divergence,
                           .unused = 0,
                           .parameter = 0,
                           .weights = weights,
                           .measured = memory_.of_rows.data(),
                           .partial = next_partial()};
  device_.run(kernels.sum_row_measures, sum);
}

double Residuals::total() const {
  const std::vector<double> parts = partial_.download(used_ * sum_blocks);
  // A difference may cancel below 0.
  return std::max(0.0, std::accumulate(parts.begin(), parts.end(), 0.0));
}

}  // namespace gemmine::cuda
