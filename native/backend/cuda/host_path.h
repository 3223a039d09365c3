#pragma once

#include <memory>
#include <string>
#include <vector>

#include "backend/cuda/cuda_sums.h"
#include "backend/cuda/device.h"
#include "backend/passes.h"

namespace gemmine::cuda {

// Copies between host memory and views of a device's memory; they wait until they are done.
void upload(const Device& device, HostView<const float> from, BackendView<float> to);
void download(const Device& device, BackendView<const float> from, HostView<float> to);

// A copy of a factor in the memory of the CPU, for an operation of the CPU on it.
class OnHost {
 public:
  OnHost(const Device& device, Passes& host, BackendView<const float> from);

  BackendView<float> view() const { return view_; }
  void store(BackendView<float> to) const;

 private:
  const Device& device_;
  std::shared_ptr<float[]> memory_;
  BackendView<float> view_;
};

// Passes whose factors are in memory of a GPU and whose operations are those of the CPU: each one
// copies its factors to host memory and what changed back. The base of CudaPasses, which has
// operations of its own for all that is frequent. `host` is the device of the CPU, whose memory is
// host memory.
class HostPath : public Passes {
 public:
  HostPath(std::shared_ptr<Device> device, Passes& host)
      : device_(std::move(device)), host_(host) {}

  std::string name() const override { return device_->name(); }
  std::shared_ptr<float[]> allocate(Index count) override;
  void upload(HostView<const float> from, BackendView<float> to) override;
  void download(BackendView<const float> from, HostView<float> to) override;
  void copy(BackendView<const float> from, BackendView<float> to) override;

  SourceNorm examine(const Examined& examined, const Job& job) override;
  std::unique_ptr<Sums> make_sums(Index d, Index k) override;
  void pass(const Pass& pass, const Job& job) override;
  void sum_over_ranks(Sums& sums, Communicator& ranks) override;
  void settle_codes(const LeastSquares& problem, BackendView<float> W, const Job& job) override;
  void multiply_in_float64(const RowSource& X, int exponent, HostView<const double> B,
                           BackendView<float> to, const Job& job) override;
  std::vector<double> squared_products(const RowSource& X, int exponent, HostView<const double> B,
                                       const Job& job) override;
  void assign(const Assignment& assignment, Assigned& assigned, const Job& job) override;
  std::vector<double> potentials(const Candidates& candidates, HostView<double> distances,
                                 const Job& job) override;

  void improve(const Step& step, const Sums& sums, const NormalMatrix& normal,
               std::span<const double> pull, BackendView<float> Ht, const Job& job) override;
  void improve(const Step& step, BackendView<const float> cross, const NormalMatrix& normal,
               BackendView<float> factor, const Job& job) override;
  void improve(const Step& step, HostView<const double> cross, const NormalMatrix& normal,
               std::span<const double> pull, BackendView<float> factor, const Job& job) override;
  void improve_by_ratio(const Step& step, const Sums& sums, BackendView<float> Ht,
                        const Job& job) override;
  double energy(const RowAddend& addend, BackendView<const float> W, const Job& job) override;
  void improve_by_own_normals(const Step& step, const Sums& sums, double pull,
                              BackendView<float> Ht, const Job& job) override;
  double own_curvature(const Sums& sums, BackendView<const float> Ht, const Job& job) override;
  double inner(const Sums& sums, BackendView<const float> Ht, const Job& job) override;
  std::vector<double> cross(const Sums& sums) override;

  std::vector<double> gram(BackendView<const float> factor, const Job& job) override;
  std::vector<double> cross_gram(BackendView<const float> A, BackendView<const float> B,
                                 const Job& job) override;
  std::vector<double> weighted_gram(BackendView<const float> factor, std::span<const float> weights,
                                    const Job& job) override;
  ColumnSums column_sums(BackendView<const float> factor, const Job& job) override;
  void scale_columns(std::span<const double> by, BackendView<float> factor,
                     const Job& job) override;
  ColumnParts column_parts(BackendView<const float> factor, const Job& job) override;
  ColumnRatios ratios_to_first(BackendView<const float> factor, const Job& job) override;
  void add_first(std::span<const double> shares, double scale, BackendView<float> factor,
                 const Job& job) override;
  void lift_rows(double scale, double least, BackendView<float> factor, const Job& job) override;
  void clamp(float least, float most, BackendView<float> factor, const Job& job) override;
  void keep_largest(Index count, BackendView<float> factor, const Job& job) override;
  void multiply(BackendView<const float> A, HostView<const double> B, BackendView<float> to,
                const Job& job) override;
  void gather_rows(BackendView<const float> from, std::span<const Index> rows,
                   BackendView<float> to, const Job& job) override;
  void indicate(std::span<const std::int32_t> labels, float rest, BackendView<float> factor,
                const Job& job) override;
  void shift(double value, BackendView<float> factor, const Job& job) override;
  void extrapolate(const Extrapolated& by, BackendView<float> factor, const Job& job) override;
  void fill_random(const Draws& draws, BackendView<float> factor, const Job& job) override;
  void raise_small(float smallest, const Draws& draws, BackendView<float> factor,
                   const Job& job) override;

  std::vector<double> symmetric_eigen(HostView<double> A) override;
  std::vector<double> symmetric_eigen(HostView<double> A, HostView<double> N) override;
  void orthonormalise_rows(HostView<double> A, const Job& job) override;

 protected:
  const std::shared_ptr<Device> device_;
  Passes& host_;

  OnHost on_host(BackendView<const float> view) const { return {*device_, host_, view}; }

  // Runs body(view) on a copy of the factor, which then replaces it.
  template <class Body>
  void change(BackendView<float> factor, const Body& body) {
    const OnHost copy = on_host(factor);
    body(copy.view());
    copy.store(factor);
  }
};

}  // namespace gemmine::cuda
