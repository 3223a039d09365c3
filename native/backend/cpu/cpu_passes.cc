#include "backend/cpu/cpu_passes.h"

#include <algorithm>
#include <cstdlib>

#include "backend/cpu/factor_operations.h"
#include "backend/cpu/group_pass.h"
#include "backend/cpu/host.h"
#include "backend/cpu/labels.h"
#include "backend/cpu/nonnegative_solve.h"
#include "backend/cpu/orthonormal_rows.h"
#include "backend/cpu/pass.h"
#include "backend/cpu/wide_products.h"
#include "core/linear_algebra.h"
#include "core/pool.h"

namespace gemmine::cpu {
namespace {

template <class From>
void copy_rows(From from, HostView<float> to) {
  for (Index i = 0; i < from.rows; ++i)
    std::copy_n(from.row(i), static_cast<std::size_t>(from.cols), to.row(i));
}

class CpuPasses : public Passes {
 public:
  explicit CpuPasses(const Kernels& kernels) : kernels_(kernels) { hold_products_to_one_thread(); }

  std::string name() const override { return "cpu"; }

  std::shared_ptr<float[]> allocate(Index count) override {
    const auto elements = static_cast<std::size_t>(std::max<Index>(1, count));
    auto* memory = static_cast<float*>(std::calloc(elements, sizeof(float)));
    if (memory == nullptr)
      throw Error(ErrorCode::out_of_memory,
                  "cannot allocate " + std::to_string(elements * sizeof(float)) + " bytes");
    return {memory, [](float* owned) { std::free(owned); }};
  }
  void upload(HostView<const float> from, BackendView<float> to) override {
    copy_rows(from, host(to));
  }
  void download(BackendView<const float> from, HostView<float> to) override {
    copy_rows(host(from), to);
  }
  void copy(BackendView<const float> from, BackendView<float> to) override {
    copy_rows(host(from), host(to));
  }

  SourceNorm examine(const Examined& examined, const Job& job) override {
    return cpu::examine(kernels_, examined, job);
  }
  std::unique_ptr<Sums> make_sums(Index d, Index k) override {
    return std::make_unique<CpuSums>(d, k);
  }
  void pass(const Pass& pass, const Job& job) override { run_pass(kernels_, pass, job); }
  void sum_over_ranks(Sums& sums, Communicator& ranks) override {
    ranks.allreduce(cpu_sums(sums).cross);
    ranks.allreduce(cpu_sums(sums).denominators);
  }

  void settle_codes(const LeastSquares& problem, BackendView<float> W, const Job& job) override {
    cpu::settle_codes(kernels_, problem, W, job);
  }
  void multiply_in_float64(const RowSource& X, int exponent, HostView<const double> B,
                           BackendView<float> to, const Job& job) override {
    cpu::multiply_in_float64(X, exponent, B, host(to), job);
  }
  std::vector<double> squared_products(const RowSource& X, int exponent, HostView<const double> B,
                                       const Job& job) override {
    return cpu::squared_products(X, exponent, B, job);
  }
  void assign(const Assignment& assignment, Assigned& assigned, const Job& job) override {
    cpu::assign(kernels_, assignment, assigned, job);
  }
  std::vector<double> potentials(const Candidates& candidates, HostView<double> distances,
                                 const Job& job) override {
    return cpu::potentials(kernels_, candidates, distances, job);
  }

  void improve(const Step& step, const Sums& sums, const NormalMatrix& normal,
               std::span<const double> pull, BackendView<float> Ht, const Job& job) override {
    improve_from_sums(kernels_, step, cpu_sums(sums).cross, normal, pull, host(Ht), job);
  }
  void improve(const Step& step, BackendView<const float> cross, const NormalMatrix& normal,
               BackendView<float> factor, const Job& job) override {
    improve_blocks(kernels_, step, host(cross), normal, host(factor), job);
  }
  void improve(const Step& step, HostView<const double> cross, const NormalMatrix& normal,
               std::span<const double> pull, BackendView<float> Ht, const Job& job) override {
    improve_from_sums(kernels_, step, {cross.data, cross.data + cross.rows * cross.cols}, normal,
                      pull, host(Ht), job);
  }
  void improve_by_ratio(const Step& step, const Sums& sums, BackendView<float> Ht,
                        const Job& job) override {
    cpu::improve_by_ratio(kernels_, step, cpu_sums(sums), host(Ht), job);
  }
  void improve_by_own_normals(const Step& step, const Sums& sums, double pull,
                              BackendView<float> Ht, const Job& job) override {
    cpu::improve_by_own_normals(kernels_, step, cpu_sums(sums).cross, cpu_sums(sums).denominators,
                                pull, host(Ht), job);
  }
  void improve_rows_by_own_normals(const Step& step, HostView<const double> cross,
                                   HostView<const double> triangles, double pull,
                                   BackendView<float> factor, const Job& job) override {
    const auto all = [](HostView<const double> view) {
      return std::span(view.data, static_cast<std::size_t>(view.rows * view.cols));
    };
    cpu::improve_by_own_normals(kernels_, step, all(cross), all(triangles), pull, host(factor),
                                job);
  }
  double own_curvature(const Sums& sums, BackendView<const float> Ht, const Job& job) override {
    return cpu::own_curvature(cpu_sums(sums), host(Ht), job);
  }
  double energy(const RowAddend& addend, BackendView<const float> W, const Job& job) override {
    return cpu::energy(addend, host(W), job);
  }
  double inner(const Sums& sums, BackendView<const float> Ht, const Job& job) override {
    return cpu::inner(cpu_sums(sums).cross, host(Ht), job);
  }
  std::vector<double> cross(const Sums& sums) override { return cpu_sums(sums).cross; }

