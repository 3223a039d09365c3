#pragma once

#include <algorithm>
#include <memory>

#include "backend/cuda/device.h"
#include "backend/cuda/x_stream.h"
#include "backend/passes.h"

namespace gemmine::cuda {

// Memory of a pass by entries, which is used again by the next one.
struct EntryMemory {
  explicit EntryMemory(const std::shared_ptr<Device>& device)
      : x(device),
        model(device),
        above(device),
        seen(device),
        shares(device),
        of_rows(device),
        partial(device),
        column_sums(device),
        gram(device),
        cross(device),
        cross_below(device),
        pairs_of_Ht(device),
        pairs_of_W(device),
        block_sums(device),
        wide(device),
        ones(device) {}

  Array<float> x;             // a sparse X with its zeros [tile×d]
  Array<float> model;         // V [tile×d] or at entries; then terms of denominators
  Array<float> above;         // terms of numerators
  Array<std::uint8_t> seen;   // [tile×d]
  Array<double> shares;       // weights of the terms of rows [tile]
  Array<double> of_rows;      // measures of rows [tile]
  Array<double> partial;      // their sums
  Array<double> column_sums;  // Σ_t Ht_tj [k]
  Array<double> gram;         // HtᵀHt [k×k]
  Array<float> cross;         // numerators, or cross products [tile×k]
  Array<float> cross_below;   // denominators [tile×k], or normal matrices
  Array<float> pairs_of_Ht;   // products of pairs of components [d×k(k + 1)/2]
  Array<float> pairs_of_W;    // [tile×k(k + 1)/2]
  Array<float> block_sums;    // of one tile
  Array<double> wide;         // W in float64
  Array<double> ones;
};

// The rows of one tile: those of a block, or fewer, so that no matrix of them is too large.
struct EntryTile {
  Index first;  // row of X
  Index begin;  // row of the block
  BackendView<float> W;
  BlockOfX X;  // as it is read: dense, with all zeros, or the stored entries alone
  EntryRows entries;
};

// Entries of X and of the model, tile by tile, and what they contribute.
class EntryTiles {
 public:
  // `most_rows` bounds the rows of a tile; row_weights are those of the rows of the pass.
  EntryTiles(const std::shared_ptr<Device>& device, const Pass& pass, const Group& group,
             const XStream& rows, Index most_rows, const float* row_weights, EntryMemory& memory);

  Index rows() const { return tile_; }  // at most, of a tile
  bool by_column() const { return by_column_; }
  // Calls use(tile) for the rows of a block, from `first` on.
  template <class Use>
  void each(Index first, const BlockOfX& X, const Use& use) {
    for (Index begin = 0; begin < X.count; begin += tile_)
      use(tile(first, begin, std::min(tile_, X.count - begin), X));
  }

  void form_model(const EntryTile& tile);  // V
  void measure(const EntryTile& tile);     // adds to what total() returns
  double total() const;
  // Terms of the numerators, and of the denominators in place of V. `squares`: those of the squares
  // that bound the loss.
  void form_terms(const EntryTile& tile, bool of_codes, bool denominators, bool squares);
  // X of a tile with terms in place of its entries.
  BlockOfX above(const EntryTile& tile) const { return with_entries(tile, memory_.above); }
  BlockOfX below(const EntryTile& tile) const { return with_entries(tile, memory_.model); }
  const double* shares() const { return memory_.shares.data(); }
  // to [k] += Σ_i weights_i F_ij
  void add_column_sums(BackendView<const float> F, const float* weights, double* to);
  const float* weights_of(const EntryTile& tile) const {
    return row_weights_ == nullptr ? nullptr : row_weights_ + (tile.first - first_row_);
  }

 private:
  EntryTile tile(Index first, Index begin, Index count, const BlockOfX& block);
  EntryRows entries_of(const EntryTile& tile);
  void measure_rows(const EntryTile& tile, EntryMeasure measure, bool with_others);
  BlockOfX with_entries(const EntryTile& tile, const Array<float>& entries) const;

  const Device& device_;
  const EntryTable& kernels_;
  const Loss loss_;
  const Group& group_;
  EntryMemory& memory_;
  const float* const row_weights_;
  const Index d_, k_, first_row_, tile_;
  const bool by_length_;
  const bool by_column_;  // denominators of Kullback–Leibler without a mask: the same for all rows
  const bool stored_only_;  // and zeros of a sparse X are not read
  const bool stored_;       // only stored entries of a sparse X are read
  const double scale_;
};

}  // namespace gemmine::cuda
