#pragma once

#include <atomic>
#include <cstdint>

#include "guarded_memory.h"
#include "guarded_rows.h"
#include "naive_passes.h"

namespace test {

// The naive device over memory that host code cannot touch: as with a GPU, an access by other code
// ends the process, and so does an operation on a view of other memory.
class GuardedPasses : public Passes {
 public:
  using Cross = BackendView<const float>;
  using Factor = BackendView<float>;

  // Number of elements of factors and sums copied until now, and of rows of X.
  std::atomic<Index> down = 0;
  std::atomic<Index> up = 0;
  std::atomic<Index> rows_down = 0;
  std::atomic<Index> residents = 0;  // number of matrices that became resident

  std::string name() const override { return "guarded"; }
  std::shared_ptr<float[]> allocate(Index count) override { return memory_.allocate(count); }
  void upload(HostView<const float> from, Factor to) override {
    expect(to.rows == 0 || !memory_.touches(from.data), "an upload reads host memory");
    up += to.rows * to.cols;
    const DeviceAccess access = open(to);
    naive_.upload(from, to);
  }
  void download(Cross from, HostView<float> to) override {
    expect(to.rows == 0 || !memory_.touches(to.data), "a download writes host memory");
    down += to.rows * to.cols;
    const DeviceAccess access = open(from);
    naive_.download(from, to);
  }
  void copy(Cross from, Factor to) override {
    const DeviceAccess access = open(from, to);
    naive_.copy(from, to);
  }

  std::unique_ptr<RowSource> resident(const RowSource& X, const Job&) override {
    const DeviceAccess access = open();
    ++residents;
    return std::make_unique<GuardedRows>(X, memory_);
  }
  RowCopies read_rows(const RowSource& X, std::span<const Index> rows, const Job& job) override {
    const DeviceAccess access = open();
    rows_down += static_cast<Index>(rows.size());
    return naive_.read_rows(X, rows, job);
  }
  void check_symmetric(const RowSource& A, float rounding, const Job& job) override {
    const DeviceAccess access = open();
    naive_.check_symmetric(A, rounding, job);
  }
  double spread(const RowSource& A, HostView<const float> W, const Job& job) override {
    const DeviceAccess access = open();
    return naive_.spread(A, W, job);
  }
  SourceNorm examine(const Examined& examined, const Job& job) override {
    const DeviceAccess access = open();
    return naive_.examine(examined, job);
  }
  std::unique_ptr<Sums> make_sums(Index d, Index k) override { return naive_.make_sums(d, k); }
  void pass(const Pass& pass, const Job& job) override {
    for (const Group& group : pass.groups) {
      expect_device(group.Ht);
      expect_device(group.W);
      if (group.extrapolated) expect_device(group.extrapolated->previous);
      if (group.addend)
        expect_device(group.addend->numerators), expect_device(group.addend->diagonal);
    }
    const DeviceAccess access = open();
    naive_.pass(pass, job);
  }
  void sum_over_ranks(Sums& sums, Communicator& ranks) override {
    naive_.sum_over_ranks(sums, ranks);
  }
  void settle_codes(const LeastSquares& problem, Factor W, const Job& job) override {
    const DeviceAccess access = open(problem.Ht, W);
    naive_.settle_codes(problem, W, job);
  }
  void multiply_in_float64(const RowSource& X, int exponent, HostView<const double> B, Factor to,
                           const Job& job) override {
    const DeviceAccess access = open(to);
    naive_.multiply_in_float64(X, exponent, B, to, job);
  }
  std::vector<double> squared_products(const RowSource& X, int exponent, HostView<const double> B,
                                       const Job& job) override {
    const DeviceAccess access = open();
    return naive_.squared_products(X, exponent, B, job);
  }
  void assign(const Assignment& assignment, Assigned& assigned, const Job& job) override {
    const DeviceAccess access = open();
    naive_.assign(assignment, assigned, job);
  }
  std::vector<double> potentials(const Candidates& candidates, HostView<double> distances,
                                 const Job& job) override {
    const DeviceAccess access = open();
    return naive_.potentials(candidates, distances, job);
  }

  void improve(const Step& step, const Sums& sums, const NormalMatrix& normal,
               std::span<const double> pull, Factor Ht, const Job& job) override {
    const DeviceAccess access = open(Ht);
    naive_.improve(step, sums, normal, pull, Ht, job);
  }
  void improve(const Step& step, Cross cross, const NormalMatrix& normal, Factor factor,
               const Job& job) override {
    const DeviceAccess access = open(cross, factor);
    naive_.improve(step, cross, normal, factor, job);
  }
  void improve(const Step& step, HostView<const double> cross, const NormalMatrix& normal,
               std::span<const double> pull, Factor Ht, const Job& job) override {
    const DeviceAccess access = open(Ht);
    naive_.improve(step, cross, normal, pull, Ht, job);
  }
  void improve_by_ratio(const Step& step, const Sums& sums, Factor Ht, const Job& job) override {
    const DeviceAccess access = open(Ht);
    naive_.improve_by_ratio(step, sums, Ht, job);
  }
  void improve_by_own_normals(const Step& step, const Sums& sums, double pull, Factor Ht,
                              const Job& job) override {
    const DeviceAccess access = open(Ht);
    naive_.improve_by_own_normals(step, sums, pull, Ht, job);
  }
  double own_curvature(const Sums& sums, Cross Ht, const Job& job) override {
    const DeviceAccess access = open(Ht);
    return naive_.own_curvature(sums, Ht, job);
  }
  double energy(const RowAddend& addend, Cross W, const Job& job) override {
    const DeviceAccess access = open(addend.numerators, addend.diagonal, W);
    return naive_.energy(addend, W, job);
  }
  double inner(const Sums& sums, Cross Ht, const Job& job) override {
    const DeviceAccess access = open(Ht);
    return naive_.inner(sums, Ht, job);
  }
  std::vector<double> cross(const Sums& sums) override {
    down += sums.d * sums.k;
    return naive_.cross(sums);
  }