  std::vector<double> gram(BackendView<const float> factor, const Job& job) override {
    return cpu::gram(host(factor), job);
  }
  std::vector<double> cross_gram(BackendView<const float> A, BackendView<const float> B,
                                 const Job& job) override {
    return cpu::cross_gram(host(A), host(B), job);
  }
  std::vector<double> weighted_gram(BackendView<const float> factor, std::span<const float> weights,
                                    const Job& job) override {
    return cpu::weighted_gram(host(factor), weights, job);
  }
  ColumnSums column_sums(BackendView<const float> factor, const Job& job) override {
    return cpu::column_sums(host(factor), job);
  }
  ColumnParts column_parts(BackendView<const float> factor, const Job& job) override {
    return cpu::column_parts(host(factor), job);
  }
  ColumnRatios ratios_to_first(BackendView<const float> factor, const Job& job) override {
    return cpu::ratios_to_first(host(factor), job);
  }
  void add_first(std::span<const double> shares, double scale, BackendView<float> factor,
                 const Job& job) override {
    cpu::add_first(shares, scale, host(factor), job);
  }
  void lift_rows(double scale, double least, BackendView<float> factor, const Job& job) override {
    cpu::lift_rows(scale, least, host(factor), job);
  }
  void clamp(float least, float most, BackendView<float> factor, const Job& job) override {
    cpu::clamp(least, most, host(factor), job);
  }
  void scale_columns(std::span<const double> by, BackendView<float> factor,
                     const Job& job) override {
    cpu::scale_columns(by, host(factor), job);
  }
  void keep_largest(Index count, BackendView<float> factor, const Job& job) override {
    cpu::keep_largest(count, host(factor), job);
  }
  void multiply(BackendView<const float> A, HostView<const double> B, BackendView<float> to,
                const Job& job) override {
    cpu::multiply(host(A), B, host(to), job);
  }
  void gather_rows(BackendView<const float> from, std::span<const Index> rows,
                   BackendView<float> to, const Job& job) override {
    cpu::gather_rows(host(from), rows, host(to), job);
  }
  void indicate(std::span<const std::int32_t> labels, float rest, BackendView<float> factor,
                const Job& job) override {
    cpu::indicate(labels, rest, host(factor), job);
  }
  void shift(double value, BackendView<float> factor, const Job& job) override {
    cpu::shift(value, host(factor), job);
  }
  void extrapolate(const Extrapolated& by, BackendView<float> factor, const Job& job) override {
    cpu::extrapolate(by, host(factor), job);
  }
  void fill_random(const Draws& draws, BackendView<float> factor, const Job& job) override {
    cpu::fill_random(draws, host(factor), job);
  }
  void raise_small(float smallest, const Draws& draws, BackendView<float> factor,
                   const Job& job) override {
    cpu::raise_small(smallest, draws, host(factor), job);
  }

  std::vector<double> symmetric_eigen(HostView<double> A) override {
    std::vector<double> values;
    on_pool([&] { values = gemmine::symmetric_eigen(A); });
    return values;
  }
  std::vector<double> symmetric_eigen(HostView<double> A, HostView<double> N) override {
    std::vector<double> values;
    on_pool([&] { values = gemmine::symmetric_eigen(A, N); });
    return values;
  }
  void orthonormalise_rows(HostView<double> A, const Job& job) override {
    cpu::orthonormalise_rows(A, job);
  }

 private:
  const Kernels& kernels_;
};

}  // namespace

std::unique_ptr<Passes> make_passes(const Kernels& kernels) {
  return std::make_unique<CpuPasses>(kernels);
}

}  // namespace gemmine::cpu
