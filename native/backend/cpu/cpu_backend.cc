#include "backend/cpu/cpu_backend.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "backend/cpu/ordered_blocks.h"
#include "backend/cpu/products.h"
#include "backend/cpu/row_blocks.h"
#include "backend/cpu/scan.h"
#include "backend/cpu/small_gram.h"
#include "backend/cpu/sweep_problem.h"

namespace gemmine::cpu {
namespace {

constexpr Index factor_block_rows = 128;

template <class From>
void copy_rows(From from, HostView<float> to) {
  for (Index i = 0; i < from.rows; ++i)
    std::copy_n(from.row(i), static_cast<std::size_t>(from.cols), to.row(i));
}

// C − F_D N_DF of the independent components [b×m]: the dependent ones stay as they are.
void independent_cross(HostView<const float> cross, const NormalMatrix& normal,
                       HostView<const float> factor, HostView<double> right) {
  const Index k = normal.size();
  for (Index i = 0; i < right.rows; ++i)
    for (Index t = 0; t < right.cols; ++t) {
      const Index j = normal.independent()[t];
      double value = cross(i, j);
      for (const Index s : normal.dependent())
        value -= double{factor(i, s)} * normal.gram()[s * k + j];
      right(i, t) = value;
    }
}

class CpuBackend : public Backend {
 public:
  explicit CpuBackend(const Kernels& kernels) : kernels_(kernels) { hold_products_to_one_thread(); }

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

  SourceNorm examine(const RowSource& X, bool nonnegative, const Job& job) override {
    return cpu::examine(kernels_, X, nonnegative, job);
  }

  void pass(const Pass& pass, PassSums& sums, const Job& job) override {
    run_pass(*this, kernels_, pass, sums, job);
  }

  void apply(const Step& step, BackendView<const float> cross, const NormalMatrix& normal,
             const StepOptions& options, BackendView<float> factor, const Job& job) override {
    const std::vector<Index> firsts = even_parts(factor.rows, factor_block_rows);
    parallel_for(job, static_cast<Index>(firsts.size()) - 1, [&](Index block, Index) {
      const Index count = firsts[block + 1] - firsts[block];
      step(*this, cross.row_block(firsts[block], count), normal, options,
           factor.row_block(firsts[block], count));
    });
  }

  std::vector<double> gram(BackendView<const float> factor, const Job& job) override {
    const Index k = factor.cols;
    const std::vector<Index> firsts = even_parts(factor.rows, 4 * factor_block_rows);
    std::vector<double> total(k * k);
    std::vector<std::vector<double>> partial;
    reduce_in_order(
        job, static_cast<Index>(firsts.size()) - 1, partial,
        [&](Index block, Index, std::vector<double>& sums) {
          sums.resize(k * k);
          const Index count = firsts[block + 1] - firsts[block];
          add_gram(host(factor.row_block(firsts[block], count)), Into::replace, sums);
        },
        [&](const std::vector<double>& sums) {
          for (Index i = 0; i < k * k; ++i) total[i] += sums[i];
        });
    mirror_upper(total, k);
    return total;
  }

  void nonnegative_sweep(BackendView<const float> cross, const NormalMatrix& normal,
                         const StepOptions& options, BackendView<float> factor) override {
    kernels_.nonnegative_sweep(gauss_seidel_problem(host(cross), normal, options, host(factor)));
  }

  void signed_sweep(BackendView<const float> cross, const NormalMatrix& normal,
                    const StepOptions& options, BackendView<float> factor) override {
    kernels_.signed_sweep(gauss_seidel_problem(host(cross), normal, options, host(factor)));
  }

  void multiplicative_update(BackendView<const float> cross, const NormalMatrix& normal,
                             const StepOptions& options, BackendView<float> factor) override {
    kernels_.multiplicative_update(
        multiplicative_problem(host(cross), normal, options, host(factor)));
  }

  void sign_split_update(BackendView<const float> cross, const NormalMatrix& normal,
                         const StepOptions& options, BackendView<float> factor) override {
    kernels_.sign_split_update(sign_split_problem(host(cross), normal, options, host(factor)));
  }

  void solve_normal(BackendView<const float> cross, const NormalMatrix& normal,
                    BackendView<float> factor) override {
    const auto m = static_cast<Index>(normal.independent().size());
    std::vector<double> memory(static_cast<std::size_t>(cross.rows * m));
    const HostView<double> right = {memory.data(), cross.rows, m, m};
    independent_cross(host(cross), normal, host(factor), right);
    solve_rows({normal.cholesky().data(), m, m, m}, right);
    for (Index i = 0; i < right.rows; ++i)
      for (Index t = 0; t < m; ++t)
        factor.row(i)[normal.independent()[t]] = static_cast<float>(right(i, t));
  }

  void nearest_component(BackendView<const float> cross, const NormalMatrix& normal,
                         BackendView<float> factor) override {
    const Index k = normal.size();
    for (Index i = 0; i < cross.rows; ++i) {
      const float* c = cross.row(i);
      const auto distance = [&](Index j) { return normal.gram()[j * k + j] - 2.0 * c[j]; };
      Index nearest = 0;
      for (Index j = 1; j < k; ++j)
        if (distance(j) < distance(nearest)) nearest = j;
      std::fill_n(factor.row(i), k, 0.0f);
      factor.row(i)[nearest] = 1.0f;
    }
  }

  void copy(BackendView<const float> from, BackendView<float> to) override {
    copy_rows(host(from), host(to));
  }

  std::vector<double> symmetric_eigen(HostView<double> A) override {
    return cpu::symmetric_eigen(A);
  }
  void orthonormalise_rows(HostView<double> A) override { cpu::orthonormalise_rows(A); }

  std::unique_ptr<CorpusHandle> prepare_corpus(const RowSource& rows, Metric metric,
                                               bool keep_panels, const Job& job) override {
    return cpu::prepare_corpus(rows, metric, keep_panels, job);
  }
  std::unique_ptr<QueryHandle> prepare_queries(const RowSource& rows, const CorpusHandle& corpus,
                                               const Job& job) override {
    return cpu::prepare_queries(rows, corpus, job);
  }
  void visit_queries(const QueryHandle& queries, const QueryVisitor& visit,
                     const Job& job) override {
    cpu::visit_queries(queries, visit, job);
  }
  void scan(const ScanRequest& request, const ScanVisitor& visit, const Job& job) override {
    cpu::scan(request, visit, job);
  }

 private:
  const Kernels& kernels_;
};

}  // namespace

std::unique_ptr<Backend> make_backend(const Kernels& kernels) {
  return std::make_unique<CpuBackend>(kernels);
}

}  // namespace gemmine::cpu