  std::vector<double> gram(Cross factor, const Job& job) override {
    const DeviceAccess access = open(factor);
    return naive_.gram(factor, job);
  }
  std::vector<double> cross_gram(Cross A, Cross B, const Job& job) override {
    const DeviceAccess access = open(A, B);
    return naive_.cross_gram(A, B, job);
  }
  std::vector<double> weighted_gram(Cross factor, std::span<const float> weights,
                                    const Job& job) override {
    const DeviceAccess access = open(factor);
    return naive_.weighted_gram(factor, weights, job);
  }
  ColumnSums column_sums(Cross factor, const Job& job) override {
    const DeviceAccess access = open(factor);
    return naive_.column_sums(factor, job);
  }
  ColumnParts column_parts(Cross factor, const Job& job) override {
    const DeviceAccess access = open(factor);
    return naive_.column_parts(factor, job);
  }
  ColumnRatios ratios_to_first(Cross factor, const Job& job) override {
    const DeviceAccess access = open(factor);
    return naive_.ratios_to_first(factor, job);
  }
  void add_first(std::span<const double> shares, double scale, Factor factor,
                 const Job& job) override {
    const DeviceAccess access = open(factor);
    naive_.add_first(shares, scale, factor, job);
  }
  void lift_rows(double scale, double least, Factor factor, const Job& job) override {
    const DeviceAccess access = open(factor);
    naive_.lift_rows(scale, least, factor, job);
  }
  void clamp(float least, float most, Factor factor, const Job& job) override {
    const DeviceAccess access = open(factor);
    naive_.clamp(least, most, factor, job);
  }
  void orthonormalise_columns(Index first, Factor factor, const Job& job) override {
    const DeviceAccess access = open(factor);
    naive_.orthonormalise_columns(first, factor, job);
  }
  void scale_columns(std::span<const double> by, Factor factor, const Job& job) override {
    const DeviceAccess access = open(factor);
    naive_.scale_columns(by, factor, job);
  }
  void keep_largest(Index count, Factor factor, const Job& job) override {
    const DeviceAccess access = open(factor);
    naive_.keep_largest(count, factor, job);
  }
  void multiply(Cross A, HostView<const double> B, Factor to, const Job& job) override {
    const DeviceAccess access = open(A, to);
    naive_.multiply(A, B, to, job);
  }
  void gather_rows(Cross from, std::span<const Index> rows, Factor to, const Job& job) override {
    const DeviceAccess access = open(from, to);
    naive_.gather_rows(from, rows, to, job);
  }
  void indicate(std::span<const std::int32_t> labels, float rest, Factor factor,
                const Job& job) override {
    const DeviceAccess access = open(factor);
    naive_.indicate(labels, rest, factor, job);
  }
  void shift(double value, Factor factor, const Job& job) override {
    const DeviceAccess access = open(factor);
    naive_.shift(value, factor, job);
  }
  void extrapolate(const Extrapolated& by, Factor factor, const Job& job) override {
    const DeviceAccess access = open(by.previous, factor);
    naive_.extrapolate(by, factor, job);
  }
  void fill_random(const Draws& draws, Factor factor, const Job& job) override {
    const DeviceAccess access = open(factor);
    naive_.fill_random(draws, factor, job);
  }
  void raise_small(float smallest, const Draws& draws, Factor factor, const Job& job) override {
    const DeviceAccess access = open(factor);
    naive_.raise_small(smallest, draws, factor, job);
  }

  std::vector<double> symmetric_eigen(HostView<double> A) override {
    return naive_.symmetric_eigen(A);
  }
  std::vector<double> symmetric_eigen(HostView<double> A, HostView<double> N) override {
    return naive_.symmetric_eigen(A, N);
  }
  void orthonormalise_rows(HostView<double> A, const Job& job) override {
    naive_.orthonormalise_rows(A, job);
  }

 private:
  void expect_device(Cross view) const {
    if (view.rows == 0 || view.cols == 0) return;
    expect(memory_.holds(view.data, view.row(view.rows - 1) + view.cols),
           "a view of the device's memory");
  }

  // Opens the memory. All views must be in this memory.
  template <class... Views>
  DeviceAccess open(const Views&... views) {
    (expect_device(views), ...);
    return DeviceAccess(memory_);
  }

  DeviceMemory memory_;
  NaivePasses naive_;
};

}  // namespace test
