#include "backend/cuda/cuda_passes.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "backend/cuda/center_rows.h"
#include "backend/cuda/device_pass.h"
#include "backend/cuda/device_step.h"
#include "backend/cuda/host_path.h"
#include "backend/cuda/own_steps.h"
#include "backend/cuda/row_stream.h"
#include "backend/cuda/sparse_stream.h"
#include "backend/cuda/wide_products.h"
#include "backend/cuda/x_products.h"

namespace gemmine::cuda {
namespace {

In in(BackendView<const float> view) { return {view.data, view.stride}; }
Out out(BackendView<float> view) { return {view.data, view.stride}; }

// Of the free memory, the share that a resident X may take: the rest is for factors and blocks.
constexpr double resident_share = 0.7;

// The operations that have kernels; docs/architecture.md lists the others, which HostPath does.
class CudaPasses : public HostPath {
 public:
  using HostPath::HostPath;
  using HostPath::improve;

  std::unique_ptr<RowSource> resident(const RowSource& X, const Job& job) override {
    if (X.sparse() && !ResidentSparse::supports(X)) return nullptr;
    const auto turn = device_->turn();
    const double bytes = X.sparse()
                             ? ResidentSparse::bytes(X)
                             : 4.0 * static_cast<double>(X.rows()) * static_cast<double>(X.cols());
    if (bytes > resident_share * static_cast<double>(device_->describe().free)) return nullptr;
    if (X.sparse()) return std::make_unique<ResidentSparse>(device_, X, job);
    return std::make_unique<ResidentRows>(device_, X, job);
  }

  void pass(const Pass& pass, const Job& job) override {
    if (runs_on_device(pass)) return run_pass(device_, host_, pass, job);
    HostPath::pass(pass, job);
  }
  void sum_over_ranks(Sums& sums, Communicator& ranks) override {
    CudaSums& own = cuda_sums(sums);
    if (own.is_on_host) return HostPath::sum_over_ranks(sums, ranks);
    const auto sum = [&](Array<double>& array, Index count) {
      std::vector<double> values = array.download(count);
      ranks.allreduce(values);
      array.upload(values);
    };
    sum(own.cross, own.d * own.k);
    if (own.denominators.size() > 0)
      sum(own.denominators, own.of_column == 0 ? own.k : own.d * own.of_column);
  }

  void multiply_in_float64(const RowSource& X, int exponent, HostView<const double> B,
                           BackendView<float> to, const Job& job) override {
    x_times(device_, X, exponent, B, to, job);
  }
  std::vector<double> squared_products(const RowSource& X, int exponent, HostView<const double> B,
                                       const Job& job) override {
    return x_squared_products(device_, X, exponent, B, job);
  }

  void assign(const Assignment& assignment, Assigned& assigned, const Job& job) override {
    if (assignment.X.sparse()) return HostPath::assign(assignment, assigned, job);
    assign_rows(device_, assignment, assigned, job);
  }
  std::vector<double> potentials(const Candidates& candidates, HostView<double> distances,
                                 const Job& job) override {
    if (candidates.X.sparse()) return HostPath::potentials(candidates, distances, job);
    return candidate_potentials(device_, candidates, distances, job);
  }

  void improve(const Step& step, const Sums& sums, const NormalMatrix& normal,
               std::span<const double> pull, BackendView<float> Ht, const Job& job) override {
    const CudaSums& own = cuda_sums(sums);
    if (own.is_on_host) return HostPath::improve(step, sums, normal, pull, Ht, job);
    if (step.kind == StepKind::cayley || step.kind == StepKind::unit_ball) {
      const std::vector<double> S = cross(sums);
      return HostPath::improve(step, HostView<const double>{S.data(), own.d, own.k, own.k}, normal,
                               pull, Ht, job);
    }
    const auto turn = device_->turn();
    const Array<float> rounded(device_, own.d * own.k);
    const Array<double> pulls(device_, {pull.begin(), pull.end()});
    const Pulled request{.rows = own.d,
                         .cols = own.k,
                         .S = own.cross.data(),
                         .Ht = in(Ht),
                         .pull = pulls.data(),
                         .to = rounded.data()};
    run(kernels().pull, request);
    improve(step, BackendView<const float>{rounded.data(), own.d, own.k, own.k}, normal, Ht, job);
  }
  void improve(const Step& step, BackendView<const float> cross, const NormalMatrix& normal,
               BackendView<float> factor, const Job& job) override {
    const auto turn = device_->turn();
    DeviceStep(device_, host_, step, normal).improve(cross, factor, nullptr, job);
  }

