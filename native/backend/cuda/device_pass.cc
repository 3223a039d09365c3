#include "backend/cuda/device_pass.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "backend/cuda/cuda_sums.h"
#include "backend/cuda/device_step.h"
#include "backend/cuda/row_stream.h"

namespace gemmine::cuda {
namespace {

// Memory that the groups of a pass share.
struct Shared {
  explicit Shared(const std::shared_ptr<Device>& device)
      : residual(device), perturbed(device), row_diagonal(device), row_weights(device) {}
  Array<float> residual;      // X − W Htᵀ [block×d]
  Array<float> perturbed;     // X with noise [block×d]
  Array<float> row_diagonal;  // of a row addend [block]
  Array<float> row_weights;   // of the rows of the pass
};

// Where the partial sums of a block begin: those of its product, then those of its residual.
constexpr Index sums_of_block = 2 * sum_blocks;

class GroupPass {
 public:
  GroupPass(const std::shared_ptr<Device>& device, Passes& host, const Pass& pass,
            const Group& group, const RowStream& rows, Shared& shared, const Job& job)
      : device_(*device),
        passes_(device->table().passes),
        queue_(device->compute()),
        group_(group),
        sums_(cuda_sums(group.sums)),
        shared_(shared),
        job_(job),
        d_(group.Ht.rows),
        k_(group.Ht.cols),
        first_row_(rows_of(pass).begin),
        weighted_(!pass.row_weights.empty()),
        identity_(group.measure == Measure::identity),
        direct_(group.measure == Measure::direct),
        forms_cross_(group.step.has_value() || identity_),
        scale_(std::ldexp(1.0, -exponent_of(pass, group))) {
    if (group.step) step_.emplace(device, host, *group.step, group.normal);
    reserve(rows);
    if (forms_cross_) {
      const Scaled scaled{.rows = d_,
                          .cols = k_,
                          .from = {group.Ht.data, group.Ht.stride},
                          .by = scale_,
                          .to = {sums_.scaled_Ht.data(), k_}};
      run(passes_.scale, scaled);
    }
    begin_sums();
  }

  // The rows first .. first + count − 1 of X.
  void block(Index index, Index first, Index count, In X) {
    const BackendView<float> W = group_.W.row_block(first, count);
    X = with_noise(X, first, count);
    if (identity_) add_gram(W, first, sums_.incoming_there);
    if (direct_) add_residual(index, X, W, first);
    if (group_.measure == Measure::exact) add_exact_residual(index, X, W, first);
    if (forms_cross_) {
      const BackendView<float> P{sums_.products.data(), count, k_, k_};
      multiply({.number = Number::float32,
                .transpose_a = 0,
                .transpose_b = 0,
                .m = count,
                .n = k_,
                .k = d_,
                .alpha = 1,
                .A = X.data,
                .stride_a = X.stride,
                .B = sums_.scaled_Ht.data(),
                .stride_b = k_,
                .beta = 0,
                .C = P.data,
                .stride_c = k_});
      if (identity_) add_product(index, P, W, first);
      if (step_) improve(P, W, first);
      if (group_.extrapolated) extrapolate(W, first);
    }
    if (group_.accumulate) accumulate(X, W, first);
  }

  void finish(Index blocks) {
    Sums& to = group_.sums;
    const std::vector<double> partial = sums_.partial.download(blocks * sums_of_block);
    to.incoming_product = total(partial, blocks, 0);
    to.incoming_residual = total(partial, blocks, sum_blocks);
    if (identity_)
      to.incoming_gram = sums_.incoming_there.download(k_ * k_);
    else
      std::ranges::fill(to.incoming_gram, 0.0);
    if (!group_.accumulate) return;
    to.gram = sums_.gram_there.download(k_ * k_);
    sums_.is_on_host = false;
  }

 private:
  // ---- Before the first block.

  void reserve(const RowStream& rows) {
    const Index most = rows.most();
    sums_.partial.reserve(std::max<Index>(1, rows.blocks() * sums_of_block));
    sums_.partial.clear(rows.blocks() * sums_of_block);
    if (forms_cross_) {
      sums_.products.reserve(most * k_);
      sums_.scaled_Ht.reserve(d_ * k_);
    }
    if (identity_ || group_.accumulate) {
      sums_.wide.reserve(most * k_);
      if (weighted_) sums_.weighted.reserve(most * k_);
    }
    if (direct_) shared_.residual.reserve(most * d_);
    if (group_.noise.amplitude != 0) shared_.perturbed.reserve(most * d_);
    if (group_.addend) shared_.row_diagonal.reserve(most);
    if (group_.accumulate) {
      sums_.block_cross.reserve(d_ * k_);
      if (weighted_) sums_.weighted_rows.reserve(most * k_);
    }
  }

