#include <limits>
#include <optional>

#include "backend/cuda/cuda_sums.h"
#include "backend/cuda/device_step.h"
#include "backend/cuda/entry_tiles.h"
#include "backend/cuda/group_work.h"

namespace gemmine::cuda {
namespace {

// Z = V + E of the given pair, with V = W Htᵀ and E = 4 (X − σ(V)), is never formed: as HtᵀHt = I,
// Z Ht = W + E Ht, and Zᵀ W' = Ht (Wᵀ W') + Eᵀ W' for the W' after the step.
class LogisticGroup : public GroupWork {
 public:
  LogisticGroup(const std::shared_ptr<Device>& device, Passes& host, const Pass& pass,
                const Group& group, const XStream& rows, SharedMemory& shared, const Job& job)
      : device_(*device),
        group_(group),
        sums_(cuda_sums(group.sums)),
        memory_(sums_.entries),
        shared_(shared),
        job_(job),
        d_(group.Ht.rows),
        k_(group.Ht.cols),
        tiles_(device, pass, group, rows, std::numeric_limits<Index>::max(), nullptr, memory_),
        before_(device, tiles_.rows() * k_),
        wide_before_(device),
        moved_(device) {
    expect(pass.exponent == 0 && group.mask.all_pass() && pass.row_weights.empty(),
           "the logistic loss counts all entries of a binary X");
    if (group.step) step_.emplace(device, host, *group.step, group.normal);
    if (group.noise.amplitude != 0) shared_.perturbed.reserve(noise_elements(rows, d_));
    memory_.cross.reserve(tiles_.rows() * k_);
    if (!group.accumulate) return;
    memory_.block_sums.reserve(d_ * k_);
    memory_.wide.reserve(std::max(d_, tiles_.rows()) * k_);
    wide_before_.reserve(tiles_.rows() * k_);
    moved_.reserve(k_ * k_);
    moved_.clear(k_ * k_);
    sums_.cross.clear(d_ * k_);
  }

  void block(Index, Index first, const BlockOfX& given) override {
    const BlockOfX X = with_noise(device_, given, group_.noise, first, shared_.perturbed);
    tiles_.each(first, X, [&](const EntryTile& tile) {
      job_.cancellation.check();
      improve(tile);
    });
  }

  // S += Ht (Wᵀ W').
  void finish(Index) override {
    Sums& to = group_.sums;
    const double total = group_.measure == Measure::none ? 0 : tiles_.total();
    to.incoming_residual = group_.measure == Measure::direct ? total : 0;
    to.incoming_divergence = group_.measure == Measure::divergence ? total : 0;
    if (!group_.accumulate) return;
    widen(group_.Ht, memory_.wide);
    multiply_wide(false, d_, memory_.wide, moved_, sums_.cross);
    sums_.is_on_host = false;
  }

 private:
  template <class Request>
  void run(Code (*kernel)(Queue*, const Request*), const Request& request) const {
    device_.require(kernel(device_.compute(), &request));
  }
  void widen(BackendView<const float> from, const Array<double>& to) const {
    const Widened request{.rows = from.rows,
                          .cols = k_,
                          .from = {from.data, from.stride},
                          .weights = nullptr,
                          .to = to.data()};
    run(device_.table().passes.widen, request);
  }
  // to += A·B for A [rows×k] and B [k×k], or Aᵀ·B for A and B [rows×k].
  void multiply_wide(bool transposed, Index rows, const Array<double>& A, const Array<double>& B,
                     const Array<double>& to) const {
    const Product product{.number = Number::float64,
                          .transpose_a = transposed,
                          .transpose_b = 0,
                          .m = transposed ? k_ : rows,
                          .n = k_,
                          .k = transposed ? rows : k_,
                          .alpha = 1,
                          .A = A.data(),
                          .stride_a = k_,
                          .B = B.data(),
                          .stride_b = k_,
                          .beta = 1,
                          .C = to.data(),
                          .stride_c = k_};
    device_.require(device_.runtime().multiply(device_.compute(), &product));
  }
  void copy(BackendView<const float> from, BackendView<float> to) const {
    const Scaled request{.rows = from.rows,
                         .cols = k_,
                         .from = {from.data, from.stride},
                         .by = 1,
                         .to = {to.data, to.stride}};
    run(device_.table().passes.scale, request);
  }

  void improve(const EntryTile& tile) {
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
    multiply_rows(device_, tiles_.above(tile), group_.Ht, P);
    const AddRows request{.rows = tile.X.count,
                          .cols = k_,
                          .weight = 1,
                          .numerators = {before.data, k_},
                          .diagonal = {before.data, k_},
                          .P = {P.data, k_},
                          .row_diagonal = row_diagonal(tile)};
    run(device_.table().passes.add_rows, request);
    step_->improve(P, tile.W, nullptr, job_);
  }
  // add_rows writes it, and no step reads it.
  float* row_diagonal(const EntryTile& tile) {
    shared_.row_diagonal.reserve(tile.X.count);
    return shared_.row_diagonal.data();
  }

  void accumulate(const EntryTile& tile, BackendView<float> before) {
    multiply_columns(device_, tiles_.above(tile), tile.W, memory_.block_sums.data());
    const AddToDouble request{.rows = d_,
                              .cols = k_,
                              .from = memory_.block_sums.data(),
                              .stride = k_,
                              .by = 1,
                              .to = sums_.cross.data()};
    run(device_.table().passes.add_to_double, request);
    widen(before, wide_before_);
    widen(tile.W, memory_.wide);
    multiply_wide(true, tile.X.count, wide_before_, memory_.wide, moved_);
  }

  const Device& device_;
  const Group& group_;
  CudaSums& sums_;
  EntryMemory& memory_;
  SharedMemory& shared_;
  const Job& job_;
  const Index d_, k_;
  EntryTiles tiles_;
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