  void improve_by_ratio(const Step& step, const Sums& sums, BackendView<float> Ht,
                        const Job& job) override {
    const CudaSums& own = cuda_sums(sums);
    if (own.is_on_host) return HostPath::improve_by_ratio(step, sums, Ht, job);
    const bool by_column = own.of_column == 0;
    const RatioUpdate request{.rows = own.d,
                              .k = own.k,
                              .above = {nullptr, 0},
                              .below = {nullptr, 0},
                              .wide_above = own.cross.data(),
                              .wide_below = by_column ? nullptr : own.denominators.data(),
                              .column_sums = by_column ? own.denominators.data() : nullptr,
                              .shares = nullptr,
                              .addend = 0,
                              .numerators = {nullptr, 0},
                              .diagonal = {nullptr, 0},
                              .half_l1 = step.l1 / 2,
                              .l2 = step.l2,
                              .exponent = step.exponent,
                              .upper = step.upper,
                              .factor = out(Ht)};
    run(device_->table().entries.ratio_update, request);
  }
  void improve_by_own_normals(const Step& step, const Sums& sums, double pull,
                              BackendView<float> Ht, const Job& job) override {
    const CudaSums& own = cuda_sums(sums);
    if (own.is_on_host) return HostPath::improve_by_own_normals(step, sums, pull, Ht, job);
    own_steps(device_, host_, step, own.cross, own.denominators, pull, Ht, job);
  }
  double own_curvature(const Sums& sums, BackendView<const float> Ht, const Job& job) override {
    const CudaSums& own = cuda_sums(sums);
    if (own.is_on_host) return HostPath::own_curvature(sums, Ht, job);
    return cuda::own_curvature(device_, own.denominators, Ht);
  }
  double energy(const RowAddend& addend, BackendView<const float> W, const Job&) override {
    return addend.weight * sum({.term = Term::energy,
                                .rows = W.rows,
                                .cols = W.cols,
                                .a = in(addend.numerators),
                                .b = in(W),
                                .wide = nullptr,
                                .weights = in(addend.diagonal),
                                .partial = nullptr});
  }
  double inner(const Sums& sums, BackendView<const float> Ht, const Job& job) override {
    const CudaSums& own = cuda_sums(sums);
    if (own.is_on_host) return HostPath::inner(sums, Ht, job);
    return sum({.term = Term::wide_products,
                .rows = own.d,
                .cols = own.k,
                .a = {nullptr, 0},
                .b = in(Ht),
                .wide = own.cross.data(),
                .weights = {nullptr, 0},
                .partial = nullptr});
  }
  std::vector<double> cross(const Sums& sums) override {
    const CudaSums& own = cuda_sums(sums);
    return own.is_on_host ? HostPath::cross(sums) : own.cross.download(own.d * own.k);
  }

  std::vector<double> gram(BackendView<const float> factor, const Job& job) override {
    return wide_gram(device_, factor, factor, {}, job);
  }
  std::vector<double> cross_gram(BackendView<const float> A, BackendView<const float> B,
                                 const Job& job) override {
    return wide_gram(device_, A, B, {}, job);
  }
  std::vector<double> weighted_gram(BackendView<const float> factor, std::span<const float> weights,
                                    const Job& job) override {
    return wide_gram(device_, factor, factor, weights, job);
  }
  void multiply(BackendView<const float> A, HostView<const double> B, BackendView<float> to,
                const Job& job) override {
    wide_multiply(device_, A, B, to, job);
  }

  ColumnSums column_sums(BackendView<const float> factor, const Job&) override {
    const Measurements found = measure(factor);
    ColumnSums sums{.absolute = found.total(measured_absolute), .square = {}};
    sums.square = found.total(measured_positive);
    const std::vector<double> others = found.total(measured_negative);
    for (std::size_t j = 0; j < others.size(); ++j) sums.square[j] += others[j];
    return sums;
  }
  ColumnParts column_parts(BackendView<const float> factor, const Job&) override {
    const Measurements found = measure(factor);
    const std::vector<double> least = found.extreme(measured_least, -1);
    const std::vector<double> most = found.extreme(measured_most, 1);
    return {.positive = found.total(measured_positive),
            .negative = found.total(measured_negative),
            .positives = found.total(measured_positives),
            .negatives = found.total(measured_negatives),
            .least = {least.begin(), least.end()},
            .most = {most.begin(), most.end()}};
  }

  void scale_columns(std::span<const double> by, BackendView<float> factor, const Job&) override {
    by_column(kernels().scale_columns, by, 1, factor);
  }
  void add_first(std::span<const double> shares, double scale, BackendView<float> factor,
                 const Job&) override {
    by_column(kernels().add_first, shares, scale, factor);
  }
  void lift_rows(double scale, double least, BackendView<float> factor, const Job&) override {
    const LiftRows request{.rows = factor.rows,
                           .cols = factor.cols,
                           .scale = scale,
                           .least = least,
                           .factor = out(factor)};
    run(kernels().lift_rows, request);
  }
  void clamp(float least, float most, BackendView<float> factor, const Job&) override {
    const Clamp request{.rows = factor.rows,
                        .cols = factor.cols,
                        .least = least,
                        .most = most,
                        .factor = out(factor)};
    run(kernels().clamp, request);
  }
  void shift(double value, BackendView<float> factor, const Job&) override {
    const Shift request{
        .rows = factor.rows, .cols = factor.cols, .value = value, .factor = out(factor)};
    run(kernels().shift, request);
  }
  void extrapolate(const Extrapolated& by, BackendView<float> factor, const Job&) override {
    const Extrapolate request{.rows = factor.rows,
                              .cols = factor.cols,
                              .kind = static_cast<std::int32_t>(by.kind),
                              .share = static_cast<float>(by.share),
                              .upper = by.upper,
                              .previous = out(by.previous),
                              .factor = out(factor)};
    run(kernels().extrapolate, request);
  }
  void gather_rows(BackendView<const float> from, std::span<const Index> rows,
                   BackendView<float> to, const Job&) override {
    const auto turn = device_->turn();
    const Array<std::int64_t> rows_of(device_, {rows.begin(), rows.end()});
    const Gather request{.rows = to.rows,
                         .cols = to.cols,
                         .from = in(from),
                         .rows_of = rows_of.data(),
                         .to = out(to)};
    run(kernels().gather, request);
  }
  void indicate(std::span<const std::int32_t> labels, float rest, BackendView<float> factor,
                const Job&) override {
    const auto turn = device_->turn();
    const Array<std::int32_t> there(device_, {labels.begin(), labels.end()});
    const Indicate request{.rows = factor.rows,
                           .cols = factor.cols,
                           .labels = there.data(),
                           .rest = rest,
                           .factor = out(factor)};
    run(kernels().indicate, request);
  }