  void begin_sums() {
    if (identity_) {
      sums_.incoming_there.reserve(k_ * k_);
      sums_.incoming_there.clear(k_ * k_);
    }
    if (!group_.accumulate) return;
    keep_share(sums_.cross, d_ * k_);
    keep_share(sums_.gram_there, k_ * k_);
  }

  // The share of the sums before that stays.
  void keep_share(const Array<double>& sums, Index count) {
    if (sums_.is_on_host || group_.retained == 0) return sums.clear(count);
    const ScaleDouble request{.count = count, .by = group_.retained, .to = sums.data()};
    run(passes_.scale_double, request);
  }

  // ---- One block.

  template <class Request>
  void run(Code (*kernel)(Queue*, const Request*), const Request& request) {
    device_.require(kernel(queue_, &request));
  }
  void multiply(const Product& product) {
    device_.require(device_.runtime().multiply(queue_, &product));
  }

  const float* weights_from(Index row) const {
    return weighted_ ? shared_.row_weights.data() + (row - first_row_) : nullptr;
  }
  double* partial(Index block, Index begin) const {
    return sums_.partial.data() + block * sums_of_block + begin;
  }

  In with_noise(In X, Index first, Index count) {
    if (group_.noise.amplitude == 0) return X;
    const Perturb request{.rows = count,
                          .cols = d_,
                          .from = X,
                          .amplitude = group_.noise.amplitude,
                          .seed = group_.noise.seed,
                          .stream = noise_stream,
                          .first_row = first,
                          .to = {shared_.perturbed.data(), d_}};
    run(passes_.perturb, request);
    return {shared_.perturbed.data(), d_};
  }

  // to += Wᵀ diag(weights) W
  void add_gram(BackendView<float> W, Index first, const Array<double>& to) {
    Widened request{.rows = W.rows,
                    .cols = k_,
                    .from = {W.data, W.stride},
                    .weights = nullptr,
                    .to = sums_.wide.data()};
    run(passes_.widen, request);
    const double* left = sums_.wide.data();
    if (weighted_) {
      request.weights = weights_from(first);
      request.to = sums_.weighted.data();
      run(passes_.widen, request);
      left = sums_.weighted.data();
    }
    multiply({.number = Number::float64,
              .transpose_a = 1,
              .transpose_b = 0,
              .m = k_,
              .n = k_,
              .k = W.rows,
              .alpha = 1,
              .A = left,
              .stride_a = k_,
              .B = sums_.wide.data(),
              .stride_b = k_,
              .beta = 1,
              .C = to.data(),
              .stride_c = k_});
  }

  void add_product(Index block, BackendView<float> P, BackendView<float> W, Index first) {
    const Sum request{.term = Term::products,
                      .rows = P.rows,
                      .cols = k_,
                      .a = {P.data, P.stride},
                      .b = {W.data, W.stride},
                      .wide = nullptr,
                      .weights = {weights_from(first), 1},
                      .partial = partial(block, 0)};
    run(passes_.sum, request);
  }

  // ‖X·scale − W Htᵀ‖², formed on a copy.
  void add_residual(Index block, In X, BackendView<float> W, Index first) {
    const Scaled copy{
        .rows = W.rows, .cols = d_, .from = X, .by = scale_, .to = {shared_.residual.data(), d_}};
    run(passes_.scale, copy);
    multiply({.number = Number::float32,
              .transpose_a = 0,
              .transpose_b = 1,
              .m = W.rows,
              .n = d_,
              .k = k_,
              .alpha = -1,
              .A = W.data,
              .stride_a = W.stride,
              .B = group_.Ht.data,
              .stride_b = group_.Ht.stride,
              .beta = 1,
              .C = shared_.residual.data(),
              .stride_c = d_});
    const Sum request{.term = Term::squares,
                      .rows = W.rows,
                      .cols = d_,
                      .a = {shared_.residual.data(), d_},
                      .b = {nullptr, 0},
                      .wide = nullptr,
                      .weights = {weights_from(first), 1},
                      .partial = partial(block, sum_blocks)};
    run(passes_.sum, request);
  }

  void add_exact_residual(Index block, In X, BackendView<float> W, Index first) {
    const ExactResidual request{.rows = W.rows,
                                .d = d_,
                                .k = k_,
                                .X = X,
                                .W = {W.data, W.stride},
                                .Ht = {group_.Ht.data, group_.Ht.stride},
                                .scale = scale_,
                                .weights = weights_from(first),
                                .partial = partial(block, sum_blocks)};
    run(passes_.exact_residual, request);
  }

