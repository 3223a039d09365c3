#include <limits>
#include <optional>

#include "backend/cuda/device_step.h"
#include "backend/cuda/products.h"
#include "backend/cuda/tile_work.h"

namespace gemmine::cuda {
namespace {

// Z = V + E of the given pair, with V = W Htᵀ and E = 4 (X − σ(V)), is never formed: as HtᵀHt = I,
// Z Ht = W + E Ht, and Zᵀ W' = Ht (Wᵀ W') + Eᵀ W' for the W' after the step.
class LogisticGroup : public TileWork {
 public:
  LogisticGroup(const std::shared_ptr<Device>& device, Passes& host, const Pass& pass,
                const Group& group, const XStream& rows, SharedMemory& shared, const Job& job)
      : TileWork(device, pass, group, rows, std::numeric_limits<Index>::max(), nullptr, shared,
                 job),
        before_(device, tiles_.rows() * k_),
        wide_before_(device),
        moved_(device) {
    expect(pass.exponent == 0 && group.mask.all_pass() && pass.row_weights.empty(),
           "the logistic loss counts all entries of a binary X");
    if (group.step) step_.emplace(device, host, *group.step, group.normal);
    if (!group.accumulate) return;
    memory_.block_sums.reserve(d_ * k_);
    memory_.wide.reserve(std::max(d_, tiles_.rows()) * k_);
    wide_before_.reserve(tiles_.rows() * k_);
    moved_.reserve(k_ * k_);
    moved_.clear(k_ * k_);
    sums_.cross.clear(d_ * k_);
  }

  // S += Ht (Wᵀ W').
  void finish(Index blocks) override {
    TileWork::finish(blocks);
    if (!group_.accumulate) return;
    widen(group_.Ht, memory_.wide);
    multiply_wide(false, d_, memory_.wide, moved_, sums_.cross);
  }

 private:
  void widen(BackendView<const float> from, const Array<double>& to) const {
    const Widened request{.rows = from.rows,
                          .cols = k_,
                          .from = {from.data, from.stride},
                          .weights = nullptr,
                          .to = to.data()};
    device_->run(device_->table().passes.widen, request);
  }
  // to += A·B for A [rows×k] and B [k×k], or Aᵀ·B for A and B [rows×k].
  void multiply_wide(bool transposed, Index rows, const Array<double>& A, const Array<double>& B,
                     const Array<double>& to) const {
    multiply<double>(*device_, transposed ? Transposed::first : Transposed::none,
                     {A.data(), rows, k_, k_}, {B.data(), transposed ? rows : k_, k_, k_},
                     {to.data(), transposed ? k_ : rows, k_, k_}, 1, 1);
  }
  void copy(BackendView<const float> from, BackendView<float> to) const {
    const Scaled request{.rows = from.rows,
                         .cols = k_,
                         .from = {from.data, from.stride},
                         .by = 1,
                         .to = {to.data, to.stride}};
    device_->run(device_->table().passes.scale, request);
  }

  void improve(const EntryTile& tile) override {
    const BackendView<float> before{before_.data(), tile.X.count, k_, k_};
    const Index sweeps = group_.step ? group_.step->sweeps : 0;
    for (Index sweep = 0; sweep < std::max<Index>(1, sweeps); ++sweep) {
      tiles_.form_model(tile);
      if (sweep == 0 && group_.measure != Measure::none) tiles_.measure(tile);
      tiles_.form_terms(tile, false, false, false);
      copy(tile.W, before);
      if (sweep < sweeps) step(tile, before);
    }
    if (group_.accumulate) accumulate(tile, before);
  }

  void step(const EntryTile& tile, BackendView<float> before) {
    const BackendView<float> P{memory_.cross.data(), tile.X.count, k_, k_};
    multiply_rows(*device_, tiles_.above(tile), group_.Ht, P);
    const AddRows request{.rows = tile.X.count,
                          .cols = k_,
                          .weight = 1,
                          .numerators = {before.data, k_},
                          .diagonal = {before.data, k_},
                          .P = {P.data, k_},
                          .row_diagonal = row_diagonal(tile)};
    device_->run(device_->table().passes.add_rows, request);
    step_->improve(P, tile.W, nullptr, job_);
  }
  // add_rows writes it, and no step reads it.
  float* row_diagonal(const EntryTile& tile) {
    shared_.row_diagonal.reserve(tile.X.count);
    return shared_.row_diagonal.data();
  }

  void accumulate(const EntryTile& tile, BackendView<float> before) {
    add_columns(tiles_.above(tile), tile.W, sums_.cross);
    widen(before, wide_before_);
    widen(tile.W, memory_.wide);
    multiply_wide(true, tile.X.count, wide_before_, memory_.wide, moved_);
  }

  Array<float> before_;        // W before a step [tile×k]
  Array<double> wide_before_;  // the same in float64
  Array<double> moved_;        // Wᵀ W' [k×k]
  std::optional<DeviceStep> step_;
};

}  // namespace

std::unique_ptr<GroupWork> logistic_group(const std::shared_ptr<Device>& device, Passes& host,
                                          const Pass& pass, const Group& group, const XStream& rows,
                                          SharedMemory& shared, const Job& job) {
  return std::make_unique<LogisticGroup>(device, host, pass, group, rows, shared, job);
}

}  // namespace gemmine::cuda