  void fill_random(const Draws& draws, BackendView<float> factor, const Job& job) override {
    if (needs_libm(draws)) return HostPath::fill_random(draws, factor, job);
    fill(draws, std::nullopt, factor);
  }
  void raise_small(float smallest, const Draws& draws, BackendView<float> factor,
                   const Job& job) override {
    if (needs_libm(draws)) return HostPath::raise_small(smallest, draws, factor, job);
    fill(draws, smallest, factor);
  }

 private:
  const PassTable& kernels() const { return device_->table().passes; }

  template <class Request>
  void run(Code (*kernel)(Queue*, const Request*), const Request& request) {
    const auto turn = device_->turn();
    device_->require(kernel(device_->compute(), &request));
  }

  double sum(Sum request) {
    const auto turn = device_->turn();
    const Array<double> partial(device_, sum_blocks);
    request.partial = partial.data();
    run(kernels().sum, request);
    const std::vector<double> parts = partial.download();
    return std::accumulate(parts.begin(), parts.end(), 0.0);
  }

  void by_column(Code (*kernel)(Queue*, const ByColumn*), std::span<const double> by, double scale,
                 BackendView<float> factor) {
    const auto turn = device_->turn();
    const Array<double> there(device_, {by.begin(), by.end()});
    const ByColumn request{.rows = factor.rows,
                           .cols = factor.cols,
                           .by = there.data(),
                           .scale = scale,
                           .factor = out(factor)};
    run(kernel, request);
  }

  // Logarithms and cosines of another library could differ from the CPU's in the last bit.
  static bool needs_libm(const Draws& draws) {
    return draws.distribution == Distribution::normal ||
           draws.distribution == Distribution::half_normal;
  }
  void fill(const Draws& draws, std::optional<float> smallest, BackendView<float> factor) {
    const Fill request{.rows = factor.rows,
                       .cols = factor.cols,
                       .uniform = draws.distribution == Distribution::uniform,
                       .only_small = smallest.has_value(),
                       .smallest = smallest.value_or(0),
                       .stream = draws.stream,
                       .seed = draws.seed,
                       .first_row = draws.first_row,
                       .scale = draws.scale,
                       .factor = out(factor)};
    run(kernels().fill, request);
  }

  // Parts of the rows in order, as the kernel left them.
  struct Measurements {
    std::vector<double> parts;  // [column_chunks×measured_kinds×k]
    Index k;

    double part(Index chunk, Measured kind, Index j) const {
      return parts[(chunk * measured_kinds + kind) * k + j];
    }
    std::vector<double> total(Measured kind) const {
      std::vector<double> sums(static_cast<std::size_t>(k));
      for (Index chunk = 0; chunk < column_chunks; ++chunk)
        for (Index j = 0; j < k; ++j) sums[j] += part(chunk, kind, j);
      return sums;
    }
    // sign 1: the largest, −1: the least.
    std::vector<double> extreme(Measured kind, double sign) const {
      std::vector<double> found(static_cast<std::size_t>(k),
                                -sign * std::numeric_limits<double>::infinity());
      for (Index chunk = 0; chunk < column_chunks; ++chunk)
        for (Index j = 0; j < k; ++j)
          if (sign * part(chunk, kind, j) > sign * found[j]) found[j] = part(chunk, kind, j);
      return found;
    }
  };
  Measurements measure(BackendView<const float> factor) {
    const auto turn = device_->turn();
    const Array<double> partial(device_, column_chunks * measured_kinds * factor.cols);
    const Columns request{
        .rows = factor.rows, .cols = factor.cols, .from = in(factor), .partial = partial.data()};
    run(kernels().columns, request);
    return {.parts = partial.download(), .k = factor.cols};
  }
};

}  // namespace

std::unique_ptr<Passes> make_passes(std::shared_ptr<Device> device, Passes& host) {
  return std::make_unique<CudaPasses>(std::move(device), host);
}

}  // namespace gemmine::cuda