  void improve(BackendView<float> P, BackendView<float> W, Index first) {
    if (group_.addend) {
      const BackendView<const float> numerators =
          group_.addend->numerators.row_block(first, P.rows);
      const BackendView<const float> diagonal = group_.addend->diagonal.row_block(first, P.rows);
      const AddRows request{.rows = P.rows,
                            .cols = k_,
                            .weight = group_.addend->weight,
                            .numerators = {numerators.data, numerators.stride},
                            .diagonal = {diagonal.data, diagonal.stride},
                            .P = {P.data, P.stride},
                            .row_diagonal = shared_.row_diagonal.data()};
      run(passes_.add_rows, request);
    }
    step_->improve(P, W, group_.addend ? shared_.row_diagonal.data() : nullptr, job_);
  }

  void extrapolate(BackendView<float> W, Index first) {
    const Extrapolated& by = *group_.extrapolated;
    const BackendView<float> previous = by.previous.row_block(first, W.rows);
    const Extrapolate request{.rows = W.rows,
                              .cols = k_,
                              .kind = static_cast<std::int32_t>(by.kind),
                              .share = static_cast<float>(by.share),
                              .upper = by.upper,
                              .previous = {previous.data, previous.stride},
                              .factor = {W.data, W.stride}};
    run(passes_.extrapolate, request);
  }

  // S += X_bᵀ diag(weights) W_b, R += W_bᵀ diag(weights) W_b.
  void accumulate(In X, BackendView<float> W, Index first) {
    In right{W.data, W.stride};
    if (weighted_) {
      const Weighted request{.rows = W.rows,
                             .cols = k_,
                             .from = right,
                             .weights = weights_from(first),
                             .to = sums_.weighted_rows.data()};
      run(passes_.weigh, request);
      right = {sums_.weighted_rows.data(), k_};
    }
    multiply({.number = Number::float32,
              .transpose_a = 1,
              .transpose_b = 0,
              .m = d_,
              .n = k_,
              .k = W.rows,
              .alpha = 1,
              .A = X.data,
              .stride_a = X.stride,
              .B = right.data,
              .stride_b = right.stride,
              .beta = 0,
              .C = sums_.block_cross.data(),
              .stride_c = k_});
    const AddToDouble request{.rows = d_,
                              .cols = k_,
                              .from = sums_.block_cross.data(),
                              .stride = k_,
                              .by = scale_,
                              .to = sums_.cross.data()};
    run(passes_.add_to_double, request);
    add_gram(W, first, sums_.gram_there);
  }

  static double total(const std::vector<double>& partial, Index blocks, Index begin) {
    double sum = 0;
    for (Index b = 0; b < blocks; ++b) {
      const auto from = partial.begin() + b * sums_of_block + begin;
      sum += std::accumulate(from, from + sum_blocks, 0.0);
    }
    return sum;
  }

  const Device& device_;
  const PassTable& passes_;
  Queue* const queue_;
  const Group& group_;
  CudaSums& sums_;
  Shared& shared_;
  const Job& job_;
  const Index d_, k_, first_row_;
  const bool weighted_, identity_, direct_, forms_cross_;
  const double scale_;  // 2^-exponent
  std::optional<DeviceStep> step_;
};

}  // namespace

bool runs_on_device(const Pass& pass) {
  if (pass.loss.kind != LossKind::frobenius || pass.X.sparse()) return false;
  return std::ranges::all_of(pass.groups, [](const Group& group) {
    const bool own = group.own_normals;
    return !own && (!group.addend || !group.step ||
                    DeviceStep::has_kernel(group.step->kind, group.Ht.cols));
  });
}

void run_pass(const std::shared_ptr<Device>& device, Passes& host, const Pass& pass,
              const Job& job) {
  job.cancellation.check();
  const auto turn = device->turn();
  const RowRange range = rows_of(pass);
  RowStream rows(device, pass.X, range, job);
  Shared shared(device);
  if (!pass.row_weights.empty()) {
    shared.row_weights.reserve(range.count);
    shared.row_weights.upload(pass.row_weights.data() + range.begin, range.count);
  }
  std::vector<std::unique_ptr<GroupPass>> groups;
  for (const Group& group : pass.groups)
    groups.push_back(std::make_unique<GroupPass>(device, host, pass, group, rows, shared, job));
  rows.each_block([&](Index block, In X) {
    for (const auto& group : groups) group->block(block, rows.first(block), rows.count(block), X);
  });
  for (const auto& group : groups) group->finish(rows.blocks());
}

}  // namespace gemmine::cuda
