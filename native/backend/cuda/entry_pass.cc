#include <limits>

#include "backend/cuda/own_steps.h"
#include "backend/cuda/tile_work.h"

namespace gemmine::cuda {
namespace {

constexpr Index normal_elements = Index{1} << 25;  // of the normal matrices of a tile: 128 MiB

// Numerators, denominators and measures of a group; or cross products and own normal matrices.
class EntryGroup : public TileWork {
 public:
  EntryGroup(const std::shared_ptr<Device>& device, Passes& host, const Pass& pass,
             const Group& group, const XStream& rows, SharedMemory& shared, const Job& job)
      : TileWork(device, pass, group, rows, most_rows(group),
                 pass.row_weights.empty() ? nullptr : shared.row_weights.data(), shared, job),
        host_(host),
        of_column_(elements_of(group)) {
    expect(!group.own_normals || is_bounded_by_squares(pass.loss),
           "own normal matrices are those of squares");
    memory_.cross_below.reserve(tiles_.rows() * of_column_);
    if (group.own_normals) {
      memory_.pairs_of_Ht.reserve(d_ * of_column_);
      memory_.pairs_of_W.reserve(tiles_.rows() * of_column_);
      form_pairs(*device_, group.Ht, 1, memory_.pairs_of_Ht.data());
    }
    if (group.accumulate) begin_sums();
  }

 private:
  static Index elements_of(const Group& group) {
    return group.own_normals ? triangle(group.Ht.cols) : group.Ht.cols;
  }
  static Index most_rows(const Group& group) {
    return group.own_normals ? normal_elements / elements_of(group)
                             : std::numeric_limits<Index>::max();
  }

  void begin_sums() {
    expect(group_.retained == 0, "sums by entries are those of one pass");
    sums_.of_column = tiles_.by_column() ? 0 : of_column_;
    const Index denominators = tiles_.by_column() ? k_ : d_ * of_column_;
    sums_.cross.clear(d_ * k_);
    sums_.denominators.reserve(denominators);
    sums_.denominators.clear(denominators);
    memory_.block_sums.reserve(d_ * of_column_);
  }

  BackendView<const float> pairs_of_Ht() const {
    return {memory_.pairs_of_Ht.data(), d_, of_column_, of_column_};
  }

  void improve(const EntryTile& tile) override {
    bool formed = false;  // V of this W
    const auto form = [&] {
      if (!formed) tiles_.form_model(tile);
      formed = true;
    };
    if (group_.measure != Measure::none) form(), tiles_.measure(tile);
    const Index steps = !group_.step ? 0 : group_.own_normals ? 1 : group_.step->sweeps;
    for (Index step = 0; step < steps; ++step) {
      form();
      if (group_.own_normals)
        step_by_own_normals(tile);
      else
        step_by_ratio(tile);
      formed = false;
    }
    if (group_.extrapolated) {
      extrapolate(tile);
      formed = false;
    }
    if (!group_.accumulate) return;
    form();
    accumulate(tile);
  }

  void step_by_own_normals(const EntryTile& tile) {
    tiles_.form_terms(tile, true, true, true);
    const Index rows = tile.X.count;
    multiply_rows(*device_, tiles_.above(tile), group_.Ht, {memory_.cross.data(), rows, k_, k_});
    multiply_rows(*device_, tiles_.below(tile), pairs_of_Ht(),
                  {memory_.cross_below.data(), rows, of_column_, of_column_});
    own_steps(device_, host_, *group_.step, memory_.cross.data(), memory_.cross_below.data(),
              tile.W, job_);
  }

  void step_by_ratio(const EntryTile& tile) {
    const bool by_column = tiles_.by_column();
    tiles_.form_terms(tile, true, !by_column, false);
    const Index rows = tile.X.count;
    multiply_rows(*device_, tiles_.above(tile), group_.Ht, {memory_.cross.data(), rows, k_, k_});
    if (!by_column)
      multiply_rows(*device_, tiles_.below(tile), group_.Ht,
                    {memory_.cross_below.data(), rows, k_, k_});
    const Step& step = *group_.step;
    RatioUpdate request{.rows = rows,
                        .k = k_,
                        .above = {memory_.cross.data(), k_},
                        .below = {by_column ? nullptr : memory_.cross_below.data(), k_},
                        .wide_above = nullptr,
                        .wide_below = nullptr,
                        .column_sums = memory_.column_sums.data(),
                        .shares = tiles_.shares(),
                        .addend = 0,
                        .numerators = {nullptr, 0},
                        .diagonal = {nullptr, 0},
                        .half_l1 = step.l1 / 2,
                        .l2 = step.l2,
                        .exponent = step.exponent,
                        .upper = step.upper,
                        .factor = {tile.W.data, tile.W.stride}};
    if (group_.addend) {
      const auto numerators = group_.addend->numerators.row_block(tile.first, rows);
      const auto diagonal = group_.addend->diagonal.row_block(tile.first, rows);
      request.addend = group_.addend->weight;
      request.numerators = {numerators.data, numerators.stride};
      request.diagonal = {diagonal.data, diagonal.stride};
    }
    device_->run(device_->table().entries.ratio_update, request);
  }

  void extrapolate(const EntryTile& tile) const {
    const Extrapolated& by = *group_.extrapolated;
    const BackendView<float> previous = by.previous.row_block(tile.first, tile.X.count);
    const Extrapolate request{.rows = tile.X.count,
                              .cols = k_,
                              .kind = static_cast<std::int32_t>(by.kind),
                              .share = static_cast<float>(by.share),
                              .upper = by.upper,
                              .previous = {previous.data, previous.stride},
                              .factor = {tile.W.data, tile.W.stride}};
    device_->run(device_->table().passes.extrapolate, request);
  }

  void accumulate(const EntryTile& tile) {
    const bool by_column = tiles_.by_column();
    tiles_.form_terms(tile, false, !by_column, group_.own_normals);
    add_columns(tiles_.above(tile), tile.W, sums_.cross);
    if (by_column)
      return tiles_.add_column_sums(tile.W, tiles_.weights_of(tile), sums_.denominators.data());
    if (!group_.own_normals) return add_columns(tiles_.below(tile), tile.W, sums_.denominators);
    form_pairs(*device_, tile.W, 1, memory_.pairs_of_W.data());
    add_columns(tiles_.below(tile),
                {memory_.pairs_of_W.data(), tile.X.count, of_column_, of_column_},
                sums_.denominators);
  }

  Passes& host_;
  const Index of_column_;  // denominators of a row of Ht, or elements of its normal matrix
};

}  // namespace

std::unique_ptr<GroupWork> entry_group(const std::shared_ptr<Device>& device, Passes& host,
                                       const Pass& pass, const Group& group, const XStream& rows,
                                       SharedMemory& shared, const Job& job) {
  return std::make_unique<EntryGroup>(device, host, pass, group, rows, shared, job);
}

}  // namespace gemmine::cuda
