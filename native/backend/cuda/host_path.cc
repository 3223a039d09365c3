#include "backend/cuda/host_path.h"

namespace gemmine::cuda {

// ---- Memory.

namespace {

constexpr Index number = sizeof(float);

void copy_rows(const Device& device, Direction direction, const void* from, Index from_stride,
               void* to, Index to_stride, Index rows, Index cols) {
  if (rows == 0 || cols == 0) return;
  const Copy copy{direction,     to,  to_stride * number, from, from_stride * number,
                  cols * number, rows};
  const auto turn = device.turn();
  device.require(device.runtime().copy(device.compute(), &copy));
  // Host memory must not change before the copy is done.
  if (direction != Direction::within) device.synchronize();
}

}  // namespace

void upload(const Device& device, HostView<const float> from, BackendView<float> to) {
  copy_rows(device, Direction::to_device, from.data, from.stride, to.data, to.stride, to.rows,
            to.cols);
}
void download(const Device& device, BackendView<const float> from, HostView<float> to) {
  copy_rows(device, Direction::to_host, from.data, from.stride, to.data, to.stride, to.rows,
            to.cols);
}

OnHost::OnHost(const Device& device, Passes& host, BackendView<const float> from)
    : device_(device),
      memory_(host.allocate(from.rows * from.cols)),
      view_{memory_.get(), from.rows, from.cols, from.cols} {
  cuda::download(device, from, {view_.data, view_.rows, view_.cols, view_.stride});
}

void OnHost::store(BackendView<float> to) const {
  cuda::upload(device_, {view_.data, view_.rows, view_.cols, view_.stride}, to);
}

std::shared_ptr<float[]> HostPath::allocate(Index count) {
  auto memory = std::make_shared<Array<float>>(device_, std::max<Index>(1, count));
  memory->clear(memory->size());
  return {memory, memory->data()};
}
void HostPath::upload(HostView<const float> from, BackendView<float> to) {
  cuda::upload(*device_, from, to);
}
void HostPath::download(BackendView<const float> from, HostView<float> to) {
  cuda::download(*device_, from, to);
}
void HostPath::copy(BackendView<const float> from, BackendView<float> to) {
  copy_rows(*device_, Direction::within, from.data, from.stride, to.data, to.stride, to.rows,
            to.cols);
}

// ---- X.

SourceNorm HostPath::examine(const Examined& examined, const Job& job) {
  return host_.examine(examined, job);
}
void HostPath::settle_codes(const LeastSquares& problem, BackendView<float> W, const Job& job) {
  const OnHost Ht = on_host(problem.Ht);
  const LeastSquares there{problem.X,  problem.exponent, Ht.view(),    problem.normal,
                           problem.l1, problem.l2,       problem.upper};
  change(W, [&](BackendView<float> view) { host_.settle_codes(there, view, job); });
}
void HostPath::multiply_in_float64(const RowSource& X, int exponent, HostView<const double> B,
                                   BackendView<float> to, const Job& job) {
  change(to,
         [&](BackendView<float> view) { host_.multiply_in_float64(X, exponent, B, view, job); });
}
std::vector<double> HostPath::squared_products(const RowSource& X, int exponent,
                                               HostView<const double> B, const Job& job) {
  return host_.squared_products(X, exponent, B, job);
}
void HostPath::assign(const Assignment& assignment, Assigned& assigned, const Job& job) {
  host_.assign(assignment, assigned, job);
}
std::vector<double> HostPath::potentials(const Candidates& candidates, HostView<double> distances,
                                         const Job& job) {
  return host_.potentials(candidates, distances, job);
}

// ---- Factors.

void HostPath::improve(const Step& step, BackendView<const float> cross, const NormalMatrix& normal,
                       BackendView<float> factor, const Job& job) {
  const OnHost C = on_host(cross);
  change(factor,
         [&](BackendView<float> view) { host_.improve(step, C.view(), normal, view, job); });
}
void HostPath::improve(const Step& step, HostView<const double> cross, const NormalMatrix& normal,
                       std::span<const double> pull, BackendView<float> factor, const Job& job) {
  change(factor,
         [&](BackendView<float> view) { host_.improve(step, cross, normal, pull, view, job); });
}
double HostPath::energy(const RowAddend& addend, BackendView<const float> W, const Job& job) {
  const OnHost numerators = on_host(addend.numerators), diagonal = on_host(addend.diagonal);
  return host_.energy({addend.weight, numerators.view(), diagonal.view()}, on_host(W).view(), job);
}
std::vector<double> HostPath::gram(BackendView<const float> factor, const Job& job) {
  return host_.gram(on_host(factor).view(), job);
}
std::vector<double> HostPath::cross_gram(BackendView<const float> A, BackendView<const float> B,
                                         const Job& job) {
  return host_.cross_gram(on_host(A).view(), on_host(B).view(), job);
}
std::vector<double> HostPath::weighted_gram(BackendView<const float> factor,
                                            std::span<const float> weights, const Job& job) {
  return host_.weighted_gram(on_host(factor).view(), weights, job);
}
ColumnSums HostPath::column_sums(BackendView<const float> factor, const Job& job) {
  return host_.column_sums(on_host(factor).view(), job);
}
ColumnParts HostPath::column_parts(BackendView<const float> factor, const Job& job) {
  return host_.column_parts(on_host(factor).view(), job);
}
ColumnRatios HostPath::ratios_to_first(BackendView<const float> factor, const Job& job) {
  return host_.ratios_to_first(on_host(factor).view(), job);
}
void HostPath::scale_columns(std::span<const double> by, BackendView<float> factor,
                             const Job& job) {
  change(factor, [&](BackendView<float> view) { host_.scale_columns(by, view, job); });
}
void HostPath::add_first(std::span<const double> shares, double scale, BackendView<float> factor,
                         const Job& job) {
  change(factor, [&](BackendView<float> view) { host_.add_first(shares, scale, view, job); });
}
void HostPath::lift_rows(double scale, double least, BackendView<float> factor, const Job& job) {
  change(factor, [&](BackendView<float> view) { host_.lift_rows(scale, least, view, job); });
}
void HostPath::clamp(float least, float most, BackendView<float> factor, const Job& job) {
  change(factor, [&](BackendView<float> view) { host_.clamp(least, most, view, job); });
}
void HostPath::keep_largest(Index count, BackendView<float> factor, const Job& job) {
  change(factor, [&](BackendView<float> view) { host_.keep_largest(count, view, job); });
}
void HostPath::multiply(BackendView<const float> A, HostView<const double> B, BackendView<float> to,
                        const Job& job) {
  const OnHost left = on_host(A);
  change(to, [&](BackendView<float> view) { host_.multiply(left.view(), B, view, job); });
}
void HostPath::gather_rows(BackendView<const float> from, std::span<const Index> rows,
                           BackendView<float> to, const Job& job) {
  const OnHost source = on_host(from);
  change(to, [&](BackendView<float> view) { host_.gather_rows(source.view(), rows, view, job); });
}
void HostPath::indicate(std::span<const std::int32_t> labels, float rest, BackendView<float> factor,
                        const Job& job) {
  change(factor, [&](BackendView<float> view) { host_.indicate(labels, rest, view, job); });
}
void HostPath::shift(double value, BackendView<float> factor, const Job& job) {
  change(factor, [&](BackendView<float> view) { host_.shift(value, view, job); });
}
void HostPath::extrapolate(const Extrapolated& by, BackendView<float> factor, const Job& job) {
  const OnHost previous = on_host(by.previous);
  Extrapolated there = by;
  there.previous = previous.view();
  change(factor, [&](BackendView<float> view) { host_.extrapolate(there, view, job); });
  previous.store(by.previous);
}
void HostPath::fill_random(const Draws& draws, BackendView<float> factor, const Job& job) {
  change(factor, [&](BackendView<float> view) { host_.fill_random(draws, view, job); });
}
void HostPath::raise_small(float smallest, const Draws& draws, BackendView<float> factor,
                           const Job& job) {
  change(factor, [&](BackendView<float> view) { host_.raise_small(smallest, draws, view, job); });
}

std::vector<double> HostPath::symmetric_eigen(HostView<double> A) {
  return host_.symmetric_eigen(A);
}
std::vector<double> HostPath::symmetric_eigen(HostView<double> A, HostView<double> N) {
  return host_.symmetric_eigen(A, N);
}
void HostPath::orthonormalise_rows(HostView<double> A, const Job& job) {
  host_.orthonormalise_rows(A, job);
}

}  // namespace gemmine::cuda
