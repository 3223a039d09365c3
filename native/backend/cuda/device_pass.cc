#include "backend/cuda/device_pass.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "backend/cuda/cuda_sums.h"
#include "backend/cuda/device_step.h"
#include "backend/cuda/group_work.h"

namespace gemmine::cuda {
namespace {

class FrobeniusGroup : public GroupWork {
 public:
  FrobeniusGroup(const std::shared_ptr<Device>& device, Passes& host, const Pass& pass,
                 const Group& group, const XStream& rows, SharedMemory& shared, const Job& job)
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
        forms_cross_(group.step.has_value() || identity_),
        scale_(std::ldexp(1.0, -exponent_of(pass, group))) {
    if (group.step) step_.emplace(device, host, *group.step, group.normal);
    if (group.measure == Measure::direct || group.measure == Measure::exact)
      residuals_.emplace(device, group, scale_, rows, shared.residual);
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

  void block(Index index, Index first, const BlockOfX& given) override {
    const BackendView<float> W = group_.W.row_block(first, given.count);
    const BlockOfX X = with_noise(device_, given, group_.noise, first, shared_.perturbed);
    if (identity_) add_gram(W, first, sums_.incoming_there);
    if (residuals_) residuals_->add(X, W, weights_from(first));
    if (forms_cross_) {
      const BackendView<float> P{sums_.products.data(), X.count, k_, k_};
      multiply_rows(device_, X, {sums_.scaled_Ht.data(), d_, k_, k_}, P);
      if (identity_) add_product(index, P, W, first);
      if (step_) improve(P, W, first);
      if (group_.extrapolated) extrapolate(W, first);
    }
    if (group_.accumulate) accumulate(X, W, first);
  }

  void finish(Index blocks) override {
    Sums& to = group_.sums;
    const std::vector<double> partial = sums_.partial.download(blocks * sum_blocks);
    to.incoming_product = std::accumulate(partial.begin(), partial.end(), 0.0);
    to.incoming_residual = residuals_ ? residuals_->total() : 0;
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

  void reserve(const XStream& rows) {
    const Index most = rows.most();
    sums_.partial.reserve(std::max<Index>(1, rows.blocks() * sum_blocks));
    sums_.partial.clear(rows.blocks() * sum_blocks);
    if (forms_cross_) {
      sums_.products.reserve(most * k_);
      sums_.scaled_Ht.reserve(d_ * k_);
    }
    if (identity_ || group_.accumulate) {
      sums_.wide.reserve(most * k_);
      if (weighted_) sums_.weighted.reserve(most * k_);
    }
    if (group_.noise.amplitude != 0) shared_.perturbed.reserve(noise_elements(rows, d_));
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
                      .partial = sums_.partial.data() + block * sum_blocks};
    run(passes_.sum, request);
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
  void accumulate(const BlockOfX& X, BackendView<float> W, Index first) {
    BackendView<const float> right = W;
    if (weighted_) {
      const Weighted request{.rows = W.rows,
                             .cols = k_,
                             .from = {W.data, W.stride},
                             .weights = weights_from(first),
                             .to = sums_.weighted_rows.data()};
      run(passes_.weigh, request);
      right = {sums_.weighted_rows.data(), W.rows, k_, k_};
    }
    multiply_columns(device_, X, right, sums_.block_cross.data());
    const AddToDouble request{.rows = d_,
                              .cols = k_,
                              .from = sums_.block_cross.data(),
                              .stride = k_,
                              .by = scale_,
                              .to = sums_.cross.data()};
    run(passes_.add_to_double, request);
    add_gram(W, first, sums_.gram_there);
  }

  const Device& device_;
  const PassTable& passes_;
  Queue* const queue_;
  const Group& group_;
  CudaSums& sums_;
  SharedMemory& shared_;
  const Job& job_;
  const Index d_, k_, first_row_;
  const bool weighted_, identity_, forms_cross_;
  const double scale_;  // 2^-exponent
  std::optional<DeviceStep> step_;
  std::optional<Residuals> residuals_;
};

std::unique_ptr<GroupWork> group_work(const std::shared_ptr<Device>& device, Passes& host,
                                      const Pass& pass, const Group& group, const XStream& rows,
                                      SharedMemory& shared, const Job& job) {
  switch (pass.loss.kind) {
    case LossKind::frobenius:
      return std::make_unique<FrobeniusGroup>(device, host, pass, group, rows, shared, job);
    case LossKind::logistic:
      return logistic_group(device, host, pass, group, rows, shared, job);
    default:
      return entry_group(device, host, pass, group, rows, shared, job);
  }
}

}  // namespace

bool runs_on_device(const Pass& pass) {
  return std::ranges::all_of(pass.groups, [&](const Group& group) {
    return pass.loss.kind != LossKind::frobenius || !group.addend || !group.step ||
           DeviceStep::has_kernel(group.step->kind, group.Ht.cols);
  });
}

void run_pass(const std::shared_ptr<Device>& device, Passes& host, const Pass& pass,
              const Job& job) {
  job.cancellation.check();
  const auto turn = device->turn();
  const RowRange range = rows_of(pass);
  XStream rows(device, pass.X, range, job);
  SharedMemory shared(device);
  if (!pass.row_weights.empty()) {
    shared.row_weights.reserve(range.count);
    shared.row_weights.upload(pass.row_weights.data() + range.begin, range.count);
  }
  std::vector<std::unique_ptr<GroupWork>> groups;
  for (const Group& group : pass.groups)
    groups.push_back(group_work(device, host, pass, group, rows, shared, job));
  rows.each_block([&](Index block, const BlockOfX& X) {
    for (const auto& group : groups) group->block(block, rows.first(block), X);
  });
  for (const auto& group : groups) group->finish(rows.blocks());
}

}  // namespace gemmine::cuda
