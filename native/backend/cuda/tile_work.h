#pragma once

#include <memory>

#include "backend/cuda/cuda_sums.h"
#include "backend/cuda/entry_tiles.h"
#include "backend/cuda/group_work.h"

namespace gemmine::cuda {

// The work of a group whose loss is one of entries, tile by tile.
class TileWork : public GroupWork {
 public:
  void block(Index, Index first, const BlockOfX& given) override {
    const BlockOfX X = with_noise(*device_, given, group_.noise, first, shared_.perturbed);
    tiles_.each(first, X, [&](const EntryTile& tile) {
      job_.cancellation.check();
      improve(tile);
    });
  }

  void finish(Index) override {
    Sums& to = group_.sums;
    const double total = group_.measure == Measure::none ? 0 : tiles_.total();
    to.incoming_residual = group_.measure == Measure::direct ? total : 0;
    to.incoming_divergence = group_.measure == Measure::divergence ? total : 0;
    if (group_.accumulate) sums_.is_on_host = false;
  }

 protected:
  // `most_rows` of a tile; `weights` of the rows of the pass, or nothing.
  TileWork(const std::shared_ptr<Device>& device, const Pass& pass, const Group& group,
           const XStream& rows, Index most_rows, const float* weights, SharedMemory& shared,
           const Job& job)
      : device_(device),
        group_(group),
        sums_(cuda_sums(group.sums)),
        memory_(sums_.entries),
        shared_(shared),
        job_(job),
        d_(group.Ht.rows),
        k_(group.Ht.cols),
        tiles_(device, pass, group, rows, most_rows, weights, memory_) {
    if (group.noise.amplitude != 0) shared_.perturbed.reserve(noise_elements(rows, d_));
    memory_.cross.reserve(tiles_.rows() * k_);
  }

  // Measures a tile, improves its rows of W, and adds what they contribute.
  virtual void improve(const EntryTile& tile) = 0;

  // `to` [d×cols] += termsᵀ·F
  void add_columns(const BlockOfX& terms, BackendView<const float> F,
                   const Array<double>& to) const {
    multiply_columns(*device_, terms, F, memory_.block_sums.data());
    const AddToDouble request{.rows = d_,
                              .cols = F.cols,
                              .from = memory_.block_sums.data(),
                              .stride = F.cols,
                              .by = 1,
                              .to = to.data()};
    device_->run(device_->table().passes.add_to_double, request);
  }

  const std::shared_ptr<Device> device_;
  const Group& group_;
  CudaSums& sums_;
  EntryMemory& memory_;
  SharedMemory& shared_;
  const Job& job_;
  const Index d_, k_;
  EntryTiles tiles_;
};

}  // namespace gemmine::cuda
